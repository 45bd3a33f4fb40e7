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

void check(const Tables& t, int dim, int columns) {
  const auto fail = [](const char* path, const std::string& what) { throw Error(ErrorKind::bundle, path, what); };
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

}  // namespace

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
  out.difficulty = sigmoid(out.logit);
  read_answer(row + 2 * z + 1 + s, out);
  float best = -std::numeric_limits<float>::infinity();
  for (std::size_t i = 0; i < tables_.centroids.size(); i += static_cast<std::size_t>(unit_dim()))
    best = std::max(best, dot(x, tables_.centroids.data() + i, unit_dim()));
  out.domain_similarity = best;
  out.out_of_domain = best < tables_.domain_threshold;
  check_finite(out, s, "the difficulty network");
}

void Model::read_answer(const float* columns, Assessment& out) const {
  const bool given = columns_ > 2 * tables_.latent + 1 + tables_.skills;
  const float floor = given ? columns[0] : 0, log_scale = given ? columns[1] : 0;
  if (!std::isfinite(floor) || !std::isfinite(log_scale)) refuse("the difficulty network");
  out.floor = std::clamp(floor, 0.0f, kMaxFloor);
  out.output_scale =
      std::clamp(static_cast<float>(std::exp(static_cast<double>(log_scale))), 1 / kMaxOutputScale, kMaxOutputScale);
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
  for (int s = 0; s < tables_.skills; ++s) a.skills[s] += moved(1 + s);
  check_finite(a, tables_.skills, "sampling the latent");
}

Assessment Model::mean() const {
  Assessment a;
  a.difficulty = tables_.mean_difficulty;
  a.logit = std::log(a.difficulty / (1.0 - a.difficulty));
  return a;
}

}  // namespace turnout::difficulty
