#include "turnout/state.hpp"

namespace turnout::state {

const char* failure_name(Failure failure) {
  static constexpr const char* kNames[kFailures] = {"none",    "timeout", "rate_limited", "unavailable",
                                                    "refused", "invalid", "other"};
  return kNames[static_cast<int>(failure)];
}

const char* receipt_name(Receipt receipt) {
  static constexpr const char* kNames[kReceipts] = {"accepted", "duplicate", "expired", "unknown"};
  return kNames[static_cast<int>(receipt)];
}

}  // namespace turnout::state
