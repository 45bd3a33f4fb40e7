#include "router/stages.hpp"

#include <algorithm>

#include "router/checks.hpp"

namespace turnout::stages {
namespace {

using trace::Reason;
using trace::Rule;

bool flagged(const std::vector<std::uint8_t>& flags, int i) {
  return !flags.empty() && flags[static_cast<std::size_t>(i)] != 0;
}

// The first rule that excludes an LLM, in the order in which a host would want to hear it.
Rule rule_of(const Context& c, const Constraints* constraints, int llm) {
  if (constraints != nullptr) {
    if (flagged(constraints->denied, llm)) return Rule::denied;
    if (!constraints->allowed.empty() && !flagged(constraints->allowed, llm)) return Rule::not_allowed;
    if ((constraints->needs & ~c.tables.policies[static_cast<std::size_t>(llm)]) != 0) return Rule::policy;
  }
  if (c.out.condition_count > 0 && c.out.conditions[llm].rule != Rule::none) return c.out.conditions[llm].rule;
  const auto& spec = c.snapshot.catalog.llms[static_cast<std::size_t>(llm)];
  return has_room(spec, c.tokens, c.scale(llm)) ? Rule::none : Rule::context;
}

}  // namespace

void keep_largest_windows(Context& c, Rule rule) {
  std::int64_t largest = -1;
  const auto& llms = c.snapshot.catalog.llms;
  for (int m = 0; m < c.tables.llms; ++m)
    if (c.out.rules[m] == rule) largest = std::max(largest, llms[static_cast<std::size_t>(m)].context_tokens);
  for (int m = 0; m < c.tables.llms; ++m)
    c.ws.usable[static_cast<std::size_t>(m)] =
        c.out.rules[m] == rule && llms[static_cast<std::size_t>(m)].context_tokens == largest;
  note(c.out, Reason::context_exceeded, largest >= 0);
}

void embed(const Snapshot& snapshot, const Request& request, embed::Workspace& ws, float* x, trace::Decision& out) {
  const auto embedded = text_embedder(snapshot).embed(request.text, ws, x);
  if (request.in_tokens < 0) out.in_tokens = embedded.tokens;
  out.kept_tokens = embedded.kept;
  note(out, Reason::no_text, embedded.kept == 0);
  note(out, Reason::truncated, embedded.kept < embedded.tokens);
}

void assess(Context& c, difficulty::Assessment& a) {
  if (c.request.sample && !c.out.has(Reason::no_text)) c.snapshot.difficulty->sample(a, c.rng);
  c.out.difficulty = a.difficulty;
  c.out.logit = a.logit;
  c.out.floor = a.floor;
  c.out.output_scale = a.output_scale;
  for (int m = 0; m < c.tables.llms; ++m) c.ws.output_scale[static_cast<std::size_t>(m)] = c.tables.output_scale(m, a);
  c.out.domain_similarity = a.domain_similarity;
  note(c.out, Reason::out_of_domain, a.out_of_domain);
  note(c.out, Reason::sampled, c.request.sample);
}

void conditions(Context& c) {
  c.out.condition_count = static_cast<std::int32_t>(c.request.conditions.size());
  c.out.telemetry_version = c.request.telemetry_version;
  std::fill(c.ws.slowdown.begin(), c.ws.slowdown.end(), 1.0);
  for (std::size_t m = 0; m < c.request.conditions.size(); ++m) {
    const trace::Condition& now = c.out.conditions[m] = c.request.conditions[m];
    c.ws.quality[m] *= now.health;
    c.ws.slowdown[m] = now.slowdown;
    note(c.out, Reason::llm_unavailable, now.rule != Rule::none);
  }
}

void rules(Context& c) {
  c.out.llm_count = c.tables.llms;
  for (int m = 0; m < c.tables.llms; ++m) {
    c.out.rules[m] = rule_of(c, c.request.constraints, m);
    c.ws.usable[static_cast<std::size_t>(m)] = c.out.rules[m] == Rule::none;
  }
  const auto none = [&c] {
    return std::none_of(c.ws.usable.begin(), c.ws.usable.end(), [](std::uint8_t u) { return u != 0; });
  };
  if (none()) keep_largest_windows(c, Rule::context);
  note(c.out, Reason::no_llm_allowed, none());
}

void allocate(Context& c) {
  const auto& operators = c.snapshot.catalog.operators;
  auto& masks = c.ws.masks;
  if (c.ws.usable == c.tables.all_llms)
    masks = c.tables.masks;
  else
    operators::mask_operators(operators, c.tables.policies, c.ws.usable, c.tables.capability_kinds, masks);
  if (c.request.constraints != nullptr)
    for (std::size_t i = 0; i < masks.size(); ++i)
      if (flagged(c.request.constraints->disabled, static_cast<int>(i))) masks[i] = operators::Mask::disabled;
  operators::allocate(c.snapshot.operators, operators, c.tables.operators, masks, c.out.difficulty,
                      c.request.sample ? &c.rng : nullptr, c.out.allocation);
  const bool masked =
      std::any_of(masks.begin(), masks.end(), [](operators::Mask m) { return m != operators::Mask::usable; });
  note(c.out, Reason::operators_masked, masked);
  note(c.out, Reason::stopped_early, c.out.allocation.stopped_early);
  note(c.out, Reason::no_operator, c.out.allocation.count == 0);
}

}  // namespace turnout::stages
