// Philox4x64-10, a counter-based generator: the n-th number of a seed is a pure function of both, the same on every
// machine and thread. normal() and whatever else goes through log, cos or exp is the same on one machine: the C library
// picks their code by CPU. Source: Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011.
#pragma once

#include <array>
#include <cstdint>

namespace turnout {

class Philox {
 public:
  using Block = std::array<std::uint64_t, 4>;
  explicit Philox(std::uint64_t seed, std::uint64_t stream = 0) : key_{seed, stream} {}

  // The block of four numbers at a counter (counter words 1 to 3 are zero).
  Block block(std::uint64_t counter) const;

  // The next number of the stream, uniform over [0, 2^64).
  std::uint64_t next();
  // Uniform over [0, 1), 53 bits.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
  // Standard normal by Box-Muller (two uniforms a number: no hidden state).
  double normal();

 private:
  std::array<std::uint64_t, 2> key_;
  Block buffer_{};
  std::uint64_t counter_ = 0;
  int left_ = 0;
};

}  // namespace turnout
