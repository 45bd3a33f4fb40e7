// Drift: how far the arms' shares of each cluster's decisions moved between two windows. Reported, never acted on.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "turnout/telemetry/timeline.hpp"

namespace turnout::telemetry {

// Jensen-Shannon divergence, base 2, in [0, 1], of two lists of counts, with `smoothing` added to every count.
// Throws Error(input): lists of different lengths, nothing to compare, a count that is negative or not finite.
// Source: Lin, "Divergence measures based on the Shannon entropy", IEEE Trans. Inf. Theory 37 (1991).
double jensen_shannon(std::span<const double> p, std::span<const double> q, double smoothing = 0);

struct DriftConfig {
  double window_seconds = 3600;
  double smoothing = 0.5;  // added to every arm's count in both windows
  int min_count = 30;      // of each window; below, there is nothing to report
};

struct DriftReport {
  double divergence = 0;                // 0 where there is nothing to report
  std::uint64_t before = 0, after = 0;  // decisions in the two windows
  bool enough = false;
};

// Counts of the last three windows. Compared are the last two that are over. Adding is lock-free: a count carries the
// number of its window, so nothing is ever cleared.
class Drift {
 public:
  // Throws Error(config).
  Drift(int clusters, int arms, const DriftConfig& config = {});
  void record(int cluster, int arm, double now);
  DriftReport read(int cluster, double now) const;
  int clusters() const { return clusters_; }
  int arms() const { return arms_; }

 private:
  std::atomic<std::uint64_t>& cell(std::uint32_t window, int cluster, int arm) const;
  std::uint64_t count(std::uint32_t window, int cluster, int arm) const;
  std::uint32_t window(double now) const;
  void check(int cluster, double now) const;

  int clusters_, arms_;
  DriftConfig config_;
  std::unique_ptr<std::atomic<std::uint64_t>[]> cells_;
  mutable Timeline timeline_;
};

}  // namespace turnout::telemetry
