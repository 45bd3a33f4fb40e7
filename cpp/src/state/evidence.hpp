// What one replica has seen of each arm: exact integer sums, apart for the last epochs and folded together before them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "state/fixed.hpp"
#include "turnout/state/memory.hpp"

namespace turnout::state {

// Where each sum lies: six scalars, the moment [d], the precision [d (d + 1) / 2].
enum Sum : std::size_t { kWeight, kScore, kPrior, kUsd, kUsdExpected, kUsdCount, kMoment };
using Sums = std::vector<std::int64_t>;
inline std::size_t sum_count(int dim) {
  const auto d = static_cast<std::size_t>(dim);
  return kMoment + d + d * (d + 1) / 2;
}

using Context = std::span<const std::int32_t>;  // in fixed point

// What an outcome says of one arm, in fixed point.
struct Observation {
  std::int32_t arm = -1;
  bool scored = false, charged = false;
  std::int64_t weight = 0, score = 0, prior = 0;  // 2^-6, 2^-15, 2^-15
  std::int64_t usd = 0, usd_expected = 0;         // nano-USD
};

// The sums of one epoch. A snapshot may share them: see Copies.
struct Part {
  std::uint32_t epoch = 0;
  std::uint64_t stamp = 0;
  std::shared_ptr<Sums> sums;
};

// Who reads parts without the lock. While anyone does, a part that is older than the last copy is cloned before it is
// written. Under the lock that guards the parts.
struct Copies {
  int reading = 0;
  std::uint64_t stamp = 0;
};

struct ArmEvidence {
  std::uint64_t changes = 0;  // 0: nothing is known of it
  std::int64_t failures[kFailures] = {};
  Part base;                // of epochs that were folded, as of the last of them; without sums: none
  std::vector<Part> parts;  // by epoch
};

struct Slot {
  std::uint64_t replica = 0, sequence = 0;
  std::uint32_t epoch = 0;
  std::vector<ArmEvidence> arms;  // by the Memory's number
};

inline bool newer(std::uint32_t epoch, std::uint64_t sequence, const Slot& than) {
  return epoch != than.epoch ? epoch > than.epoch : sequence > than.sequence;
}

// Whether the sums have room; where they have not, nothing may be added.
bool has_room(const ArmEvidence& arm, std::uint32_t epoch, const Observation& o, Context x);
void add(ArmEvidence& arm, std::uint32_t epoch, const Observation& o, Context x, const Copies& copies);

// Folds the parts up to `last` into the base, oldest first: base = round(base * discount^(epochs between)) + part, to
// the nearest, halves to even. Where a sum would leave its range the base is halved first. False: there was nothing to
// fold.
bool fold(ArmEvidence& arm, std::uint32_t last, double discount);

// Adds discount^(now - epoch) times the sums, base first, then by epoch; still in units of fixed point.
void accumulate(const ArmEvidence& arm, std::uint32_t now, double discount, std::span<double> out);

}  // namespace turnout::state
