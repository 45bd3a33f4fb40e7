// Exploration: with probability epsilon a plan is drawn from a softmax over the feasible ones, the best plan and single
// calls of the ranked LLMs. The probability of each is kept, so that outcomes can be weighed by it.
#include <algorithm>
#include <cmath>

#include "router/stages.hpp"

namespace turnout::stages {
namespace {

using trace::Alternative;
using trace::Candidate;

// The single LLM of the best plan where that is what an alternative would be; -1: more than a call.
int single_llm(const Context& c, int oper) {
  return c.out.node_count == 1 && c.out.nodes[0].oper == oper ? c.out.nodes[0].llm : -1;
}

bool eligible(const Context& c, const Alternative& a) {
  const LearnerConfig& config = c.request.learning->learner->config();
  const double extra = a.usd - c.out.usd;
  return a.rule == trace::Rule::none && a.quality >= config.quality_floor &&
         (extra <= 0 || extra <= c.ws.allowance + config.budget_share * a.usd);
}

bool usable(const Context& c, int oper) {
  return oper >= 0 && c.ws.masks[static_cast<std::size_t>(oper)] == operators::Mask::usable;
}

void add(Context& c, int llm, const Router::Workspace::Option& option) {
  c.ws.options[static_cast<std::size_t>(c.out.candidate_count)] = option;
  c.out.candidates[c.out.candidate_count++] = Candidate{static_cast<std::int16_t>(llm), 0};
}

void list_candidates(Context& c, int single) {
  c.out.candidate_count = 0;
  add(c, single, {c.out.quality, c.out.usd, c.out.seconds, c.out.utility});
  for (int i = 0; i < c.out.alternative_count; ++i) {
    const Alternative& a = c.out.alternatives[i];
    if (a.llm != single && eligible(c, a)) add(c, a.llm, {a.quality, a.usd, a.seconds, a.utility});
  }
}

void weigh(Context& c, const LearnerConfig& config) {
  const auto n = static_cast<std::size_t>(c.out.candidate_count);
  const double scale = config.temperature * c.request.value_usd;
  double most = c.ws.options[0].utility, sum = 0;
  for (std::size_t i = 0; i < n; ++i) most = std::max(most, c.ws.options[i].utility);
  for (std::size_t i = 0; i < n; ++i)
    sum += c.out.candidates[i].probability = std::exp((c.ws.options[i].utility - most) / scale);
  for (std::size_t i = 0; i < n; ++i) c.out.candidates[i].probability *= config.epsilon / sum;
  c.out.candidates[0].probability += 1 - config.epsilon;
}

int drawn(const Context& c, const LearnerConfig& config) {
  Philox rng(config.seed, c.out.draw);
  double left = rng.uniform();
  for (int i = 0; i < c.out.candidate_count - 1; ++i) {
    if (left < c.out.candidates[i].probability) return i;
    left -= c.out.candidates[i].probability;
  }
  return c.out.candidate_count - 1;
}

}  // namespace

void explore(Context& c) {
  c.out.chosen = 0;
  c.out.candidate_count = 0;
  c.ws.best_usd = c.out.usd;
  if (c.request.learning == nullptr) return;
  const Learner& learner = *c.request.learning->learner;
  const LearnerConfig& config = learner.config();
  c.ws.allowance = c.request.allowance.value_or(learner.allowance());
  const int oper = alternative_operator(c);
  list_candidates(c, single_llm(c, oper));
  c.out.candidates[0].probability = 1;
  const bool able = config.epsilon > 0 && config.temperature * c.request.value_usd > 0 && c.out.feasible();
  if (!able || !usable(c, oper)) c.out.candidate_count = c.out.learning ? 1 : 0;  // 0: as where nothing learns
  if (c.out.candidate_count <= 1) return;
  weigh(c, config);
  c.out.chosen = drawn(c, config);
  if (c.out.chosen == 0) return;
  only(c, oper, c.out.candidates[c.out.chosen].llm);
  plan(c);
  note(c.out, trace::Reason::explored);
}

}  // namespace turnout::stages
