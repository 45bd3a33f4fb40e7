// The assign stage: an Allocation becomes a Problem, its Solution becomes totals and reasons.
#include <algorithm>
#include <cmath>

#include "router/stages.hpp"

namespace turnout::stages {
namespace {

using trace::Reason;
using trace::Statistic;

turnout::assign::Stage stage_of(const Context& c, const operators::Choice& choice, int first_slot, bool first) {
  const auto& oper = c.snapshot.catalog.operators[choice.oper];
  turnout::assign::Stage stage;
  stage.first_slot = first_slot;
  stage.slots = static_cast<int>(oper.slots.size());
  stage.optional = !first;
  stage.parallel = oper.parallel;
  stage.distinct = oper.distinct;
  stage.fix = oper.fix;
  stage.break_ = oper.break_;
  stage.curve = oper.curve.data();
  stage.weights = c.tables.weights.data() + c.tables.first_slot[choice.oper];
  return stage;
}

// One row of the matrices: what a slot costs on every LLM, and which may take it.
void fill_row(Context& c, int row, int slot, catalog::Policy needs) {
  const int llms = c.tables.llms;
  const auto bound = static_cast<int>(c.request.statistic), mean = static_cast<int>(Statistic::mean);
  const std::size_t start = static_cast<std::size_t>(row) * static_cast<std::size_t>(llms);
  for (int m = 0; m < llms; ++m) {
    const std::size_t i = start + static_cast<std::size_t>(m);
    c.ws.usd[i] = c.usd(slot, m, mean);
    c.ws.usd_bound[i] = c.usd(slot, m, bound);
    c.ws.seconds[i] = c.seconds(slot, m, mean);
    c.ws.seconds_bound[i] = c.seconds(slot, m, bound);
    c.ws.allowed[i] =
        c.ws.usable[static_cast<std::size_t>(m)] && (needs & ~c.tables.policies[static_cast<std::size_t>(m)]) == 0;
  }
}

// Longer prompts of an operator may not fit where the bare query does.
void close_short_contexts(Context& c, int row, int slot) {
  if (c.out.has(Reason::context_exceeded)) return;
  const auto& llms = c.snapshot.catalog.llms;
  const double prompt = c.tables.input_tokens(slot, c.tokens);
  for (int m = 0; m < c.tables.llms; ++m) {
    if (!has_room(llms[static_cast<std::size_t>(m)], prompt, c.scale(m)))
      c.ws.allowed[static_cast<std::size_t>(row * c.tables.llms + m)] = 0;
  }
}

void build_stages(Context& c) {
  auto& ws = c.ws;
  ws.stages.clear();
  ws.slots.clear();
  ws.stage_of.clear();
  for (int i = 0; i < static_cast<int>(ws.choices.size()); ++i) {
    const auto& choice = ws.choices[static_cast<std::size_t>(i)];
    const auto& oper = c.snapshot.catalog.operators[choice.oper];
    ws.stages.push_back(stage_of(c, choice, static_cast<int>(ws.slots.size()), ws.stages.empty()));
    for (int s = 0; s < static_cast<int>(oper.slots.size()); ++s) {
      const int row = static_cast<int>(ws.slots.size()), slot = c.tables.first_slot[choice.oper] + s;
      fill_row(c, row, slot, oper.needs_llm);
      close_short_contexts(c, row, slot);
      ws.slots.push_back(slot);
      ws.stage_of.push_back(i);
    }
  }
}

turnout::assign::Problem problem_of(Context& c) {
  turnout::assign::Problem p;
  p.llms = c.tables.llms;
  p.slots = static_cast<int>(c.ws.slots.size());
  p.stages = c.ws.stages;
  p.quality = c.ws.quality.data();
  p.usd = c.ws.usd.data();
  p.usd_bound = c.ws.usd_bound.data();
  p.seconds = c.ws.seconds.data();
  p.seconds_bound = c.ws.seconds_bound.data();
  p.allowed = c.ws.allowed.data();
  p.value_usd = c.request.value_usd;
  p.usd_per_second = c.request.usd_per_second;
  p.budget = c.request.budget;
  p.max_seconds = c.request.max_seconds;
  return p;
}

void copy_totals(const turnout::assign::Solution& s, trace::Decision& out) {
  out.status = s.status;
  out.quality = s.quality;
  out.usd = s.usd.value;
  out.usd_bound = s.usd_bound.value;
  out.seconds = s.seconds.value;
  out.seconds_bound = s.seconds_bound.value;
  out.utility = s.utility;
  out.gap = s.gap;
  out.labels = s.labels;
}

bool holds_priors(const Context& c, const turnout::assign::Solution& s) {
  for (std::size_t i = 0; i < c.ws.choices.size(); ++i)
    if (!s.skipped[i] && !c.snapshot.catalog.operators[c.ws.choices[i].oper].measured) return true;
  return false;
}

void note_reasons(const Context& c, const turnout::assign::Solution& s, trace::Decision& out) {
  using turnout::assign::Status;
  note(out, Reason::limits_bind,
       s.status == Status::exact || s.status == Status::label_cap || s.status == Status::infeasible);
  note(out, Reason::label_cap, s.status == Status::label_cap);
  const bool infeasible = s.status == Status::infeasible;
  note(out, Reason::budget_infeasible, infeasible && s.usd_bound > c.request.budget);
  note(out, Reason::time_infeasible, infeasible && s.seconds_bound > c.request.max_seconds);
  note(out, Reason::no_llm_allowed, s.status == Status::no_candidate && !out.has(Reason::no_operator));
  note(out, Reason::prior_operators, s.status != Status::no_candidate && holds_priors(c, s));
  const auto stages = static_cast<std::ptrdiff_t>(c.ws.stages.size());
  note(out, Reason::negative_utility, s.status != Status::no_candidate && s.utility < 0);
  note(out, Reason::operators_skipped,
       s.status != Status::no_candidate && std::any_of(s.skipped, s.skipped + stages, [](bool b) { return b; }));
}

// How far a solution goes beyond the calls and tokens that are left. The search does not know of these two limits:
// operators whose calls do not fit are left out before it, and one call is compared after it.
struct Excess {
  std::int64_t calls = 0;
  double tokens = 0;
  bool none() const { return calls == 0 && tokens == 0; }
  bool operator==(const Excess&) const = default;
  bool operator<(const Excess& other) const {
    return calls != other.calls ? calls < other.calls : tokens < other.tokens;
  }
};

Excess excess_of(const Context& c) {
  std::int64_t calls = 0;
  double tokens = 0;
  for (std::size_t row = 0; row < c.ws.slots.size(); ++row) {
    const int slot = c.ws.slots[row], llm = c.ws.solution.llm[row];
    if (llm < 0) continue;
    calls += c.tables.slots[static_cast<std::size_t>(slot)].calls;
    tokens += c.tokens_of(slot, llm);
  }
  return {std::max<std::int64_t>(0, calls - c.request.max_calls), std::max(0.0, tokens - c.request.max_tokens)};
}

// A relative difference of utilities below it is rounding: one call is then what the plan comes to without its other
// stages.
constexpr double kRounding = 1e-9;

// What two ways to answer are compared by.
struct Worth {
  bool plan = false, feasible = false;
  double utility = 0, usd_bound = 0, seconds_bound = 0;
  Excess excess;

