// A bandit as bytes: its configuration, the number of selections, and of each arm its name, sums and inverse, so that
// the copy goes on with the same bits.
#include <algorithm>
#include <cmath>

#include "bandit/arm.hpp"
#include "bandit/checks.hpp"
#include "telemetry/bytes.hpp"

namespace turnout::bandit {
namespace {

using telemetry::ByteReader;
using telemetry::ByteWriter;

constexpr std::uint64_t kMagic = 0x3130746964646e62u;  // "bnddit01"

void put(ByteWriter& out, std::span<const double> values) {
  for (const double v : values) out.put(v);
}

void get(ByteReader& in, std::span<double> values) {
  for (double& v : values) {
    v = in.get<double>();
    in.expect(std::isfinite(v), "a number is not finite");
  }
}

std::string get_name(ByteReader& in) {
  std::string name;
  for (auto left = in.get<std::uint32_t>(); left > 0; --left) name.push_back(in.get<char>());
  return name;
}

LinearConfig get_config(ByteReader& in) {
  LinearConfig c;
  c.dim = in.get<std::int32_t>();
  const auto policy = in.get<std::uint32_t>();
  in.expect(policy < kPolicies, "there is no such policy");
  c.policy = static_cast<Policy>(policy);
  for (double* const field : {&c.alpha, &c.epsilon, &c.temperature, &c.ridge, &c.cost_weight})
    *field = in.get<double>();
  c.seed = in.get<std::uint64_t>();
  return c;
}

}  // namespace

std::vector<std::byte> LinearBandit::save() const {
  ByteWriter out(kMagic);
  out.put(static_cast<std::int32_t>(config_.dim));
  out.put(static_cast<std::uint32_t>(config_.policy));
  put(out, std::vector{config_.alpha, config_.epsilon, config_.temperature, config_.ridge, config_.cost_weight});
  out.put(config_.seed);
  out.put(selections_);
  out.put(static_cast<std::uint32_t>(arms_.size()));
  for (const auto& a : arms_) {
    out.put(static_cast<std::uint32_t>(a->name.size()));
    for (const char c : a->name) out.put(c);
    out.put(static_cast<std::uint32_t>(a->updates));
    for (const auto* const values : {&a->precision, &a->moment, &a->theta, &a->inverse}) put(out, *values);
  }
  return out.finish();
}

LinearBandit LinearBandit::load(std::span<const std::byte> bytes) {
  ByteReader in(bytes, kMagic, "snapshot");
  const LinearConfig config = get_config(in);
  try {
    validate(config);
  } catch (const Error& e) {
    throw Error(ErrorKind::input, "snapshot", e.what());
  }
  LinearBandit bandit(config);
  bandit.selections_ = in.get<std::uint64_t>();
  const auto arms = in.get<std::uint32_t>();
  in.expect(arms <= kMaxArms, "too many arms");
  for (std::uint32_t i = 0; i < arms; ++i) {
    const std::string name = get_name(in);
    in.expect(!name.empty() && bandit.find(name) < 0, "an arm's name is empty, or stands twice");
    bandit.add_arm(name);
    Arm& a = *bandit.arms_.back();
    a.updates = static_cast<int>(in.get<std::uint32_t>());
    in.expect(a.updates >= 0 && a.updates < kRefresh, "a count is out of range");
    for (auto* const values : {&a.precision, &a.moment, &a.theta, &a.inverse}) get(in, *values);
  }
  in.finish();
  return bandit;
}

}  // namespace turnout::bandit
