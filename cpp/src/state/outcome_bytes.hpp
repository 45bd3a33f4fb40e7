// An outcome as the payload of its record.
#pragma once

#include "state/bytes.hpp"
#include "turnout/state/ticket.hpp"

namespace turnout::state {

inline constexpr std::size_t kOutcomeBytes = 59, kMaxNote = std::size_t{2} << 20;

struct OutcomeRecord {
  std::uint64_t sequence = 0, ticket = 0;
  int node = -1;
  bool learn = true;
  Outcome outcome;
};

inline void encode(std::uint64_t ticket, int node, const Outcome& o, bool learn, std::uint64_t sequence,
                   std::byte (&out)[kOutcomeBytes]) {
  Put put(out);
  put.number(sequence).number(ticket).number(static_cast<std::int8_t>(node));
  put.number(static_cast<std::uint8_t>(o.failure)).number(static_cast<std::uint8_t>(learn));
  put.number(o.score).number(o.usd).number(o.in_tokens).number(o.out_tokens).number(o.seconds);
}

// False: these are no outcome's bytes. Its numbers are checked by check().
inline bool decode(Bytes payload, OutcomeRecord& out) {
  Reader in(payload);
  out.sequence = in.number<std::uint64_t>();
  out.ticket = in.number<std::uint64_t>();
  out.node = in.number<std::int8_t>();
  const auto failure = in.number<std::uint8_t>(), learn = in.number<std::uint8_t>();
  for (double* x :
       {&out.outcome.score, &out.outcome.usd, &out.outcome.in_tokens, &out.outcome.out_tokens, &out.outcome.seconds})
    *x = in.number<double>();
  out.learn = learn == 1;
  out.outcome.failure = static_cast<Failure>(failure);
  return in.done() && failure < kFailures && learn <= 1;
}

}  // namespace turnout::state
