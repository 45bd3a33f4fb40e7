// What was learned enters a decision, and what the decision was is remembered for its outcome.
#include <algorithm>
#include <cmath>

#include "router/stages.hpp"

namespace turnout::stages {
namespace {

constexpr std::uint64_t kNoise = 0x7475726e6f7574;  // the streams of Thompson draws are apart from those of plans

double bonus(const LearnerConfig& config, double deviation, Philox& noise) {
  if (config.strategy == Strategy::mean) return 0;
  const double width = config.width * deviation;
  return config.strategy == Strategy::ucb ? width : width * noise.normal();
}

double corrected(const Context& c, const Learner::Arm& arm, double prior, Philox& noise) {
  const LearnerConfig& config = c.request.learning->learner->config();
  const double deviation = arm.posterior.deviation(c.ws.features, c.ws.scratch);
  const double shift = believed(arm.posterior.predict(c.ws.features), config, deviation);
  return std::clamp(prior + shift + bonus(config, deviation, noise), 0.0, 1.0);
}

// An arm without outcomes is as uncertain as its prior: the deviation of a model that has seen nothing.
double unseen(const Context& c, double prior, Philox& noise) {
  const LearnerConfig& config = c.request.learning->learner->config();
  if (config.strategy == Strategy::mean) return prior;
  double norm = 0;
  for (const float x : c.ws.features) norm += static_cast<double>(x) * static_cast<double>(x);
  return std::clamp(prior + bonus(config, std::sqrt(norm / config.ridge), noise), 0.0, 1.0);
}

bool explores(const LearnerConfig& config) { return config.epsilon > 0 || config.strategy != Strategy::mean; }

void take_draw(Context& c) {
  const LearnerConfig& config = c.request.learning->learner->config();
  const bool random = config.epsilon > 0 || config.strategy == Strategy::thompson;
  if (!random) return;
  c.out.draw = c.request.draw >= 0 ? static_cast<std::uint64_t>(c.request.draw) : c.request.learning->learner->draws(1);
}

}  // namespace

void learned(Context& c, const difficulty::Assessment& a) {
  std::copy(c.ws.quality.begin(), c.ws.quality.end(), c.ws.prior.begin());
  std::fill(c.ws.usd_ratio.begin(), c.ws.usd_ratio.end(), 1.0);
  c.out.learning = false;
  if (c.request.learning == nullptr) return;
  Learner& learner = *c.request.learning->learner;
  take_draw(c);
  c.ws.model = learner.model();
  c.out.state_version = c.ws.model->version;
  c.out.learning = c.out.state_version != 0 || explores(learner.config());
  const auto& tables = c.snapshot.difficulty->tables();
  c.ws.features.resize(static_cast<std::size_t>(learner.config().features.dim(tables)));
  c.ws.scratch.resize(c.ws.features.size());
  learner.config().features.fill(tables, a, c.ws.features.data());
  Philox noise(learner.config().seed ^ kNoise, c.out.draw);
  for (std::size_t m = 0; m < c.ws.quality.size(); ++m) {
    const auto arm = static_cast<std::size_t>(c.request.learning->arms[m]);
    const Learner::Arm* known = arm < c.ws.model->arms.size() ? c.ws.model->arms[arm].get() : nullptr;
    c.ws.quality[m] = known != nullptr ? corrected(c, *known, c.ws.prior[m], noise) : unseen(c, c.ws.prior[m], noise);
    if (known != nullptr) c.ws.usd_ratio[m] = known->usd_ratio;
  }
}

namespace {

state::Ticket& ticket_of(const Context& c) {
  state::Ticket& t = c.ws.ticket;
  const auto& arms = c.request.learning->arms;
  t.state_version = c.out.state_version;
  t.value_usd = c.out.value_usd;
  t.usd_per_second = c.out.usd_per_second;
  t.prior = c.out.prior;
  t.dim = static_cast<std::int32_t>(c.ws.features.size());
  std::copy(c.ws.features.begin(), c.ws.features.end(), t.context);
  t.candidate_count = std::max(1, c.out.candidate_count);
  t.chosen = c.out.chosen;
  for (int i = 0; i < t.candidate_count; ++i) {
    const trace::Candidate& from = c.out.candidates[i];
    const auto& option = c.ws.options[static_cast<std::size_t>(i)];
    const std::int32_t arm = from.llm < 0 ? -1 : arms[static_cast<std::size_t>(from.llm)];
    t.candidates[i] = {arm, from.probability, option.quality, option.usd, option.seconds};
  }
  t.step_count = c.out.node_count;
  for (int i = 0; i < c.out.node_count; ++i) {
    const trace::Node& node = c.out.nodes[i];
    const auto llm = static_cast<std::size_t>(node.llm);
    t.steps[i] = {arms[llm], node.prior, node.usd / c.ws.usd_ratio[llm], node.quality};
  }
  return t;
}

}  // namespace

// A decision without a plan has no outcome.
void remember(Context& c) {
  c.ws.model.reset();
  if (c.request.learning == nullptr) return;
  Learner& learner = *c.request.learning->learner;
  if (c.out.node_count == 0) return learner.asked({});
  learner.decided(c.out.usd, c.out.usd - c.ws.best_usd);
  state::Ticket& ticket = ticket_of(c);
  learner.asked({ticket.steps, static_cast<std::size_t>(ticket.step_count)});
  learner.memory().open(ticket);
  c.out.ticket = ticket.id;
  if (learner.config().notes == Notes::none) return;
  c.ws.note.clear();
  pack_note(c, c.ws.note);
  learner.memory().note(ticket.id, c.ws.note);
}

}  // namespace turnout::stages
