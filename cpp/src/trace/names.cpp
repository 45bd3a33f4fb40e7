#include <array>

#include "turnout/trace.hpp"

namespace turnout::trace {

const char* reason_name(Reason reason) {
  static constexpr std::array<const char*, kReasons> names = {
      "no_text",           "truncated",         "out_of_domain",     "prior_operators",     "operators_masked",
      "stopped_early",     "operators_skipped", "single_call",       "limits_bind",         "label_cap",
      "budget_infeasible", "time_infeasible",   "context_exceeded",  "no_llm_allowed",      "no_operator",
      "no_capability",     "sampled",           "negative_utility",  "no_in_tokens",        "tools_withheld",
      "llm_unavailable",   "calls_infeasible",  "tokens_infeasible", "reservation_refused", "explored"};
  return names[static_cast<std::size_t>(reason)];
}

const char* rule_name(Rule rule) {
  static constexpr std::array<const char*, kRules> names = {"none",         "not_allowed", "denied", "policy",
                                                            "context",      "budget",      "time",   "tripped",
                                                            "rate_limited", "calls",       "tokens", "suspended"};
  return names[static_cast<std::size_t>(rule)];
}

const char* statistic_name(Statistic statistic) {
  static constexpr std::array<const char*, 3> names = {"p90", "mean", "cap"};
  return names[static_cast<std::size_t>(statistic)];
}

const char* stage_name(Stage stage) {
  static constexpr std::array<const char*, kStages> names = {"embed",     "difficulty", "capability",
                                                             "operators", "assign",     "plan"};
  return names[static_cast<std::size_t>(stage)];
}

}  // namespace turnout::trace
