#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "turnout/difficulty.hpp"

namespace turnout::difficulty {
namespace {

constexpr int kAnswerColumns = 2;  // guess floor, logarithm of the output scale

const onnx::Port& only(const std::vector<onnx::Port>& ports, const char* what) {
  if (ports.size() != 1 || ports[0].element != onnx::Element::float32 || ports[0].shape.size() != 2 ||
      ports[0].shape[0] >= 0 || ports[0].shape[1] <= 0 || ports[0].shape[1] > kMaxDim)
    throw Error(ErrorKind::bundle, "difficulty/network.onnx",
                std::string("expected one ") + what + ", float32 [B, columns], of any B and 1 to " +
                    std::to_string(kMaxDim) + " columns");
  return ports[0];
}

bool finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

[[noreturn]] void fail(const char* path, const std::string& what) { throw Error(ErrorKind::bundle, path, what); }

void check_domains(const Tables& t) {
  if (t.domains < 0 || t.domains > t.skills)
    fail("difficulty/config.json", "domains: expected 0 to skills (" + std::to_string(t.skills) + ")");
  const auto k = static_cast<std::size_t>(t.domains);
  if (t.domain_offsets.size() != k || t.domain_floors.size() != k) fail("difficulty/domains.npy", "expected [2, K]");
  if (!finite(t.domain_offsets)) fail("difficulty/domains.npy", "offsets: expected finite numbers");
  if (!std::all_of(t.domain_floors.begin(), t.domain_floors.end(), [](float f) { return f >= 0 && f <= kMaxFloor; }))
    fail("difficulty/domains.npy", "floors: expected numbers in [0, 0.95]");
  const auto heads = static_cast<std::ptrdiff_t>(t.domains) * t.latent;  // a posterior is not linear in the latent
  if (!std::all_of(t.heads.end() - heads, t.heads.end(), [](float h) { return h == 0; }))
    fail("difficulty/heads.npy", "expected zeros in the rows of the domains");
}

void check(const Tables& t, int dim, int columns) {
  if (t.latent < 1 || t.latent > kMaxLatent)
    fail("difficulty/network.onnx", "latent: expected 1 to " + std::to_string(kMaxLatent));
  if (t.skills < 0 || t.skills > kMaxSkills)
    fail("difficulty/network.onnx", "skills: expected 0 to " + std::to_string(kMaxSkills));
  const int least = 2 * t.latent + 1 + t.skills;
  if (columns != least && columns != least + kAnswerColumns)
    fail("difficulty/network.onnx", "output columns do not equal 2 * latent + 1 + skills, or two more");
  if (t.heads.size() != static_cast<std::size_t>((1 + t.skills) * t.latent))
    fail("difficulty/heads.npy", "expected [1 + skills, latent]");
  if (t.lexical < 0 || t.lexical >= dim)
    fail("difficulty/network.onnx", "input columns: expected more than the " + std::to_string(t.lexical) +
                                        " lexical scores, got " + std::to_string(dim));
  if (t.centroids.empty() || t.centroids.size() % static_cast<std::size_t>(dim - t.lexical) != 0)
    fail("difficulty/centroids.npy",
         "expected [K, " + std::to_string(dim - t.lexical) + "], K >= 1: the network's input without lexical scores");
  if (!finite(t.heads)) fail("difficulty/heads.npy", "expected finite numbers");
  if (!finite(t.centroids)) fail("difficulty/centroids.npy", "expected finite numbers");
  if (!std::isfinite(t.domain_threshold)) fail("difficulty/config.json", "domain_threshold: expected a finite number");
  if (!(t.mean_difficulty > 0 && t.mean_difficulty < 1))
    fail("difficulty/config.json", "mean_difficulty: expected a number in (0, 1)");
  check_domains(t);
}

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

// A vector of finite but huge numbers can leave the range of float on its way through the network.
[[noreturn]] void refuse(const char* doing) {
  throw Error(ErrorKind::input, "query",
              std::string(doing) + " gave a number that is not finite: expected a vector of about norm 1");
}

void check_finite(const Assessment& a, int skills, const char* doing) {
  if (!std::isfinite(a.logit) || !std::isfinite(a.domain_similarity) ||
      !finite({a.skills, static_cast<std::size_t>(skills)}))
    refuse(doing);
}

// Logits to probabilities, in place.
void softmax(float* x, int n) {
  const float most = *std::max_element(x, x + n);
  double e[kMaxSkills], sum = 0;
  for (int i = 0; i < n; ++i) sum += e[i] = std::exp(static_cast<double>(x[i]) - static_cast<double>(most));
  for (int i = 0; i < n; ++i) x[i] = static_cast<float>(e[i] / sum);
}

}  // namespace

float output_scale(double logarithm) {
  constexpr double kBeyond = 9;  // exp stays in float's range
  return std::clamp(static_cast<float>(std::exp(std::clamp(logarithm, -kBeyond, kBeyond))), 1 / kMaxOutputScale,
                    kMaxOutputScale);
}

Model::Model(std::shared_ptr<const onnx::Session> session, Tables tables)
    : session_(std::move(session)), tables_(std::move(tables)) {
  dim_ = static_cast<int>(only(session_->inputs(), "input").shape[1]);
  columns_ = static_cast<int>(only(session_->outputs(), "output").shape[1]);
  check(tables_, dim_, columns_);
}

Model::~Model() = default;

void Model::read(const float* x, const float* row, Assessment& out) const {
  const int z = tables_.latent, s = tables_.skills;
  std::copy_n(row, z, out.latent_mean);
  std::copy_n(row + z, z, out.latent_logvar);
  out.logit = row[2 * z];
  std::copy_n(row + 2 * z + 1, s, out.skills);
  float best = -std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < tables_.centroids.size(); i += static_cast<std::size_t>(unit_dim()))
    best = std::max(best, dot(x, tables_.centroids.data() + i, unit_dim()));
  out.domain_similarity = best;
  out.out_of_domain = best < tables_.domain_threshold;
  check_finite(out, s, "the difficulty network");
  read_answer(row + 2 * z + 1 + s, out);
  out.difficulty = sigmoid(out.logit);
}

