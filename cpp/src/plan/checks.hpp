// Checks of columns, which the calls of this room share.
#pragma once

#include <cmath>
#include <cstdio>
#include <span>
#include <string>

#include "turnout/core/error.hpp"

namespace turnout::plan {

inline std::string element(const char* column, std::size_t i) {
  return std::string(column) + "[" + std::to_string(i) + "]";
}

inline void check_count(std::size_t got, std::size_t expected, const char* column, const char* of) {
  if (got != expected)
    throw Error(ErrorKind::input, column,
                "expected one a" + std::string(of[0] == 'e' ? "n " : " ") + of + " (" + std::to_string(expected) +
                    "), got " + std::to_string(got));
}

inline std::string shown(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

// NaN fails.
inline void check_between(double value, double low, double high, const std::string& path) {
  if (!(value >= low && value <= high))
    throw Error(ErrorKind::input, path,
                "expected a number in [" + shown(low) + ", " + shown(high) + "], got " + shown(value));
}

inline void check_column(std::span<const double> values, double low, double high, const char* column) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (!(values[i] >= low && values[i] <= high)) check_between(values[i], low, high, element(column, i));
}

// A row-major matrix. Infinite cells pass where `or_infinite`.
inline void check_cells(std::span<const double> values, std::size_t columns, double high, const char* name,
                        bool or_infinite = false) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if ((values[i] >= 0 && values[i] <= high) || (or_infinite && values[i] > high && std::isinf(values[i]))) continue;
    check_between(values[i], 0, high, element(name, i / columns) + "[" + std::to_string(i % columns) + "]");
  }
}

}  // namespace turnout::plan
