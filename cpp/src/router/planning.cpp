// The plan stage: call slots become nodes with dependencies and tools; LLMs are ranked as alternatives.
#include <algorithm>
#include <tuple>

#include "router/stages.hpp"

namespace turnout::stages {
namespace {

using trace::Alternative;
using trace::Node;
using trace::Rule;
using trace::Statistic;

Node node_of(const Context& c, int row, int stage) {
  const auto& ws = c.ws;
  const auto& choice = ws.choices[static_cast<std::size_t>(stage)];
  const int slot = ws.slots[static_cast<std::size_t>(row)], llm = ws.solution.llm[row];
  const auto& spec = c.tables.slots[static_cast<std::size_t>(slot)];
  const auto cell = static_cast<std::size_t>(row * c.tables.llms + llm);
  Node node;
  node.oper = choice.oper;
  node.layer = choice.layer;
  node.slot = static_cast<std::uint8_t>(slot - c.tables.first_slot[choice.oper]);
  node.stage = static_cast<std::uint8_t>(stage);
  node.llm = static_cast<std::int16_t>(llm);
  node.calls = spec.calls;
  node.rounds = spec.rounds;
  node.max_input_tokens = c.tables.input_cap(slot, c.tokens);
  node.max_output_tokens = c.tables.max_output_tokens(slot, llm, c.scale(llm));
  node.quality = ws.quality[static_cast<std::size_t>(llm)];
  node.prior = ws.prior[static_cast<std::size_t>(llm)];
  node.usd = ws.usd[cell];
  node.usd_bound = ws.usd_bound[cell];
  node.slowdown = ws.slowdown[static_cast<std::size_t>(llm)];
  node.seconds = ws.seconds[cell];
  node.seconds_bound = ws.seconds_bound[cell];
  if (spec.uses_tools) node.tools = static_cast<std::uint16_t>((1u << c.out.tool_count) - 1u);
  return node;
}

// Slots of a parallel operator depend on all of the operator before; other slots on the slot before.
void add_stage(Context& c, int first_row, int rows, int stage, bool parallel, plan::NodeSet& before) {
  plan::NodeSet mine = 0;
  for (int r = 0; r < rows; ++r) {
    Node& node = c.out.nodes[c.out.node_count];
    node = node_of(c, first_row + r, stage);
    node.depends_on = parallel || mine == 0 ? before : plan::NodeSet{1} << (c.out.node_count - 1);
    mine |= plan::NodeSet{1} << c.out.node_count++;
  }
  before = parallel ? mine : plan::NodeSet{1} << (c.out.node_count - 1);
}

void note_missing_tools(Context& c) {
  if (c.out.tool_count > 0) return;
  for (const Node& node : c.out.plan_nodes()) {
    const int slot = c.tables.first_slot[node.oper] + node.slot;
    if (c.tables.slots[static_cast<std::size_t>(slot)].uses_tools)
      c.out.reasons |= trace::bit(trace::Reason::no_capability);
  }
}

void measure(Context& c) {
  plan::NodeSet depends[kMaxNodes];
  double seconds[kMaxNodes];
  const auto n = static_cast<std::size_t>(c.out.node_count);
  for (std::size_t i = 0; i < n; ++i) {
    depends[i] = c.out.nodes[i].depends_on;
    seconds[i] = c.out.nodes[i].seconds;
  }
  c.out.metrics = plan::metrics({depends, n}, {seconds, n});
}

Rule rule_of(const Context& c, int slot, int llm, const catalog::Operator& oper) {
  const Rule rule = c.out.rules[llm];
  if (rule != Rule::none) return rule;
  if ((oper.needs_llm & ~c.tables.policies[static_cast<std::size_t>(llm)]) != 0) return Rule::policy;
  const auto& spec = c.snapshot.catalog.llms[static_cast<std::size_t>(llm)];
  return has_room(spec, c.tables.input_tokens(slot, c.tokens), c.scale(llm)) ? Rule::none : Rule::context;
}

Alternative alternative_of(const Context& c, int slot, int llm, const catalog::Operator& oper) {
  const auto bound = static_cast<int>(c.request.statistic), mean = static_cast<int>(Statistic::mean);
  Alternative a;
  a.llm = static_cast<std::int16_t>(llm);
  a.rule = rule_of(c, slot, llm, oper);
  a.quality = oper.fix * catalog::curve_at(oper.curve, c.ws.quality[static_cast<std::size_t>(llm)]);
  a.usd = c.usd(slot, llm, mean);
  a.usd_bound = c.usd(slot, llm, bound);
  a.seconds = c.seconds(slot, llm, mean);
  a.utility = c.request.value_usd * a.quality - a.usd - c.request.usd_per_second * a.seconds;
  if (a.rule == Rule::none && a.usd_bound > c.request.budget.value) a.rule = Rule::budget;
  if (a.rule == Rule::none && c.seconds(slot, llm, bound) > c.request.max_seconds.value) a.rule = Rule::time;
  const auto& spec = c.tables.slots[static_cast<std::size_t>(slot)];
  if (a.rule == Rule::none && spec.calls > c.request.max_calls) a.rule = Rule::calls;
  if (a.rule == Rule::none && c.tokens_of(slot, llm) > c.request.max_tokens) a.rule = Rule::tokens;
  return a;
}

bool better(const Alternative& a, const Alternative& b) {
  const auto key = [](const Alternative& x) { return std::tuple(x.rule != Rule::none, -x.utility, x.usd, x.llm); };
  return key(a) < key(b);
}

}  // namespace

int alternative_operator(const Context& c) {
  if (c.out.node_count > 0) {
    const int oper = c.out.nodes[0].oper;
    if (c.snapshot.catalog.operators[static_cast<std::size_t>(oper)].slots.size() == 1) return oper;
  }
  return c.tables.alternative_operator;
}

void plan(Context& c) {
  c.out.node_count = 0;
  c.out.metrics = {};
  if (c.out.status == turnout::assign::Status::no_candidate) return;
  plan::NodeSet before = 0;
  for (std::size_t s = 0; s < c.ws.stages.size(); ++s) {
    if (c.ws.solution.skipped[s]) continue;
    const auto& stage = c.ws.stages[s];
    const int choice = c.ws.stage_of[static_cast<std::size_t>(stage.first_slot)];
    add_stage(c, stage.first_slot, stage.slots, choice, stage.parallel, before);
  }
  note_missing_tools(c);
  measure(c);
}

void rank_alternatives(Context& c) {
  c.out.alternative_count = 0;
  const int chosen = alternative_operator(c);
  if (chosen < 0) return;
  const auto& oper = c.snapshot.catalog.operators[static_cast<std::size_t>(chosen)];
  const int slot = c.tables.first_slot[static_cast<std::size_t>(chosen)];
  for (int m = 0; m < c.tables.llms; ++m) {
    const Alternative a = alternative_of(c, slot, m, oper);
    // Kept sorted by insertion: at most kMaxAlternatives, most LLMs fall off the end at once.
    int at = c.out.alternative_count;
    if (at == kMaxAlternatives && !better(a, c.out.alternatives[at - 1])) continue;
    if (at < kMaxAlternatives)
      ++c.out.alternative_count;
    else
      --at;
    for (; at > 0 && better(a, c.out.alternatives[at - 1]); --at) c.out.alternatives[at] = c.out.alternatives[at - 1];
    c.out.alternatives[at] = a;
  }
}

}  // namespace turnout::stages
