// Small catalogs for the tests: one of each thing, valid until a test spoils a field.
#pragma once

#include <string>
#include <vector>

#include "turnout/catalog.hpp"

namespace tables {

using namespace turnout;

inline std::vector<double> identity_curve() {
  std::vector<double> curve(catalog::kCurveKnots);
  for (int k = 0; k < catalog::kCurveKnots; ++k)
    curve[static_cast<std::size_t>(k)] = static_cast<double>(k) / (catalog::kCurveKnots - 1);
  return curve;
}

inline catalog::Llm llm(const std::string& id) {
  catalog::Llm l;
  l.id = id;
  l.usd_per_mtok_in = 0.5;
  l.usd_per_mtok_out = 1.5;
  l.context_tokens = 8192;
  l.max_output_tokens = 2048;
  return l;
}

// An operator with `slots` equal slots.
inline catalog::Operator op(const std::string& id, bool generates, double fix, double breaks, int slots = 1) {
  catalog::Operator o;
  o.id = id;
  o.generates = generates;
  o.fix = fix;
  o.break_ = breaks;
  o.curve = identity_curve();
  o.slots.resize(static_cast<std::size_t>(slots));
  for (auto& slot : o.slots) slot.weight = 1.0 / slots;
  return o;
}

inline catalog::Operator stop() {
  catalog::Operator o;
  o.id = "early_stop";
  o.stops = true;
  return o;
}

inline catalog::Catalog small() {
  catalog::Catalog c;
  c.llms = {llm("a"), llm("b"), llm("c")};
  c.operators = {op("direct", true, 1, 1), op("ensemble", true, 1, 1, 3), op("review", false, 0.4, 0.1, 2), stop()};
  c.capabilities = {{"search", catalog::Kind::tool, "web search", 0, 0.001, 0.5}};
  return c;
}

}  // namespace tables
