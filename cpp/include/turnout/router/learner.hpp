// What was learned, joined to decisions: it corrects the outcome model, explores where it may, and remembers tickets.
//
// Of LLM m on a query with features x: P(correct) = clamp(prior + theta_m . x, 0, 1), where `prior` is the bundle's
// outcome model and theta_m a ridge regression of (score - prior) on x. A correction that its own uncertainty could
// explain is shrunk to 0 (positive-part James-Stein), for only the chosen LLM learns: one that had bad luck would be
// left and never corrected. Without outcomes every bit is as without a learner. Of its prices: USD = the catalog's,
// times a ratio of observed to expected USD that is shrunk to 1. docs/adr/0008-learning.md has the choices.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "turnout/bandit/posterior.hpp"
#include "turnout/bandit/surprise.hpp"
#include "turnout/difficulty.hpp"
#include "turnout/state/memory.hpp"
#include "turnout/trace.hpp"

namespace turnout {

class Router;

// What is logged for `turnout replay`: nothing, or each decision with its options and the query's vector, or its text.
enum class Notes : std::uint8_t { none, vectors, texts };

// Which P(correct) decides: the posterior's mean, its upper bound mean + width * deviation (LinUCB), or a draw from
// N(mean, (width * deviation)^2) (Thompson sampling).
enum class Strategy : std::uint8_t { mean, ucb, thompson };

// Features of a query: 1, then these, in this order.
struct Features {
  bool logit = false;   // of the difficulty, over 4
  bool domains = true;  // P(domain)
  bool latent = false;  // the VAE's mean
  int dim(const difficulty::Tables& tables) const;
  void fill(const difficulty::Tables& tables, const difficulty::Assessment& a, float* x) const;
};

struct LearnerConfig {
  Features features;
  double ridge = 10;      // prior precision: as if by so many outcomes that the outcome model had right
  double gate = 2.5;      // standard deviations up to which a correction downwards is none; 0: all count
  double gate_up = 1;     // likewise upwards
  double usd_prior = 20;  // outcomes by which the ratio of USD is shrunk to 1
  Strategy strategy = Strategy::mean;
  double width = 0;
  double epsilon = 0;         // probability that a plan is drawn from a softmax over the feasible ones
  double temperature = 0.05;  // of that softmax over utilities, in multiples of value_usd
  double quality_floor = 0;   // least P(correct) of a plan that may be drawn instead of the best one
  double budget_share = 1;    // of all USD decided on, what drawn plans may cost beyond the best ones, in all
  bool suspend = true;        // leave an LLM out whose outcomes say that it is dead
  Notes notes = Notes::none;
  std::uint64_t seed = 0;  // of draws
};

// What is left of a correction where one up to its noise may be chance: none of a smaller one, almost all of a far
// larger.
double believed(double shift, const LearnerConfig& config, double deviation);

class Learner {
 public:
  struct Arm {
    std::uint64_t version = 0;
    bandit::Posterior posterior;
    double weight = 0;     // of outcomes with a score, discounted
    bool sound = true;     // false: sums that no outcomes can have left, of a broken peer; then nothing is corrected
    double usd_ratio = 1;  // observed over expected, shrunk and clamped to [1 / 8, 8]
  };
  // Immutable; a decision holds the one it reads.
  struct Model {
    std::uint64_t version = 0;
    std::vector<std::shared_ptr<const Arm>> arms;  // null: no outcome yet
  };

  // Throws Error(config) with the path to the culprit.
  Learner(std::shared_ptr<state::Memory> memory, const LearnerConfig& config);

  const LearnerConfig& config() const { return config_; }
  state::Memory& memory() { return *memory_; }
  // Of everything reported so far.
  std::shared_ptr<const Model> model();
  state::Receipt report(std::uint64_t ticket, int node, const state::Outcome& outcome);

  // Of P(correct), on a query of no particular domain.
  double correction(const Arm& arm) const;

  bool frozen() const { return frozen_.load(std::memory_order_relaxed); }
  void freeze(bool frozen) { frozen_.store(frozen, std::memory_order_relaxed); }

  // Numbers of draws, `n` in a row; the n-th draw of a seed is the same everywhere.
  std::uint64_t draws(std::uint64_t n) { return draws_.fetch_add(n, std::memory_order_relaxed); }
  // USD by which drawn plans may still cost more than the best ones, by `budget_share` of all that was decided on.
  double allowance() const;
  void decided(double usd, double extra);
  // That a plan asks these arms: one of them may be a probe. None of them: a decision without a plan.
  void asked(std::span<const state::Step> steps);

  bool suspends() const { return config_.suspend && surprise_.dead() > 0; }
  // Sets the rule of LLMs that are suspended. A single decision may be let through as a probe, a batch is not.
  bool suspend(std::span<const std::int32_t> arms, bool probe, std::span<trace::Condition> conditions);
  bandit::Surprise& surprise() { return surprise_; }

 private:
  bool refresh(Model& next) const;

  std::shared_ptr<state::Memory> memory_;
  LearnerConfig config_;
  bandit::Surprise surprise_;
  std::atomic<bool> frozen_{false};
  std::atomic<std::uint64_t> draws_{0};
  std::atomic<std::int64_t> usd_{0}, usd_extra_{0};  // 1e-9 USD
  std::mutex mutex_;                                 // of model_
  std::shared_ptr<const Model> model_;
};

// A learner beside one router: which of its arms each LLM is.
struct Attachment {
  std::shared_ptr<Learner> learner;
  std::vector<std::int32_t> arms;  // of each LLM
};

// Throws Error(config) where the learner's features are not what this router's network gives.
Attachment attach(std::shared_ptr<Learner> learner, const Router& router);

}  // namespace turnout
