// Memories, tickets and outcomes from a seed.
#pragma once

#include <string>
#include <vector>

#include "turnout/state.hpp"

namespace states {

using namespace turnout;
using namespace turnout::state;
using Data = std::vector<std::byte>;

inline constexpr int kDim = 3, kArms = 4;

inline Config config(std::uint64_t replica = 1, int dim = kDim) {
  Config c;
  c.dim = dim;
  c.space = "toy";
  c.replica = replica;
  c.ticket_prefix = static_cast<std::uint32_t>(100 + replica);
  c.tickets = 4096;
  c.epochs = 3;
  c.discount = 0.75;
  c.log_bytes = std::size_t{1} << 20;
  return c;
}

inline void add_arms(Memory& m, int arms = kArms) {
  for (int i = 0; i < arms; ++i) m.arm("llm-" + std::to_string(i));
}

// A plan of one to three steps, drawn from up to four candidates.
inline Ticket ticket(Philox& random, int dim = kDim, int arms = kArms) {
  const auto below = [&](int n) { return static_cast<int>(random.next() % static_cast<std::uint64_t>(n)); };
  Ticket t;
  t.dim = dim;
  t.value_usd = 0.01;
  t.usd_per_second = 0.001;
  t.prior = random.uniform();
  t.state_version = random.next() % 1000;
  for (int i = 0; i < dim; ++i) t.context[i] = static_cast<float>(4 * random.uniform() - 2);
  t.candidate_count = 1 + below(4);
  t.chosen = below(t.candidate_count);
  for (int i = 0; i < t.candidate_count; ++i)
    t.candidates[i] = {below(arms), 1.0 / t.candidate_count, random.uniform(), 0.001 * random.uniform(), 1};
  t.step_count = 1 + below(3);
  for (int i = 0; i < t.step_count; ++i) t.steps[i] = {below(arms), random.uniform(), 0.001 * random.uniform()};
  return t;
}

inline Outcome outcome(Philox& random) {
  Outcome o;
  if (random.next() % 8 == 0)
    o.failure = static_cast<Failure>(1 + random.next() % 6);
  else
    o.score = static_cast<double>(random.next() % 5) / 4;
  if (random.next() % 2 == 0) o.usd = 0.002 * random.uniform();
  return o;
}

inline Outcome scored(double score, double usd = kUnknown) {
  Outcome o;
  o.score = score;
  o.usd = usd;
  return o;
}
inline Outcome failed(Failure failure) {
  Outcome o;
  o.failure = failure;
  return o;
}

// A ticket of one step on this arm.
inline Ticket single(int arm, float feature = 1, double prior = 0.5) {
  Ticket t;
  t.dim = kDim;
  t.prior = prior;
  t.context[0] = feature;
  t.candidate_count = 1;
  t.candidates[0] = {arm, 1, prior, 0.001, 1};
  t.step_count = 1;
  t.steps[0] = {arm, prior, 0.001};
  return t;
}

}  // namespace states
