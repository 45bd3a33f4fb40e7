#include "router/tables.hpp"

#include <algorithm>
#include <cmath>

namespace turnout {
namespace {

using catalog::Llm;
using catalog::Slot;

constexpr double kMillion = 1e6;
constexpr int kMean = static_cast<int>(trace::Statistic::mean);
constexpr int kP90 = static_cast<int>(trace::Statistic::p90);
constexpr int kCap = static_cast<int>(trace::Statistic::cap);

std::int32_t output_cap(const Slot& slot, const Llm& llm) {
  const double wanted = std::ceil(kCapFactor * llm.output_tokens_p90 * slot.out_mult);
  return static_cast<std::int32_t>(std::min({wanted, static_cast<double>(llm.max_output_tokens), 1e9}));
}

// `stretch` is 1, or kCapFactor for the cap: prompts carry earlier answers, which run long too.
Line usd_line(const Slot& slot, const Llm& llm, double output_tokens, double stretch) {
  const double in = llm.usd_per_mtok_in / kMillion * stretch;
  const double fixed = llm.usd_per_call + llm.usd_per_mtok_out / kMillion * output_tokens + in * slot.in_extra;
  return {slot.calls * fixed, slot.calls * in * slot.in_mult};
}

double seconds(const Slot& slot, const Llm& llm, double output_tokens) {
  return slot.rounds * (llm.seconds_to_first_token + output_tokens * llm.seconds_per_output_token);
}

SlotCost slot_cost(const Slot& slot, const Llm& llm) {
  SlotCost cost;
  cost.max_output_tokens = output_cap(slot, llm);
  const double limit = static_cast<double>(llm.max_output_tokens);
  double output[3];
  output[kMean] = std::min(llm.output_tokens_mean * slot.out_mult, limit);
  output[kP90] = std::min(llm.output_tokens_p90 * slot.out_mult, limit);
  output[kCap] = cost.max_output_tokens;
  for (int i = 0; i < 3; ++i) {
    cost.usd[i] = usd_line(slot, llm, output[i], i == kCap ? kCapFactor : 1.0);
    cost.seconds[i] = seconds(slot, llm, output[i]);
  }
  return cost;
}

OutputCost output_cost(const Slot& slot, const Llm& llm) {
  OutputCost o;
  o.mean = llm.output_tokens_mean * slot.out_mult;
  o.p90 = llm.output_tokens_p90 * slot.out_mult;
  o.limit = static_cast<double>(llm.max_output_tokens);
  for (int i = 0; i < 3; ++i) o.usd_rest[i] = usd_line(slot, llm, 0, i == kCap ? kCapFactor : 1.0).base;
  o.usd_per_token = slot.calls * (llm.usd_per_mtok_out / kMillion);
  o.seconds_rest = slot.rounds * llm.seconds_to_first_token;
  o.seconds_per_token = slot.rounds * llm.seconds_per_output_token;
  return o;
}

std::uint32_t kinds_of(const std::vector<catalog::Capability>& capabilities) {
  std::uint32_t kinds = 0;
  for (const auto& c : capabilities) kinds |= catalog::kind_bit(c.kind);
  return kinds;
}

// Alternatives are priced as single calls: of the generating one-slot operators, the one with the fewest tokens.
int cheapest_single_call(const catalog::Catalog& c, const operators::Tables& t) {
  int best = -1;
  for (int i = 0; i < static_cast<int>(c.operators.size()); ++i) {
    const auto& o = c.operators[static_cast<std::size_t>(i)];
    if (!o.generates || o.slots.size() != 1) continue;
    if (best < 0 || t.relative_cost[static_cast<std::size_t>(i)] < t.relative_cost[static_cast<std::size_t>(best)])
      best = i;
  }
  return best;
}

void add_slot(const Slot& slot, const std::vector<Llm>& llms, Router::Tables& t) {
  t.slots.push_back(slot);
  t.weights.push_back(slot.weight);
  for (const Llm& llm : llms) {
    t.costs.push_back(slot_cost(slot, llm));
    t.outputs.push_back(output_cost(slot, llm));
  }
}

void add_operator(const catalog::Operator& oper, const std::vector<Llm>& llms, Router::Tables& t) {
  t.first_slot.push_back(static_cast<int>(t.slots.size()));
  for (const Slot& slot : oper.slots) add_slot(slot, llms, t);
}

void add_llm(const Llm& llm, std::size_t skills, Router::Tables& t) {
  t.policies.push_back(llm.policy);
  t.abilities.push_back(llm.ability);
  t.discriminations.push_back(llm.discrimination);
  for (std::size_t i = 0; i < skills; ++i)
    t.skills.push_back(i < llm.skill.size() ? static_cast<float>(llm.skill[i]) : 0.0f);
}

bool has_own_length(const Llm& llm) {
  return llm.length_gain != 1 ||
         std::any_of(llm.length_skill.begin(), llm.length_skill.end(), [](double v) { return v != 0; });
}

void add_lengths(const std::vector<Llm>& llms, std::size_t skills, Router::Tables& t) {
  if (std::none_of(llms.begin(), llms.end(), has_own_length)) return;
  for (const Llm& llm : llms) {
    t.length_gains.push_back(llm.length_gain);
    for (std::size_t i = 0; i < skills; ++i)
      t.length_skills.push_back(i < llm.length_skill.size() ? static_cast<float>(llm.length_skill[i]) : 0.0f);
  }
}

}  // namespace

std::int32_t Router::Tables::input_tokens(int slot, double tokens) const {
  const Slot& s = slots[static_cast<std::size_t>(slot)];
  return static_cast<std::int32_t>(std::min(std::ceil(s.in_mult * tokens + s.in_extra), 2e9));
}

std::int32_t Router::Tables::input_cap(int slot, double tokens) const {
  const Slot& s = slots[static_cast<std::size_t>(slot)];
  return static_cast<std::int32_t>(std::min(std::floor(kCapFactor * (s.in_mult * tokens + s.in_extra)), 2e9));
}

std::unique_ptr<const Router::Tables> make_tables(const Snapshot& snapshot) {
  auto t = std::make_unique<Router::Tables>();
  const auto& c = snapshot.catalog;
  t->llms = static_cast<int>(c.llms.size());
  for (const auto& llm : c.llms) add_llm(llm, static_cast<std::size_t>(snapshot.difficulty->skills()), *t);
  add_lengths(c.llms, static_cast<std::size_t>(snapshot.difficulty->skills()), *t);
  for (const auto& oper : c.operators) add_operator(oper, c.llms, *t);
  t->direct_slot = static_cast<int>(t->slots.size());
  add_slot(Slot{}, c.llms, *t);
  t->all_llms.assign(c.llms.size(), 1);
  t->capability_kinds = snapshot.capability ? kinds_of(c.capabilities) : 0;
  t->operators = operators::make_tables(c.operators);
  t->masks.resize(c.operators.size());
  operators::mask_operators(c.operators, t->policies, t->all_llms, t->capability_kinds, t->masks);
  t->alternative_operator = cheapest_single_call(c, t->operators);
  return t;
}

}  // namespace turnout
