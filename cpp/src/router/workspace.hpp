// Scratch memory of one thread, sized once.
#pragma once

#include <vector>

#include "turnout/router.hpp"
#include "turnout/router/learner.hpp"

namespace turnout {

struct Router::Workspace {
  explicit Workspace(const Router& router);

  const Router* owner;

  embed::Workspace embed;
  std::vector<float> vectors;  // [kMaxBatch, dim], grown to what was asked
  std::vector<float> units;    // the same without lexical scores, where there are any
  difficulty::Workspace difficulty;
  capability::Workspace capability;
  turnout::assign::Workspace assign;

  // One plan's problem: [kMaxNodes, llms] matrices in the order of the plan's slots.
  std::vector<double> output_scale;  // of each LLM's answers to the query
  std::vector<double> slowdown;      // of each LLM's seconds; ones without telemetry
  std::vector<double> prior;         // P(correct) of each LLM by the outcome model alone
  std::vector<double> usd_ratio;     // of each LLM's prices, as learned; ones without a learner
  std::vector<double> quality, usd, usd_bound, seconds, seconds_bound;
  std::vector<std::uint8_t> allowed;
  std::vector<turnout::assign::Stage> stages;
  std::vector<operators::Choice> choices;  // of the plan: allocated, or one call instead
  std::vector<int> slots;                  // catalog-wide slot of each of the plan's slots
  std::vector<int> stage_of;               // stage of each of the plan's slots
  turnout::assign::Solution solution;

  // What the rules leave: per LLM and per operator.
  std::vector<std::uint8_t> usable;
  std::vector<operators::Mask> masks;

  // What a learner reads and remembers.
  struct Option {
    double quality = 0, usd = 0, seconds = 0, utility = 0;
  };
  std::shared_ptr<const Learner::Model> model;  // while a decision reads it
  std::vector<float> features;
  std::vector<double> scratch;
  Option options[kMaxCandidates];  // of Decision::candidates
  double best_usd = 0;             // of the plan that was not drawn
  double allowance = 0;            // USD, as Learner::allowance() gave it
  state::Ticket ticket;
  const float* x = nullptr;  // the vector that decides
  std::vector<std::byte> note;

  // Batches.
  std::vector<difficulty::Assessment> assessments;
  std::vector<capability::Hit> hits;
  std::vector<int> hit_counts;
};

}  // namespace turnout
