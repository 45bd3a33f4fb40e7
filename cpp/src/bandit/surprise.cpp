#include "turnout/bandit/surprise.hpp"

#include <algorithm>
#include <cmath>

#include "turnout/bandit/linear.hpp"
#include "turnout/core/error.hpp"

namespace turnout::bandit {
namespace {

constexpr int kChunk = 64;
constexpr double kSure = 0.01;  // predictions and drifted ones are no surer than that, lest one outcome decide

void expect(bool ok, const char* path, const char* what) {
  if (!ok) throw Error(ErrorKind::config, path, what);
}

// log P(score | q) / P(score | p), of a score in [0, 1].
double log_ratio(double p, double q, double score) {
  return score * std::log(q / p) + (1 - score) * std::log((1 - q) / (1 - p));
}

// Page's sum; a flag stays until the sum is back at 0.
struct Cusum {
  double sum = 0;
  bool alarm = false;
  void add(double step, double threshold) {
    sum = std::clamp(sum + step, 0.0, threshold);
    if (sum == threshold) alarm = true;
    if (sum == 0) alarm = false;
  }
};

}  // namespace

struct alignas(64) Surprise::Arm {
  std::mutex lock;
  std::atomic<bool> admitted = true, suspended = false;
  Cusum dead, up, down;
  int wait = 0, waited = 0;  // decisions between probes, and so far
  std::uint64_t outcomes = 0, deaths = 0, probes = 0;
};

struct Surprise::Chunk {
  Arm arms[kChunk];
};

Surprise::Surprise(int arms, const SurpriseConfig& config)
    : config_(config), threshold_(-std::log(config.false_alarm)) {
  expect(config.dead >= 0.001 && config.dead <= 0.5, "surprise.dead", "expected a number from 0.001 to 0.5");
  expect(config.drift >= 0.01 && config.drift <= 0.5, "surprise.drift", "expected a number from 0.01 to 0.5");
  expect(config.false_alarm >= 1e-12 && config.false_alarm <= 0.1, "surprise.false_alarm",
         "expected a number from 1e-12 to 0.1");
  expect(config.probe_after >= 1, "surprise.probe_after", "expected 1 or more");
  expect(config.probe_at_most >= config.probe_after && config.probe_at_most <= 1 << 30, "surprise.probe_at_most",
         "expected at least probe_after, at most 2^30");
  grow(arms);
}

Surprise::~Surprise() {
  for (auto& chunk : chunks_) delete chunk.load(std::memory_order_relaxed);
}

void Surprise::grow(int arms) {
  if (arms < 0 || arms > kMaxArms) throw Error(ErrorKind::input, "arms", "expected 0 to 4096");
  const std::lock_guard guard(growing_);
  for (int i = 0; i * kChunk < arms; ++i) {
    auto& chunk = chunks_[static_cast<std::size_t>(i)];
    if (chunk.load(std::memory_order_relaxed) == nullptr) chunk.store(new Chunk, std::memory_order_release);
  }
  arms_.store(std::max(arms, this->arms()), std::memory_order_release);
}

Surprise::Arm& Surprise::arm(int index) const {
  if (index < 0 || index >= arms()) throw Error(ErrorKind::input, "arm", "there is no such arm");
  Chunk* const chunk = chunks_[static_cast<std::size_t>(index / kChunk)].load(std::memory_order_acquire);
  return chunk->arms[index % kChunk];
}

bool Surprise::admits(int index) const { return arm(index).admitted.load(std::memory_order_acquire); }

void Surprise::forget(int index) {
  Arm& a = arm(index);
  const std::lock_guard guard(a.lock);
  if (a.suspended.load(std::memory_order_relaxed)) dead_.fetch_sub(1, std::memory_order_acq_rel);
  a.dead = a.up = a.down = {};
  a.wait = a.waited = 0;
  a.outcomes = a.deaths = a.probes = 0;
  a.suspended.store(false, std::memory_order_release);
  a.admitted.store(true, std::memory_order_release);
  changed();
}

void Surprise::observe(int index, double p, double score) {
  Arm& a = arm(index);
  if (!(p >= 0 && p <= 1)) throw Error(ErrorKind::input, "p", "expected a number from 0 to 1");
  if (!(score >= 0 && score <= 1)) throw Error(ErrorKind::input, "score", "expected a number from 0 to 1");
  const double sure = std::clamp(p, kSure, 1 - kSure);
  // Where death is no worse than what was predicted, nothing speaks for it.
  const double step = sure > config_.dead ? log_ratio(sure, config_.dead, score) : 0;
  const bool alive = step < 0 || (step == 0 && score > config_.dead);
  const std::lock_guard guard(a.lock);
  ++a.outcomes;
  const bool up = a.up.alarm, down = a.down.alarm, was_dead = a.suspended.load(std::memory_order_relaxed);
  a.up.add(log_ratio(sure, std::min(sure + config_.drift, 1 - kSure), score), threshold_);
  a.down.add(log_ratio(sure, std::max(sure - config_.drift, kSure), score), threshold_);
  if (was_dead && alive) {
    a.dead = {};
    a.suspended.store(false, std::memory_order_release);
    a.admitted.store(true, std::memory_order_release);
    dead_.fetch_sub(1, std::memory_order_acq_rel);
  } else if (!was_dead) {
    a.dead.add(step, threshold_);
    if (a.dead.sum == threshold_) {
      ++a.deaths;
      a.wait = config_.probe_after;
      a.waited = 0;
      a.suspended.store(true, std::memory_order_release);
      a.admitted.store(false, std::memory_order_release);
      dead_.fetch_add(1, std::memory_order_acq_rel);
    }
  }
  if (a.up.alarm != up || a.down.alarm != down || a.suspended.load(std::memory_order_relaxed) != was_dead) changed();
}

void Surprise::count(Arm& a, bool chosen) {
  const std::lock_guard guard(a.lock);
  if (!a.suspended.load(std::memory_order_relaxed)) return;
  const bool due = a.admitted.load(std::memory_order_relaxed);
  if (due && !chosen) return;
  if (due) {
    ++a.probes;
    a.wait = std::min(2 * a.wait, config_.probe_at_most);
    a.waited = 0;
    a.admitted.store(false, std::memory_order_release);
    changed();
  } else if (++a.waited >= a.wait) {
    a.admitted.store(true, std::memory_order_release);
    changed();
  }
}

void Surprise::decided(int index) {
  const int all = arms();
  if (index != -1) arm(index);
  if (dead_.load(std::memory_order_acquire) == 0) return;
  for (int i = 0; i < all; ++i)
    if (Arm& a = arm(i); a.suspended.load(std::memory_order_acquire)) count(a, i == index);
}

SurpriseState Surprise::state(int index) const {
  Arm& a = arm(index);
  const std::lock_guard guard(a.lock);
  SurpriseState s;
  s.dead = a.suspended.load(std::memory_order_relaxed);
  s.admitted = a.admitted.load(std::memory_order_relaxed);
  s.drifting_up = a.up.alarm;
  s.drifting_down = a.down.alarm;
  s.dead_evidence = a.dead.sum / threshold_;
  s.up_evidence = a.up.sum / threshold_;
  s.down_evidence = a.down.sum / threshold_;
  s.outcomes = a.outcomes;
  s.deaths = a.deaths;
  s.probes = a.probes;
  return s;
}

}  // namespace turnout::bandit
