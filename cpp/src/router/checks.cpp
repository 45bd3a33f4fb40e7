#include "router/checks.hpp"

#include <algorithm>

#include <cmath>
#include <cstdio>
#include <string>

namespace turnout {
namespace {

constexpr double kNormSlack = 0.01;  // float16 vectors pass, other spaces do not

std::string text_of(double x) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.6g", x);
  return buffer;
}

[[noreturn]] void refuse(const std::string& path, const std::string& expected, const std::string& got) {
  throw Error(ErrorKind::input, path, "expected " + expected + ", got " + got);
}

std::string path_of(int row) { return row < 0 ? "query" : "queries[" + std::to_string(row) + "]"; }

void check_limit(double value, const char* path) {
  if (!(value >= 0)) refuse(path, "a number >= 0", text_of(value));
}

void check_worth(double value, const char* path) {
  if (!(value >= 0 && value <= kMaxValueUsd)) refuse(path, "a number from 0 to 1e6", text_of(value));
}

void check_length(const std::vector<std::uint8_t>& flags, std::size_t expected, const char* path) {
  if (!flags.empty() && flags.size() != expected)
    refuse(path, std::to_string(expected) + " flags, as the router has", std::to_string(flags.size()));
}

void check_constraints(const Constraints& c, const catalog::Catalog& catalog) {
  check_length(c.allowed, catalog.llms.size(), "constraints.allowed");
  check_length(c.denied, catalog.llms.size(), "constraints.denied");
  check_length(c.disabled, catalog.operators.size(), "constraints.disabled");
  if (!(c.filter.cost_bias >= 0 && std::isfinite(c.filter.cost_bias)))
    refuse("constraints.cost_bias", "a number >= 0", text_of(c.filter.cost_bias));
}

void check_conditions(std::span<const trace::Condition> conditions, std::size_t llms) {
  if (!conditions.empty() && conditions.size() != llms)
    refuse("conditions", std::to_string(llms) + " of them, as the router has LLMs", std::to_string(conditions.size()));
  const auto path = [](std::size_t i, const char* field) { return "conditions[" + std::to_string(i) + "]." + field; };
  for (std::size_t i = 0; i < conditions.size(); ++i) {
    const trace::Condition& c = conditions[i];
    if (!(c.health >= 0 && c.health <= 1)) refuse(path(i, "health"), "a share from 0 to 1", text_of(c.health));
    if (!(c.slowdown > 0 && c.slowdown <= kMaxSlowdown))
      refuse(path(i, "slowdown"), "a number above 0, up to 1000", text_of(c.slowdown));
    const auto known = {trace::Rule::none, trace::Rule::tripped, trace::Rule::rate_limited, trace::Rule::suspended};
    if (std::find(known.begin(), known.end(), c.rule) == known.end())
      refuse(path(i, "rule"), "none, tripped, rate_limited or suspended", std::to_string(static_cast<int>(c.rule)));
  }
}

void check_norm(const float* x, int unit_dim, int dim, int row) {
  double square = 0;
  for (int i = 0; i < unit_dim; ++i) square += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  if (square == 0 || std::abs(std::sqrt(square) - 1) <= kNormSlack) return;
  for (int i = 0; i < unit_dim; ++i)
    if (!std::isfinite(x[i])) refuse(path_of(row) + "[" + std::to_string(i) + "]", "a finite number", text_of(x[i]));
  const std::string whole = unit_dim == dim ? "" : "whose first " + std::to_string(unit_dim) + " numbers are ";
  refuse(path_of(row), "a vector " + whole + "of norm 1, as embed() gives",
         "one of norm " + text_of(std::sqrt(square)));
}

}  // namespace

const embed::Embedder& text_embedder(const Snapshot& snapshot) {
  if (!snapshot.embedder)
    throw Error(ErrorKind::input, "query",
                "this router has no text embedder: pass a vector of '" + snapshot.names.embedder + "'");
  return *snapshot.embedder;
}

void check_owner(bool own_workspace) {
  if (!own_workspace) refuse("workspace", "one of this router", "another's");
}

void check_request(const Request& in, const Snapshot& snapshot, bool own_workspace) {
  check_owner(own_workspace);
  check_worth(in.value_usd, "value_usd");
  check_worth(in.usd_per_second, "usd_per_second");
  check_limit(in.budget.value, "budget_usd");
  check_limit(in.max_seconds.value, "max_seconds");
  if (in.tools < 0 || in.tools > kMaxTools)
    refuse("tools", "0 to " + std::to_string(kMaxTools), std::to_string(in.tools));
  if (in.statistic > trace::Statistic::cap)
    refuse("statistic", "p90, mean or cap", std::to_string(static_cast<int>(in.statistic)));
  if (in.max_calls < 0) refuse("max_calls", "a number >= 0", std::to_string(in.max_calls));
  check_limit(in.max_tokens, "max_tokens");
  check_conditions(in.conditions, snapshot.catalog.llms.size());
  if (in.constraints != nullptr) check_constraints(*in.constraints, snapshot.catalog);
}

void check_text(std::string_view text, int row) {
  if (text.size() > kMaxTextBytes)
    refuse(path_of(row), "at most " + std::to_string(kMaxTextBytes) + " bytes", std::to_string(text.size()));
}

void check_vector(const float* x, int unit_dim, int dim, int row) {
  check_norm(x, unit_dim, dim, row);
  for (int i = unit_dim; i < dim; ++i)
    if (!(std::abs(static_cast<double>(x[i])) <= embed::kMaxScore))
      refuse(path_of(row) + "[" + std::to_string(i) + "]", "a lexical score from -64 to 64", text_of(x[i]));
}

}  // namespace turnout
