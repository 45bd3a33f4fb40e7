// When an arm's outcomes are no longer what was predicted. A dead arm is to be suspended; drift is reported, not acted
// on. It is the present, not what was learned: nobody saves it. No clock: time is decisions.
//
// Each test is Page's CUSUM over log-likelihood ratios of outcomes: S = max(0, S + log P(score | H1) / P(score | H0)),
// alarm at S >= log(1 / false_alarm). H0: the score's mean is the predicted p. H1: it is `dead`, p + drift or
// p - drift. For any score in [0, 1] of mean p the ratio's mean is at most 1 (the exponential is convex), so that a
// false alarm takes 1 / false_alarm outcomes or more on average. Sources: Page, "Continuous inspection schemes",
// Biometrika 41 (1954); Lorden, "Procedures for reacting to a change in distribution", Annals of Mathematical
// Statistics 42 (1971), for that bound.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

namespace turnout::bandit {

struct SurpriseConfig {
  double dead = 0.02;         // score of a dead arm; in [0.001, 0.5]
  double drift = 0.15;        // of the score, either way, that is to be noticed; in [0.01, 0.5]
  double false_alarm = 1e-4;  // an outcome, of each test; in [1e-12, 0.1]
  int probe_after = 100;      // decisions until a suspended arm is admitted for one; doubled each time
  int probe_at_most = 6400;
};

struct SurpriseState {
  bool dead = false, drifting_up = false, drifting_down = false;
  bool admitted = true;                                // false: suspended, and no probe is due
  double dead_evidence = 0;                            // S, in units of the threshold: 1 is an alarm
  double up_evidence = 0, down_evidence = 0;           // likewise
  std::uint64_t outcomes = 0, deaths = 0, probes = 0;  // so far
};

// Any number of threads at once. decided() walks over the arms only while one is dead.
class Surprise {
 public:
  // Throws Error(config), "surprise.<field>".
  explicit Surprise(int arms, const SurpriseConfig& config = {});
  ~Surprise();

  int dead() const { return dead_.load(std::memory_order_acquire); }  // how many arms are
  int arms() const { return arms_.load(std::memory_order_acquire); }
  void grow(int arms);   // to more arms, up to 4,096. Error(input)
  void forget(int arm);  // what is known of it
  // Whether the arm may be chosen: it is not dead, or a probe is due. One load.
  bool admits(int arm) const;
  // A score in [0, 1] where p was predicted. A dead arm lives again by an outcome that p makes likelier than `dead`
  // does. Throws Error(input), nothing changed.
  void observe(int arm, double p, double score);
  // A decision was made, for `arm` (-1: for none of them). It takes that arm's probe where one is due, and counts for
  // the probes of all.
  void decided(int arm);
  SurpriseState state(int arm) const;
  // Changes when admits(), or a dead or drifting flag, of any arm may have.
  std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

 private:
  struct Arm;
  struct Chunk;
  Arm& arm(int index) const;
  void count(Arm& a, bool chosen);
  void changed() { version_.fetch_add(1, std::memory_order_acq_rel); }

  SurpriseConfig config_;
  double threshold_;
  std::atomic<int> arms_ = 0, dead_ = 0;
  std::atomic<std::uint64_t> version_ = 0;
  std::array<std::atomic<Chunk*>, 64> chunks_{};
  std::mutex growing_;
};

}  // namespace turnout::bandit
