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

// b is twice x[0], the skill x[1], the logits of two domains x[0] and x[1]; floor x[0] where `answers`.
std::shared_ptr<const onnx::Session> domain_session(bool answers) {
  const int columns = 2 * kLatent + 1 + 3 + (answers ? 2 : 0);
  std::vector<float> weight(static_cast<std::size_t>(columns * kDim));
  const auto set = [&](int column, int input, float w) { weight[static_cast<std::size_t>(column * kDim + input)] = w; };
  set(2, 0, 2), set(3, 1, 1), set(4, 0, 1), set(5, 1, 1);
  if (answers) set(6, 0, 1);
  const auto bytes =
      tiny::gemm(kDim, columns, weight, std::vector<float>(static_cast<std::size_t>(columns)), kLatent, 3);
  return onnx::Session::create(onnx::Runtime::load(check::required_env("TURNOUT_ORT_LIBRARY")), tiny::view(bytes),
                               "tiny.onnx");
}

Tables domain_tables() {
  Tables t = tables();
  t.skills = 3;
  t.heads = {1, 0.5f, 0, 0};
  t.domains = 2;
  t.domain_offsets = {-1, 3};
  t.domain_floors = {0.5f, 0.25f};
  return t;
}

template <class Spoil>
void build_domains(const Spoil& spoil) {
  Tables t = domain_tables();
  spoil(t);
  Model(domain_session(false), std::move(t));
}

Assessment assess(const Model& model, float x, float y) {
  auto ws = model.workspace();
  Assessment a;
  const std::array<float, 2> row{x, y};
  model.assess(row.data(), ws, a);
  return a;
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

TEST(domain_logits_become_a_posterior_that_moves_logit_and_floor) {
  const Assessment a = assess(Model(domain_session(false), domain_tables()), 0.75f, 0.25f);
  const double e = std::exp(-0.5), p = 1 / (1 + e), q = e / (1 + e);
  const auto pf = static_cast<float>(p), qf = static_cast<float>(q);
  CHECK(a.skills[0] == 0.25f && a.skills[1] == pf && a.skills[2] == qf);
  CHECK_NEAR(a.logit, 1.5 - p + 3 * q, 1e-6);
  CHECK(a.logit == 1.5 - static_cast<double>(pf) + 3 * static_cast<double>(qf));
  CHECK_NEAR(a.difficulty, 1 / (1 + std::exp(-a.logit)), 1e-12);
  CHECK_NEAR(static_cast<double>(a.floor), 0.5 * p + 0.25 * q, 1e-6);
  CHECK(a.output_scale == 1);
}

TEST(domain_floors_are_added_before_the_floor_is_clamped) {
  const Model model(domain_session(true), domain_tables());
  CHECK_NEAR(static_cast<double>(assess(model, 0.25f, 0.25f).floor), 0.25 + 0.375, 1e-6);
  CHECK_NEAR(static_cast<double>(assess(model, -0.25f, -0.25f).floor), 0.125, 1e-6);  // clamped first it would be 0.375
  CHECK(assess(model, 0.75f, 0.75f).floor == 0.95f && assess(model, -0.75f, -0.75f).floor == 0);
}

TEST(domain_logits_of_any_size_give_a_posterior) {
  const Model model(domain_session(false), domain_tables());
  const Assessment first = assess(model, 2e4f, -2e4f), second = assess(model, -2e4f, 2e4f);
  CHECK(first.skills[1] == 1 && first.skills[2] == 0 && second.skills[1] == 0 && second.skills[2] == 1);
  CHECK(first.floor == 0.5f && second.floor == 0.25f);
}

TEST(sampling_leaves_posterior_and_floor) {
  const Model model(domain_session(true), domain_tables());
  const Assessment plain = assess(model, 0.25f, 0.5f);
  Assessment moved = plain;
  Philox rng(3);
  model.sample(moved, rng);
  CHECK(moved.logit != plain.logit && moved.skills[0] != plain.skills[0] && moved.floor == plain.floor);
  CHECK(moved.skills[1] == plain.skills[1] && moved.skills[2] == plain.skills[2]);
  const Assessment mean = model.mean();
  CHECK(mean.skills[1] == 0 && mean.skills[2] == 0 && mean.floor == 0 && mean.difficulty == 0.5);
}

TEST(domains_that_do_not_fit_are_refused) {
  build_domains([](Tables&) {});
  const char* rows = "difficulty/domains.npy";
  CHECK_ERROR(build_domains([](Tables& t) { t.domain_offsets[1] = kNan; }), ErrorKind::bundle, rows);
  CHECK_ERROR(build_domains([](Tables& t) { t.domain_offsets[1] = kInf; }), ErrorKind::bundle, rows);
  CHECK_ERROR(build_domains([](Tables& t) { t.domain_offsets.pop_back(); }), ErrorKind::bundle, rows);
  CHECK_ERROR(build_domains([](Tables& t) { t.domain_floors.push_back(0); }), ErrorKind::bundle, rows);
  for (const float floor : {-0.01f, 0.96f, kNan})
    CHECK_ERROR(build_domains([&](Tables& t) { t.domain_floors[0] = floor; }), ErrorKind::bundle, rows);
  CHECK_ERROR(build_domains([](Tables& t) { t.domains = 0; }), ErrorKind::bundle, rows);
  CHECK_ERROR(build_domains([](Tables& t) { t.domains = 4; }), ErrorKind::bundle, "difficulty/config.json");
  CHECK_ERROR(build_domains([](Tables& t) { t.domains = -1; }), ErrorKind::bundle, "difficulty/config.json");
  CHECK_ERROR(build_domains([](Tables& t) { t.heads[2] = 1; }), ErrorKind::bundle, "difficulty/heads.npy");
  CHECK_ERROR(build_domains([](Tables& t) { t.heads[3] = -1e-3f; }), ErrorKind::bundle, "difficulty/heads.npy");
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
