#include "turnout/router/learner.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "turnout/router.hpp"

namespace turnout {
namespace {

constexpr double kMostRatio = 8;  // of observed to expected USD, either way
constexpr double kNanoUsd = 1e-9;
constexpr int kReads = 1000;          // of arms that change as fast as they are fitted
constexpr double kLogitScale = 0.25;  // keeps a logit among the other features' sizes
constexpr float kDomainScale = 0.3f;  // what holds of all queries is learned first, what holds of a domain after it
constexpr float kMostFeature = 4;

float clipped(double value) { return std::clamp(static_cast<float>(value), -kMostFeature, kMostFeature); }

void expect(bool ok, const char* path, const char* what) {
  if (!ok) throw Error(ErrorKind::config, std::string("learning.") + path, what);
}

bool within(double value, double least, double most) { return value >= least && value <= most; }

void check(const LearnerConfig& c) {
  expect(within(c.ridge, 1e-6, 1e9), "ridge", "expected a number from 1e-6 to 1e9");
  expect(within(c.gate, 0, 100), "gate", "expected a number from 0 to 100");
  expect(within(c.gate_up, 0, 100), "gate_up", "expected a number from 0 to 100");
  expect(within(c.usd_prior, 1e-6, 1e9), "usd_prior", "expected a number from 1e-6 to 1e9");
  expect(within(c.width, 0, 1e3), "width", "expected a number from 0 to 1000");
  expect(within(c.epsilon, 0, 1), "epsilon", "expected a probability");
  expect(within(c.temperature, 1e-6, 1e6), "temperature", "expected a number from 1e-6 to 1e6");
  expect(within(c.quality_floor, 0, 1), "quality_floor", "expected a probability");
  expect(within(c.budget_share, 0, 1), "budget_share", "expected a share from 0 to 1");
}

double usd_ratio(const state::Totals& t, double prior) {
  if (!(t.usd_count > 0) || !(t.usd_expected > 0)) return 1;
  const double ratio = (t.usd / t.usd_expected * t.usd_count + prior) / (t.usd_count + prior);
  return std::clamp(ratio, 1 / kMostRatio, kMostRatio);
}

std::shared_ptr<const Learner::Arm> fit(const state::Totals& t, std::uint64_t version, const LearnerConfig& config) {
  auto arm = std::make_shared<Learner::Arm>();
  arm->version = version;
  arm->weight = t.weight;
  arm->usd_ratio = usd_ratio(t, config.usd_prior);
  try {
    arm->posterior.fit(t.precision, t.moment, config.ridge);
  } catch (const Error&) {
    arm->sound = false;
    const std::vector<double> nothing(t.precision.size());
    arm->posterior.fit(nothing, std::span(nothing).first(t.moment.size()), config.ridge);
  }
  return arm;
}

std::int64_t nano(double usd) { return std::llround(std::min(usd, 1e6) / kNanoUsd); }

constexpr double kScoreDeviation = 0.45;  // of a score about its P(correct), in the middle of the range

}  // namespace

// What is left of a correction where one up to `noise` may be chance: none of a smaller one, almost all of a far
// larger. Downwards more is chance: an LLM that is left has no outcomes to rise by, one that is tried too often soon
// has.
double believed(double shift, const LearnerConfig& config, double deviation) {
  const double noise = (shift < 0 ? config.gate : config.gate_up) * kScoreDeviation * deviation;
  return std::abs(shift) <= noise ? 0 : shift * (1 - (noise / shift) * (noise / shift));
}

double Learner::correction(const Arm& arm) const {
  std::vector<float> x(static_cast<std::size_t>(arm.posterior.dim()));
  std::vector<double> scratch(x.size());
  x[0] = 1;
  return believed(arm.posterior.predict(x), config_, arm.posterior.deviation(x, scratch));
}

int Features::dim(const difficulty::Tables& t) const {
  return 1 + (logit ? 1 : 0) + (domains ? t.domains : 0) + (latent ? t.latent : 0);
}

void Features::fill(const difficulty::Tables& t, const difficulty::Assessment& a, float* x) const {
  *x++ = 1;
  if (logit) *x++ = clipped(kLogitScale * a.logit);
  const float* posterior = a.skills + (t.skills - t.domains);
  if (domains) x = std::transform(posterior, posterior + t.domains, x, [](float p) { return kDomainScale * p; });
  if (latent) std::transform(a.latent_mean, a.latent_mean + t.latent, x, [](float z) { return clipped(z); });
}

Learner::Learner(std::shared_ptr<state::Memory> memory, const LearnerConfig& config)
    : memory_(std::move(memory)), config_(config), surprise_(0), model_(std::make_shared<const Model>()) {
  check(config_);
}

std::shared_ptr<const Learner::Model> Learner::model() {
  const std::lock_guard lock(mutex_);
  if (model_->version == memory_->version()) return model_;
  auto next = std::make_shared<Model>(*model_);
  for (int i = 0; i < kReads && !refresh(*next); ++i) continue;
  model_ = std::move(next);
  return model_;
}

// Arms whose totals have changed are fitted anew. False where outcomes came meanwhile: some may be in it already.
bool Learner::refresh(Model& next) const {
  next.version = memory_->version();
  next.arms.resize(static_cast<std::size_t>(memory_->arms()));
  state::Totals totals;
  for (std::size_t i = 0; i < next.arms.size(); ++i) {
    const int arm = static_cast<int>(i);
    const std::uint64_t version = memory_->version(arm);
    if (version == (next.arms[i] ? next.arms[i]->version : 0)) continue;
    memory_->totals(arm, totals);
    next.arms[i] = fit(totals, version, config_);
  }
  return memory_->version() == next.version;
}

state::Receipt Learner::report(std::uint64_t ticket, int node, const state::Outcome& outcome) {
  state::Evidence evidence;
  const state::Receipt receipt = memory_->report(ticket, node, outcome, !frozen(), &evidence);
  if (evidence.count > 0 && evidence.arms[0] >= surprise_.arms()) surprise_.grow(memory_->arms());
  if (config_.suspend && !frozen() && receipt == state::Receipt::accepted && !std::isnan(outcome.score))
    for (int i = 0; i < evidence.count; ++i) surprise_.observe(evidence.arms[i], evidence.quality[i], outcome.score);
  return receipt;
}

double Learner::allowance() const {
  if (config_.budget_share >= 1) return std::numeric_limits<double>::infinity();
  const auto spent = static_cast<double>(usd_extra_.load(std::memory_order_relaxed)) * kNanoUsd;
  const auto all = static_cast<double>(usd_.load(std::memory_order_relaxed)) * kNanoUsd;
  return config_.budget_share * all - spent;
}

void Learner::decided(double usd, double extra) {
  usd_.fetch_add(nano(usd), std::memory_order_relaxed);
  if (extra > 0) usd_extra_.fetch_add(nano(extra), std::memory_order_relaxed);
}

void Learner::asked(std::span<const state::Step> steps) {
  if (!suspends()) return;
  if (steps.empty()) return surprise_.decided(-1);
  const auto dead = [this](const state::Step& step) { return surprise_.state(step.arm).dead; };
  const auto probed = std::find_if(steps.begin(), steps.end(), dead);
  surprise_.decided(probed == steps.end() ? steps[0].arm : probed->arm);
}

bool Learner::suspend(std::span<const std::int32_t> arms, bool probe, std::span<trace::Condition> conditions) {
  if (!config_.suspend) return false;
  bool any = false;
  for (std::size_t m = 0; m < arms.size(); ++m) {
    if (probe ? surprise_.admits(arms[m]) : !surprise_.state(arms[m]).dead) continue;
    any = true;
    if (conditions[m].rule == trace::Rule::none) conditions[m].rule = trace::Rule::suspended;
  }
  return any;
}

Attachment attach(std::shared_ptr<Learner> learner, const Router& router) {
  const int dim = learner->config().features.dim(router.snapshot().difficulty->tables());
  const int given = learner->memory().config().dim;
  if (dim != given)
    throw Error(
        ErrorKind::config, "learning",
        "this router's network gives " + std::to_string(dim) + " features, the state has " + std::to_string(given));
  Attachment attached{std::move(learner), {}};
  for (const auto& llm : router.snapshot().catalog.llms)
    attached.arms.push_back(attached.learner->memory().arm(llm.id));
  attached.learner->surprise().grow(attached.learner->memory().arms());
  return attached;
}

}  // namespace turnout
