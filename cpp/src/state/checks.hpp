// Checks at the door of state. A path is built only for an error.
#pragma once

#include <concepts>
#include <cstdint>
#include <cstdio>
#include <string>

#include "turnout/core/error.hpp"

namespace turnout::state {

inline std::string element(const char* list, int i, const char* field) {
  return std::string(list) + "[" + std::to_string(i) + "]." + field;
}

[[noreturn]] inline void refuse(const std::string& path, const std::string& what) {
  throw Error(ErrorKind::input, path, what);
}

inline void check_integer(std::int64_t value, std::int64_t least, std::int64_t most, const char* path,
                          ErrorKind kind = ErrorKind::input) {
  if (value >= least && value <= most) [[likely]]
    return;
  const std::string expected =
      least == most ? std::to_string(least) : std::to_string(least) + " to " + std::to_string(most);
  throw Error(kind, path, "expected " + expected + ", got " + std::to_string(value));
}

[[noreturn]] inline void refuse_number(double value, double least, double most, const std::string& path,
                                       ErrorKind kind) {
  char text[96];
  std::snprintf(text, sizeof text, "expected a number from %g to %g, got %g", least, most, value);
  throw Error(kind, path, text);
}

// A number in [least, most]; NaN is none.
inline void check_number(double value, double least, double most, const char* path, ErrorKind kind = ErrorKind::input) {
  if (value >= least && value <= most) [[likely]]
    return;
  refuse_number(value, least, most, path, kind);
}
template <std::invocable Path>
void check_number(double value, double least, double most, const Path& path) {
  if (value >= least && value <= most) [[likely]]
    return;
  refuse_number(value, least, most, path(), ErrorKind::input);
}

}  // namespace turnout::state
