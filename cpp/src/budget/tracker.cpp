#include "turnout/budget/tracker.hpp"

#include <cmath>
#include <string>

namespace turnout::budget {
namespace {

constexpr double kPerMillion = 1e-6;

double checked(double value, const std::string& path) {
  if (!(value >= 0 && std::isfinite(value))) throw Error(ErrorKind::input, path, "expected a finite number >= 0");
  return value;
}

}  // namespace

const char* action_name(Action action) {
  static constexpr const char* kNames[] = {"go_on", "dig", "pivot", "stop"};
  return kNames[static_cast<std::size_t>(action)];
}

Action decide(double share, const Bands& b) {
  if (!(1 >= b.go_on && b.go_on >= b.dig && b.dig >= b.pivot && b.pivot >= 0))
    throw Error(ErrorKind::config, "bands", "expected 1 >= go_on >= dig >= pivot >= 0");
  if (!(share >= 0 && share <= 1)) throw Error(ErrorKind::input, "share", "expected a number from 0 to 1");
  if (share >= b.go_on) return Action::go_on;
  if (share >= b.dig) return Action::dig;
  return share >= b.pivot ? Action::pivot : Action::stop;
}

Usd unified_cost(double tokens_in, double tokens_out, double usd_per_mtok_in, double usd_per_mtok_out,
                 std::span<const double> calls, std::span<const double> usd_per_call) {
  if (calls.size() != usd_per_call.size())
    throw Error(ErrorKind::input, "usd_per_call", "expected as many prices as tools");
  double usd = checked(tokens_in, "tokens_in") * checked(usd_per_mtok_in, "usd_per_mtok_in") * kPerMillion +
               checked(tokens_out, "tokens_out") * checked(usd_per_mtok_out, "usd_per_mtok_out") * kPerMillion;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const std::string at = "[" + std::to_string(i) + "]";
    usd += checked(calls[i], "calls" + at) * checked(usd_per_call[i], "usd_per_call" + at);
  }
  return Usd(checked(usd, "usd"));
}

}  // namespace turnout::budget