  // Limits first. While exploring, a drawn plan stands unless only one call meets the limits.
  bool beats(const Worth& other, bool exploring) const {
    if (!plan || !other.plan) return plan;
    if (feasible != other.feasible) return feasible;
    if (!feasible && excess != other.excess) return excess < other.excess;
    if (!feasible) return usd_bound <= other.usd_bound && seconds_bound <= other.seconds_bound;
    return !exploring && utility - other.utility > kRounding * (std::abs(utility) + std::abs(other.utility));
  }
};

Worth solve(Context& c) {
  build_stages(c);
  auto& s = c.ws.solution;
  s = turnout::assign::Solution();
  if (!c.ws.stages.empty()) turnout::assign::solve(problem_of(c), c.ws.assign, s);
  using turnout::assign::Status;
  Worth worth;
  worth.plan = s.status != Status::no_candidate;
  if (worth.plan) worth.excess = excess_of(c);
  worth.feasible = s.status != Status::infeasible && worth.excess.none();
  worth.utility = s.utility;
  worth.usd_bound = s.usd_bound.value;
  worth.seconds_bound = s.seconds_bound.value;
  return worth;
}

std::int64_t calls_of(const Context& c, int oper) {
  std::int64_t calls = 0;
  for (const auto& slot : c.snapshot.catalog.operators[static_cast<std::size_t>(oper)].slots) calls += slot.calls;
  return calls;
}

// The first operator, and of the others those whose calls are left.
void take_allocation(Context& c) {
  c.ws.choices.clear();
  std::int64_t left = c.request.max_calls;
  for (int i = 0; i < c.out.allocation.count; ++i) {
    const auto& choice = c.out.allocation.choices[i];
    if (c.snapshot.catalog.operators[choice.oper].stops) continue;
    const std::int64_t calls = calls_of(c, choice.oper);
    if (calls > left && !c.ws.choices.empty()) continue;
    c.ws.choices.push_back(choice);
    left = std::max<std::int64_t>(0, left - calls);
  }
}

// Whether take_allocation() left an operator out.
bool dropped(const Context& c) {
  int working = 0;
  for (int i = 0; i < c.out.allocation.count; ++i)
    working += c.snapshot.catalog.operators[c.out.allocation.choices[i].oper].stops ? 0 : 1;
  return !c.out.has(Reason::single_call) && static_cast<int>(c.ws.choices.size()) < working;
}

void take_single_call(Context& c, int oper) {
  operators::Choice choice;
  choice.oper = static_cast<std::uint8_t>(oper);
  c.ws.choices.assign(1, choice);
}

// The operator to answer with in one call, where the allocation is not that already; -1: none can be used.
int single_call(const Context& c) {
  const int oper = c.tables.alternative_operator;
  const auto& a = c.out.allocation;
  if (oper < 0 || a.count == 0 || c.ws.masks[static_cast<std::size_t>(oper)] != operators::Mask::usable) return -1;
  return a.count == 1 && a.choices[0].oper == oper ? -1 : oper;
}

void choose(Context& c) {
  const int single = single_call(c);
  Worth alone;
  if (single >= 0) {
    take_single_call(c, single);
    alone = solve(c);
  }
  take_allocation(c);
  const Worth planned = solve(c);
  if (single >= 0 && alone.beats(planned, c.request.sample)) {
    take_single_call(c, single);
    solve(c);
    note(c.out, Reason::single_call);
  }
}

// Limits on calls and tokens, which the search does not know.
void note_counts(Context& c) {
  if (c.out.status == turnout::assign::Status::no_candidate) return;
  const Excess excess = excess_of(c);
  note(c.out, Reason::operators_skipped, dropped(c));
  note(c.out, Reason::limits_bind, dropped(c) || !excess.none());
  note(c.out, Reason::calls_infeasible, excess.calls > 0);
  note(c.out, Reason::tokens_infeasible, excess.tokens > 0);
  if (!excess.none()) c.out.status = turnout::assign::Status::infeasible;
}

// The query fits some window, but no operator's prompt does.
bool prompts_too_long(const Context& c) {
  return c.ws.solution.status == turnout::assign::Status::no_candidate && !c.out.has(Reason::no_llm_allowed) &&
         !c.out.has(Reason::no_operator) && !c.out.has(Reason::context_exceeded);
}

// P(correct) of the plan by the outcome model alone, without what was learned and without telemetry.
double prior_of(Context& c) {
  if (c.ws.solution.status == turnout::assign::Status::no_candidate || c.ws.prior == c.ws.quality) return c.out.quality;
  turnout::assign::Problem problem = problem_of(c);
  problem.quality = c.ws.prior.data();
  turnout::assign::Solution solution = c.ws.solution;
  turnout::assign::evaluate(problem, solution);
  return solution.quality;
}

constexpr trace::Reasons kOfAssignment = trace::bit(Reason::limits_bind) | trace::bit(Reason::label_cap) |
                                         trace::bit(Reason::budget_infeasible) | trace::bit(Reason::time_infeasible) |
                                         trace::bit(Reason::no_llm_allowed) | trace::bit(Reason::prior_operators) |
                                         trace::bit(Reason::negative_utility) | trace::bit(Reason::operators_skipped) |
                                         trace::bit(Reason::single_call) | trace::bit(Reason::no_capability);

}  // namespace

void only(Context& c, int oper, int llm) {
  for (int m = 0; m < c.tables.llms; ++m) c.ws.usable[static_cast<std::size_t>(m)] = m == llm;
  c.out.reasons &= ~kOfAssignment;
  note(c.out, Reason::single_call);
  take_single_call(c, oper);
  solve(c);
  copy_totals(c.ws.solution, c.out);
  note_reasons(c, c.ws.solution, c.out);
  c.out.prior = prior_of(c);
}

void assign(Context& c) {
  choose(c);
  if (prompts_too_long(c)) {
    keep_largest_windows(c, trace::Rule::none);
    choose(c);
  }
  copy_totals(c.ws.solution, c.out);
  note_reasons(c, c.ws.solution, c.out);
  note_counts(c);
  c.out.prior = prior_of(c);
}

}  // namespace turnout::stages
