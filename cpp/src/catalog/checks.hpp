// The checks that every table of the catalog shares. Each throws Error(config) with the path to the culprit.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "turnout/core.hpp"

namespace turnout::catalog {

// As a person would write it: -1, 0.25, nan.
inline std::string text(double x) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.12g", x);
  return buffer;
}

inline std::string at(std::string_view list, std::size_t i) {
  return std::string(list) + "[" + std::to_string(i) + "]";
}

[[noreturn]] inline void fail(const std::string& path, const std::string& expected, const std::string& got) {
  throw Error(ErrorKind::config, path, "expected " + expected + ", got " + got);
}

// A field, or an entry of one that is a list: "curve[3]".
struct Field {
  Field(const char* field) : name(field) {}
  Field(std::string_view field, std::size_t i) : name(field), entry(static_cast<std::ptrdiff_t>(i)) {}
  std::string text() const { return entry < 0 ? std::string(name) : at(name, static_cast<std::size_t>(entry)); }

  std::string_view name;
  std::ptrdiff_t entry = -1;
};

// The path is put together only when a check fails.
struct Where {
  std::string_view list;
  std::size_t index;
  std::string field(const Field& name) const { return at(list, index) + "." + name.text(); }

  void finite(const Field& name, double x) const {
    if (!std::isfinite(x)) fail(field(name), "a finite number", text(x));
  }
  void not_negative(const Field& name, double x) const {
    if (!(x >= 0 && std::isfinite(x))) fail(field(name), "a number >= 0", text(x));
  }
  void at_most(const Field& name, double x, double most) const {
    if (!(x >= 0 && x <= most)) fail(field(name), x >= 0 ? "at most " + text(most) : "a number >= 0", text(x));
  }
  void within(const Field& name, double x, double most) const {
    if (!(std::abs(x) <= most)) fail(field(name), "a number from -" + text(most) + " to " + text(most), text(x));
  }
  void positive(const Field& name, double x) const {
    if (!(x > 0 && std::isfinite(x))) fail(field(name), "a number > 0", text(x));
  }
  void unit_interval(const Field& name, double x) const {
    if (!(x >= 0 && x <= 1)) fail(field(name), "a number in [0, 1]", text(x));
  }
};

// Every id is there once.
template <class T>
void unique_ids(std::string_view list, const std::vector<T>& entries) {
  std::unordered_map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const Where where{list, i};
    if (entries[i].id.empty()) fail(where.field("id"), "a name", "\"\"");
    const auto [first, added] = seen.emplace(entries[i].id, i);
    if (!added)
      throw Error(ErrorKind::config, where.field("id"),
                  "\"" + entries[i].id + "\" is the id of " + at(list, first->second) + " too");
  }
}

}  // namespace turnout::catalog
