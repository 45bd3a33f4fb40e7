#include "turnout/catalog.hpp"

#include <algorithm>

#include "catalog/checks.hpp"

namespace turnout::catalog {

const char* kind_name(Kind kind) {
  static constexpr const char* kNames[kKinds] = {"tool", "agent", "code", "retrieval"};
  const auto k = static_cast<int>(kind);
  return k < kKinds ? kNames[k] : "unknown";
}

double curve_at(const std::vector<double>& curve, double c) {
  constexpr int kLast = kCurveKnots - 1;
  const double x = c > 0 ? std::min(c, 1.0) * kLast : 0;  // NaN counts as 0: it must not become an index
  const int k = std::min(static_cast<int>(x), kLast - 1);
  const auto low = curve[static_cast<std::size_t>(k)], high = curve[static_cast<std::size_t>(k) + 1];
  return low + (x - k) * (high - low);
}

void validate(const std::vector<Capability>& capabilities) {
  unique_ids("capabilities", capabilities);
  for (std::size_t i = 0; i < capabilities.size(); ++i) {
    const Where where{"capabilities", i};
    if (static_cast<int>(capabilities[i].kind) >= kKinds)
      fail(where.field("kind"), "a known kind", std::to_string(static_cast<int>(capabilities[i].kind)));
    where.at_most("usd_per_call", capabilities[i].usd_per_call, kMaxUsdPerCall);
    where.at_most("seconds", capabilities[i].seconds, kMaxSeconds);
  }
}

void Catalog::validate() const {
  catalog::validate(llms);
  catalog::validate(operators);
  catalog::validate(capabilities);
}

}  // namespace turnout::catalog
