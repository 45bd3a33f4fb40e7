// The assign stage: an Allocation becomes a Problem, its Solution becomes totals and reasons.
#include <algorithm>

#include "router/stages.hpp"

namespace turnout::stages {
namespace {

using trace::Reason;
using trace::Statistic;

void note(trace::Decision& out, Reason reason, bool when) {
  if (when) out.reasons |= trace::bit(reason);
}

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
  const SlotCost* costs = c.tables.costs.data() + static_cast<std::size_t>(slot) * static_cast<std::size_t>(llms);
  for (int m = 0; m < llms; ++m) {
    const std::size_t i = start + static_cast<std::size_t>(m);
    c.ws.usd[i] = costs[m].usd[mean].at(c.tokens);
    c.ws.usd_bound[i] = costs[m].usd[bound].at(c.tokens);
    c.ws.seconds[i] = costs[m].seconds[mean];
    c.ws.seconds_bound[i] = costs[m].seconds[bound];
    c.ws.allowed[i] = c.ws.usable[static_cast<std::size_t>(m)] && (needs & ~c.tables.policies[static_cast<std::size_t>(m)]) == 0;
  }
}

// Longer prompts of an operator may not fit where the bare query does.
void close_short_contexts(Context& c, int row, int slot) {
  if (c.out.has(Reason::context_exceeded)) return;
  const auto& llms = c.snapshot.catalog.llms;
  const double prompt = c.tables.input_tokens(slot, c.tokens);
  for (int m = 0; m < c.tables.llms; ++m) {
    const auto& llm = llms[static_cast<std::size_t>(m)];
    const double room = static_cast<double>(llm.context_tokens) - prompt;
    if (room < std::min<double>(llm.output_tokens_mean, static_cast<double>(llm.max_output_tokens)))
      c.ws.allowed[static_cast<std::size_t>(row * c.tables.llms + m)] = 0;
  }
}

void build_stages(Context& c) {
  auto& ws = c.ws;
  ws.stages.clear();
  ws.slots.clear();
  ws.stage_of.clear();
  for (int i = 0; i < c.out.allocation.count; ++i) {
    const auto& choice = c.out.allocation.choices[i];
    const auto& oper = c.snapshot.catalog.operators[choice.oper];
    if (oper.stops) continue;
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

void note_reasons(const Context& c, const turnout::assign::Solution& s, trace::Decision& out) {
  using turnout::assign::Status;
  note(out, Reason::limits_bind, s.status == Status::exact || s.status == Status::label_cap || s.status == Status::infeasible);
  note(out, Reason::label_cap, s.status == Status::label_cap);
  const bool infeasible = s.status == Status::infeasible;
  note(out, Reason::budget_infeasible, infeasible && s.usd_bound > c.request.budget);
  note(out, Reason::time_infeasible, infeasible && s.seconds_bound > c.request.max_seconds);
  note(out, Reason::no_llm_allowed, s.status == Status::no_candidate && !out.has(Reason::no_operator));
  const auto stages = static_cast<std::ptrdiff_t>(c.ws.stages.size());
  note(out, Reason::operators_skipped, s.status != Status::no_candidate && std::any_of(s.skipped, s.skipped + stages, [](bool b) { return b; }));
}

}  // namespace

void assign(Context& c) {
  build_stages(c);
  auto& solution = c.ws.solution;
  solution = turnout::assign::Solution();
  if (!c.ws.stages.empty()) turnout::assign::solve(problem_of(c), c.ws.assign, solution);
  copy_totals(solution, c.out);
  note_reasons(c, solution, c.out);
}

}  // namespace turnout::stages
