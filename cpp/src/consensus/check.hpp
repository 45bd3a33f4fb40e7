// What the files of this room check at the door.
#pragma once

#include <cmath>
#include <span>
#include <string>

#include "turnout/consensus.hpp"

namespace turnout::consensus {

[[noreturn]] inline void refuse(const char* column, std::size_t i, const char* expected) {
  throw Error(ErrorKind::input, std::string(column) + "[" + std::to_string(i) + "]",
              std::string("expected ") + expected);
}

inline void check_length(const char* column, std::size_t got, std::size_t expected) {
  if (got != expected)
    throw Error(ErrorKind::input, column,
                "expected " + std::to_string(expected) + " values, got " + std::to_string(got));
}

inline void check_votes(const char* column, std::size_t votes) {
  if (votes > static_cast<std::size_t>(kMaxVotes))
    throw Error(ErrorKind::input, column,
                "expected at most " + std::to_string(kMaxVotes) + ", got " + std::to_string(votes));
}

inline void check_not_negative(const char* column, std::span<const double> values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!(values[i] >= 0 && std::isfinite(values[i]))) refuse(column, i, "a finite number >= 0");
}

inline void check_finite(const char* column, std::span<const double> values) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i])) refuse(column, i, "a finite number");
}

}  // namespace turnout::consensus