void Model::read_answer(const float* columns, Assessment& out) const {
  const bool given = columns_ > 2 * tables_.latent + 1 + tables_.skills;
  const float floor = given ? columns[0] : 0, log_scale = given ? columns[1] : 0;
  if (!std::isfinite(floor) || !std::isfinite(log_scale)) refuse("the difficulty network");
  out.log_output_scale = log_scale;
  out.output_scale = output_scale(static_cast<double>(log_scale));
  double sum = static_cast<double>(floor);
  if (tables_.domains > 0) sum += read_domains(out);
  out.floor = std::clamp(static_cast<float>(sum), 0.0f, kMaxFloor);
}

// Domain logits become the posterior, b is moved by its offsets; returns what it adds to the floor.
double Model::read_domains(Assessment& out) const {
  const int k = tables_.domains;
  float* posterior = out.skills + tables_.skills - k;
  softmax(posterior, k);
  double floor = 0;
  for (int i = 0; i < k; ++i) {
    const auto p = static_cast<double>(posterior[i]);
    out.logit += static_cast<double>(tables_.domain_offsets[static_cast<std::size_t>(i)]) * p;
    floor += static_cast<double>(tables_.domain_floors[static_cast<std::size_t>(i)]) * p;
  }
  return floor;
}

void Model::assess(const float* x, Workspace& ws, Assessment& out) const {
  std::copy_n(x, dim_, ws.single_in_.data());
  ws.single_.run();
  read(x, ws.single_out_.data(), out);
}

void Model::assess(const float* x, int n, Workspace& ws, Assessment* out) const {
  if (n <= 0) return;
  if (n > kMaxBatch)
    throw Error(ErrorKind::input, "n", "expected at most " + std::to_string(kMaxBatch) + ", got " + std::to_string(n));
  ws.bind_batch(n);
  std::copy_n(x, ws.batch_in_.size(), ws.batch_in_.data());
  ws.batch_->run();
  for (int i = 0; i < n; ++i) read(x + i * dim_, ws.batch_out_.data() + i * columns_, out[i]);
}

void Model::sample(Assessment& a, Philox& rng) const {
  const int z = tables_.latent;
  float step[kMaxLatent];
  for (int i = 0; i < z; ++i) step[i] = static_cast<float>(std::exp(0.5 * a.latent_logvar[i]) * rng.normal());
  const auto moved = [&](int head) { return dot(tables_.heads.data() + head * z, step, z); };
  a.logit += moved(0);
  a.difficulty = sigmoid(a.logit);
  for (int s = 0; s < tables_.skills - tables_.domains; ++s) a.skills[s] += moved(1 + s);
  check_finite(a, tables_.skills, "sampling the latent");
}

Assessment Model::mean() const {
  Assessment a;
  a.difficulty = tables_.mean_difficulty;
  a.logit = std::log(a.difficulty / (1.0 - a.difficulty));
  return a;
}

}  // namespace turnout::difficulty
