#include <algorithm>

#include "catalog/checks.hpp"
#include "turnout/catalog.hpp"

namespace turnout::catalog {
namespace {

constexpr double kWeightTolerance = 1e-9;
constexpr std::uint32_t kAllKinds = (1u << kKinds) - 1;

void check_slot(const Where& where, const Slot& slot) {
  if (slot.rounds < 1) fail(where.field("rounds"), "a number >= 1", std::to_string(slot.rounds));
  if (slot.calls < slot.rounds)
    fail(where.field("calls"), "at least its rounds (" + std::to_string(slot.rounds) + ")", std::to_string(slot.calls));
  if (slot.calls > kMaxCalls)
    fail(where.field("calls"), "at most " + std::to_string(kMaxCalls), std::to_string(slot.calls));
  where.at_most("in_mult", slot.in_mult, kMaxMultiple);
  where.at_most("in_extra", slot.in_extra, kMaxTokens);
  where.at_most("out_mult", slot.out_mult, kMaxMultiple);
  where.unit_interval("weight", slot.weight);
}

void check_slots(const Where& where, const Operator& op) {
  const std::string slots = where.field("slots");
  if (op.slots.empty()) fail(slots, "at least one slot (only an operator that stops has none)", "none");
  if (op.slots.size() > static_cast<std::size_t>(kMaxNodes))
    fail(slots, "at most " + std::to_string(kMaxNodes) + " slots", std::to_string(op.slots.size()));
  double sum = 0;
  for (std::size_t s = 0; s < op.slots.size(); ++s) {
    check_slot({slots, s}, op.slots[s]);
    sum += op.slots[s].weight;
  }
  if (std::abs(sum - 1) > kWeightTolerance) fail(slots, "weights that sum to 1", text(sum));
}

void check_curve(const Where& where, const std::vector<double>& curve) {
  if (curve.size() != static_cast<std::size_t>(kCurveKnots))
    fail(where.field("curve"), std::to_string(kCurveKnots) + " values", std::to_string(curve.size()));
  for (std::size_t k = 0; k < curve.size(); ++k) {
    where.unit_interval({"curve", k}, curve[k]);
    if (k > 0 && curve[k] < curve[k - 1])
      fail(where.field({"curve", k}), "at least the value before it (" + text(curve[k - 1]) + ")", text(curve[k]));
  }
}

void check_llms(const Where& where, const Operator& op) {
  if (op.min_llms < 1) fail(where.field("min_llms"), "a number >= 1", std::to_string(op.min_llms));
  if (op.distinct && op.min_llms < static_cast<int>(op.slots.size()))
    fail(where.field("min_llms"), "one LLM a slot (" + std::to_string(op.slots.size()) + "), for they are distinct",
         std::to_string(op.min_llms));
}

void check_stop(const Where& where, const Operator& op) {
  if (!op.slots.empty()) fail(where.field("slots"), "none, for it stops", std::to_string(op.slots.size()));
  if (op.generates) fail(where.field("generates"), "false, for it stops", "true");
}

void check_work(const Where& where, const Operator& op) {
  where.unit_interval("fix", op.fix);
  where.unit_interval("break", op.break_);
  if (op.generates && op.fix == 0) fail(where.field("fix"), "a number > 0, for it generates", "0");
  check_curve(where, op.curve);
  check_slots(where, op);
  check_llms(where, op);
}

}  // namespace

void validate(const std::vector<Operator>& operators) {
  if (operators.size() > static_cast<std::size_t>(kMaxOperators))
    fail("operators", "at most " + std::to_string(kMaxOperators) + " operators", std::to_string(operators.size()));
  unique_ids("operators", operators);
  for (std::size_t i = 0; i < operators.size(); ++i) {
    const Where where{"operators", i};
    operators[i].stops ? check_stop(where, operators[i]) : check_work(where, operators[i]);
    if (operators[i].needs_capability & ~kAllKinds)
      fail(where.field("needs_capability"), "bits of known kinds", std::to_string(operators[i].needs_capability));
  }
  if (std::none_of(operators.begin(), operators.end(), [](const Operator& op) { return op.generates; }))
    fail("operators", "at least one operator that generates", "none");
}

}  // namespace turnout::catalog
