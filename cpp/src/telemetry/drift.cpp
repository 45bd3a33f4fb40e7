#include "turnout/telemetry/drift.hpp"

#include <algorithm>
#include <vector>

#include "telemetry/checks.hpp"

namespace turnout::telemetry {
namespace {

constexpr std::uint64_t kMostCells = std::uint64_t{1} << 24;
constexpr std::uint32_t kWindows = 3, kNumbers = 0xFFFFFFFF;  // a multiple of 3, so that rows follow each other

std::uint32_t before(std::uint32_t window) { return window == 1 ? kNumbers : window - 1; }

double total(std::span<const double> counts, double smoothing, const char* path) {
  double sum = 0;
  for (const double n : counts) {
    check_number(n, 0, 1e15, path, ErrorKind::input);
    sum += n + smoothing;
  }
  if (!(sum > 0)) throw Error(ErrorKind::input, path, "expected a count above 0");
  return sum;
}

double term(double p, double mean) { return p > 0 ? p * std::log2(p / mean) : 0; }

}  // namespace

double jensen_shannon(std::span<const double> p, std::span<const double> q, double smoothing) {
  if (p.size() != q.size())
    throw Error(ErrorKind::input, "q",
                "expected " + std::to_string(p.size()) + " counts, got " + std::to_string(q.size()));
  check_number(smoothing, 0, 1e6, "smoothing", ErrorKind::input);
  const double of_p = total(p, smoothing, "p"), of_q = total(q, smoothing, "q");
  double sum = 0;
  for (std::size_t i = 0; i < p.size(); ++i) {
    const double a = (p[i] + smoothing) / of_p, b = (q[i] + smoothing) / of_q, mean = (a + b) / 2;
    sum += (term(a, mean) + term(b, mean)) / 2;
  }
  return std::clamp(sum, 0.0, 1.0);
}

Drift::Drift(int clusters, int arms, const DriftConfig& config) : clusters_(clusters), arms_(arms), config_(config) {
  check_count(clusters, 1, 1 << 20, "drift.clusters");
  check_count(arms, 1, 1 << 20, "drift.arms");
  check_number(config.window_seconds, 1e-3, 1e9, "drift.window_seconds");
  check_number(config.smoothing, 0, 1e6, "drift.smoothing");
  check_count(config.min_count, 1, 1 << 30, "drift.min_count");
  const std::uint64_t cells = kWindows * std::uint64_t(clusters) * std::uint64_t(arms);
  check_count(static_cast<std::int64_t>(cells), 1, kMostCells, "drift.clusters");
  cells_ = std::make_unique<std::atomic<std::uint64_t>[]>(cells);
}

// 1 to kNumbers, then round again; 0 marks a cell that was never used.
std::uint32_t Drift::window(double now) const {
  const double number = std::floor(timeline_.at(now) / config_.window_seconds);
  return 1 + static_cast<std::uint32_t>(number - std::floor(number / kNumbers) * kNumbers);
}

std::atomic<std::uint64_t>& Drift::cell(std::uint32_t window, int cluster, int arm) const {
  const auto row = static_cast<std::size_t>(window % kWindows) * static_cast<std::size_t>(clusters_);
  return cells_[(row + static_cast<std::size_t>(cluster)) * static_cast<std::size_t>(arms_) +
                static_cast<std::size_t>(arm)];
}

void Drift::check(int cluster, double now) const {
  check_count(cluster, 0, clusters_ - 1, "cluster", ErrorKind::input);
  check_now(now);
}

void Drift::record(int cluster, int arm, double now) {
  check(cluster, now);
  check_count(arm, 0, arms_ - 1, "arm", ErrorKind::input);
  const std::uint32_t w = window(now);
  std::atomic<std::uint64_t>& c = cell(w, cluster, arm);
  std::uint64_t old = c.load(std::memory_order_relaxed), next;
  do {
    const std::uint64_t n = old >> 32 == w ? old & 0xFFFFFFFFu : 0;
    next = std::uint64_t{w} << 32 | std::min<std::uint64_t>(n + 1, 0xFFFFFFFFu);
  } while (!c.compare_exchange_weak(old, next, std::memory_order_relaxed));
}

std::uint64_t Drift::count(std::uint32_t window, int cluster, int arm) const {
  const std::uint64_t value = cell(window, cluster, arm).load(std::memory_order_relaxed);
  return value >> 32 == window ? value & 0xFFFFFFFFu : 0;
}

DriftReport Drift::read(int cluster, double now) const {
  check(cluster, now);
  const std::uint32_t last = before(window(now));
  std::vector<double> p, q;
  DriftReport out;
  for (int arm = 0; arm < arms_; ++arm) {
    const std::uint64_t m = count(before(last), cluster, arm), n = count(last, cluster, arm);
    out.before += m;
    out.after += n;
    p.push_back(static_cast<double>(m));
    q.push_back(static_cast<double>(n));
  }
  out.enough = std::min(out.before, out.after) >= static_cast<std::uint64_t>(config_.min_count);
  if (out.enough) out.divergence = jensen_shannon(p, q, config_.smoothing);
  return out;
}

}  // namespace turnout::telemetry
