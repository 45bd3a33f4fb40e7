// The records that every batch of a log begins with: whose it is, and the names of the arms that it uses.
#pragma once

#include <string>

#include "state/checks.hpp"
#include "state/slot_bytes.hpp"
#include "state/ticket_bytes.hpp"

namespace turnout::state {

struct LogHead {
  std::uint32_t format = 0, dim = 0;
  std::uint64_t replica = 0;
  std::string_view space;
};

inline bool decode(Bytes payload, LogHead& out) {
  Reader in(payload);
  out.format = in.number<std::uint32_t>();
  out.dim = in.number<std::uint32_t>();
  out.replica = in.number<std::uint64_t>();
  out.space = in.text();
  return in.done();
}

inline bool matches(const LogHead& h, const Config& c) {
  return h.format == kFormat && h.dim == static_cast<std::uint32_t>(c.dim) && h.replica == c.replica &&
         h.space == c.space;
}

inline void check(const LogHead& h, const Config& c) {
  check_integer(h.format, kFormat, kFormat, "log.format");
  check_integer(h.dim, c.dim, c.dim, "log.dim");
  if (h.replica != c.replica)
    refuse("log.replica", "expected " + std::to_string(c.replica) + ", got " + std::to_string(h.replica));
  if (h.space != c.space) refuse("log.space", "expected '" + c.space + "', got '" + std::string(h.space) + "'");
}

inline bool decode_arm(Bytes payload, std::uint32_t& number, std::string_view& name) {
  if (payload.size() <= 4 || payload.size() > 4 + kMaxName) return false;
  number = Reader(payload).number<std::uint32_t>();
  name = text_of(payload.subspan(4));
  return number < kMaxArms;
}

}  // namespace turnout::state
