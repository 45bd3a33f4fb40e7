#include "turnout/graph/health.hpp"

#include <algorithm>
#include <string>

#include "turnout/graph/tool_graph.hpp"

namespace turnout::graph {
namespace {

void check(std::span<const double> column, std::size_t size, double most, const char* path) {
  if (column.size() != size)
    throw Error(ErrorKind::input, path,
                "expected " + std::to_string(size) + " numbers, got " + std::to_string(column.size()));
  for (std::size_t i = 0; i < size; ++i)
    if (!(column[i] >= 0 && column[i] <= most))
      throw Error(ErrorKind::input, std::string(path) + "[" + std::to_string(i) + "]",
                  "expected a number from 0 to " + (most == 1 ? std::string("1") : std::string("1e12")) + ", got " +
                      std::to_string(column[i]));
}

}  // namespace

void health_weights(const HealthColumns& c, std::span<double> out) {
  check(c.base, out.size(), kMaxWeight, "base");
  check(c.latency_ms, out.size(), kMaxWeight, "latency_ms");
  check(c.reliability, out.size(), 1, "reliability");
  check(c.rate_limit_proximity, out.size(), 1, "rate_limit_proximity");
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = c.base[i] * std::max(0.5, c.latency_ms[i] / 100) * (1 / std::max(0.01, c.reliability[i])) *
             (1 + 5 * c.rate_limit_proximity[i]);
}

}  // namespace turnout::graph
