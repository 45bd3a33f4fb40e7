#include <cstddef>

#include "turnout/operators.hpp"

namespace turnout::operators {
namespace {

struct Pool {
  std::span<const catalog::Policy> policies;
  std::span<const std::uint8_t> usable;

  // Usable LLMs that offer all of `needs`.
  int count(catalog::Policy needs) const {
    int n = 0;
    for (std::size_t m = 0; m < usable.size(); ++m) n += usable[m] != 0 && (needs & ~policies[m]) == 0;
    return n;
  }
};

Mask mask_of(const catalog::Operator& oper, const Pool& pool, std::uint32_t capability_kinds) {
  if (oper.stops) return Mask::usable;
  if (pool.count(0) < oper.min_llms) return Mask::too_few_llms;
  if (oper.needs_llm != 0 && pool.count(oper.needs_llm) < oper.min_llms) return Mask::llm_policy;
  return (oper.needs_capability & ~capability_kinds) != 0 ? Mask::capability_kind : Mask::usable;
}

}  // namespace

const char* mask_name(Mask mask) {
  static constexpr const char* kNames[] = {"usable", "too_few_llms", "llm_policy", "capability_kind", "disabled"};
  return mask <= Mask::disabled ? kNames[static_cast<int>(mask)] : "unknown";
}

void mask_operators(const std::vector<catalog::Operator>& operators, std::span<const catalog::Policy> llm_policy,
                    std::span<const std::uint8_t> usable_llms, std::uint32_t capability_kinds, std::span<Mask> out) {
  const Pool pool{llm_policy, usable_llms};
  for (std::size_t i = 0; i < operators.size(); ++i) out[i] = mask_of(operators[i], pool, capability_kinds);
}

}  // namespace turnout::operators
