#include "turnout/difficulty.hpp"

#include <array>
#include <cmath>
#include <limits>

#include "check.hpp"
#include "tiny_onnx.hpp"

using namespace turnout;
using difficulty::Assessment;
using difficulty::Model;
using difficulty::Tables;

namespace {

constexpr int kDim = 2, kLatent = 1, kSkills = 1, kColumns = 2 * kLatent + 1 + kSkills;
const float kNan = std::numeric_limits<float>::quiet_NaN();
const float kInf = std::numeric_limits<float>::infinity();

std::shared_ptr<const onnx::Session> session(int dim = kDim, int columns = kColumns) {
  // The logit is twice x[0]; the skill is x[1]; floor and logarithm of the output scale, where they are, x[0] and x[1].
  std::vector<float> weight(static_cast<std::size_t>(dim * columns));
  weight[static_cast<std::size_t>(2 * kLatent * dim)] = 2;
  weight[static_cast<std::size_t>((2 * kLatent + 1) * dim + 1)] = 1;
  if (columns == kColumns + 2) {
    weight[static_cast<std::size_t>(kColumns * dim)] = 1;
    weight[static_cast<std::size_t>((kColumns + 1) * dim + 1)] = 1;
  }
  const auto bytes =
      tiny::gemm(dim, columns, weight, std::vector<float>(static_cast<std::size_t>(columns)), kLatent, kSkills);
  return onnx::Session::create(onnx::Runtime::load(check::required_env("TURNOUT_ORT_LIBRARY")), tiny::view(bytes),
                               "tiny.onnx");
}

Tables tables() {
  Tables t;
  t.latent = kLatent;
  t.skills = kSkills;
  t.heads = {1, 0.5f};
  t.centroids = {1, 0};
  return t;
}

template <class Spoil>
void build(const Spoil& spoil) {
  Tables t = tables();
  spoil(t);
  Model(session(), std::move(t));
}

}  // namespace

TEST(logit_skills_and_similarity_are_read) {
  const Model model(session(), tables());
  auto ws = model.workspace();
  Assessment a;
  const std::array<float, 2> x{0.6f, 0.8f};
  model.assess(x.data(), ws, a);
  CHECK(a.logit == static_cast<double>(1.2f) && a.skills[0] == 0.8f && a.domain_similarity == 0.6f);
}

TEST(floor_and_output_scale_are_read_and_clamped) {
  const Model model(session(kDim, kColumns + 2), tables());
  auto ws = model.workspace();
  const auto read = [&](float x, float y) {
    Assessment a;
    const std::array<float, 2> row{x, y};
    model.assess(row.data(), ws, a);
    return a;
  };
  const Assessment inside = read(0.25f, 0.5f);
  CHECK(inside.floor == 0.25f && inside.output_scale == static_cast<float>(std::exp(0.5)) && inside.skills[0] == 0.5f);
  CHECK(read(-0.5f, 0).floor == 0 && read(0.97f, 0).floor == 0.95f && read(7, 0).floor == 0.95f);
  CHECK(read(0, 0).output_scale == 1 && read(0, 3).output_scale == 16 && read(0, -3).output_scale == 0.0625f);
  CHECK(read(0, 3e4f).output_scale == 16 && read(0, -3e4f).output_scale == 0.0625f);
  Assessment moved = inside;
  Philox rng(3);
  model.sample(moved, rng);
  CHECK(moved.logit != inside.logit && moved.floor == inside.floor && moved.output_scale == inside.output_scale);
  const Assessment mean = model.mean();
  CHECK(mean.floor == 0 && mean.output_scale == 1);
}

TEST(columns_that_are_neither_are_refused) {
  CHECK_ERROR(Model(session(kDim, kColumns + 1), tables()), ErrorKind::bundle, "difficulty/network.onnx");
  CHECK_ERROR(Model(session(kDim, kColumns + 3), tables()), ErrorKind::bundle, "difficulty/network.onnx");
}

TEST(a_batch_of_none_is_nothing_and_too_many_are_refused) {
  const Model model(session(), tables());
  auto ws = model.workspace();
  const std::vector<float> x(2 * (kMaxBatch + 1), 0.5f);
  std::vector<Assessment> out(kMaxBatch + 1);
  model.assess(x.data(), 0, ws, out.data());
  model.assess(x.data(), kMaxBatch, ws, out.data());
  model.assess(x.data(), 0, ws, out.data());
  model.assess(x.data(), -1, ws, out.data());
  CHECK(out[kMaxBatch - 1].logit == 1);
  CHECK_ERROR(model.assess(x.data(), kMaxBatch + 1, ws, out.data()), ErrorKind::input, "n");
}

TEST(a_vector_that_overflows_the_network_is_refused) {
  const Model model(session(), tables());
  auto ws = model.workspace();
  Assessment out;
  Assessment two[2];
  for (const float huge : {3e38f, -3e38f}) {
    const std::array<float, 4> x{0.1f, 0.1f, huge, 0};
    CHECK_ERROR(model.assess(x.data() + 2, ws, out), ErrorKind::input, "query");
    CHECK_ERROR(model.assess(x.data(), 2, ws, two), ErrorKind::input, "query");
  }
  CHECK(two[0].skills[0] == 0.1f);
}

TEST(a_sample_that_overflows_is_refused) {
  const Model model(session(), tables());
  Assessment a;
  a.latent_logvar[0] = 1e4f;
  Philox rng(1);
  CHECK_ERROR(model.sample(a, rng), ErrorKind::input, "query");
}

TEST(tables_that_do_not_fit_are_refused) {
  build([](Tables&) {});
  CHECK_ERROR(build([](Tables& t) { t.heads[1] = kNan; }), ErrorKind::bundle, "difficulty/heads.npy");
  CHECK_ERROR(build([](Tables& t) { t.heads.pop_back(); }), ErrorKind::bundle, "difficulty/heads.npy");
  CHECK_ERROR(build([](Tables& t) { t.centroids[0] = kInf; }), ErrorKind::bundle, "difficulty/centroids.npy");
  CHECK_ERROR(build([](Tables& t) { t.centroids.clear(); }), ErrorKind::bundle, "difficulty/centroids.npy");
  CHECK_ERROR(build([](Tables& t) { t.domain_threshold = kNan; }), ErrorKind::bundle, "difficulty/config.json");
  CHECK_ERROR(build([](Tables& t) { t.mean_difficulty = 1; }), ErrorKind::bundle, "difficulty/config.json");
}

TEST(a_network_of_too_many_dimensions_is_refused) {
  CHECK_ERROR(Model(session(kMaxDim + 1), tables()), ErrorKind::bundle, "difficulty/network.onnx");
}
