#include "turnout/core/rng.hpp"

#include <cmath>
#include <numbers>

namespace turnout {
namespace {

constexpr std::uint64_t kMul0 = 0xD2E7470EE14C6C93u, kMul1 = 0xCA5A826395121157u;
constexpr std::uint64_t kWeyl0 = 0x9E3779B97F4A7C15u, kWeyl1 = 0xBB67AE8584CAA73Bu;
constexpr int kRounds = 10;

std::uint64_t mul_high(std::uint64_t a, std::uint64_t b, std::uint64_t& low) {
  __extension__ using u128 = unsigned __int128;
  const u128 product = static_cast<u128>(a) * b;
  low = static_cast<std::uint64_t>(product);
  return static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

Philox::Block Philox::block(std::uint64_t counter) const {
  Block c{counter, 0, 0, 0};
  auto [k0, k1] = key_;
  for (int round = 0; round < kRounds; ++round) {
    std::uint64_t low0, low1;
    const std::uint64_t high0 = mul_high(kMul0, c[0], low0);
    const std::uint64_t high1 = mul_high(kMul1, c[2], low1);
    c = {high1 ^ c[1] ^ k0, low1, high0 ^ c[3] ^ k1, low0};
    k0 += kWeyl0;
    k1 += kWeyl1;
  }
  return c;
}

std::uint64_t Philox::next() {
  if (left_ == 0) {
    buffer_ = block(++counter_);  // counters start at 1, as NumPy's Philox does
    left_ = 4;
  }
  return buffer_[static_cast<std::size_t>(4 - left_--)];
}

double Philox::normal() {
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

}  // namespace turnout
