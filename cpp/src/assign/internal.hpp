// What the files of this room share: the state of one solve(). All arrays have their size for good.
#pragma once

#include <vector>

#include "assign/frontier.hpp"
#include "assign/llm_set.hpp"
#include "assign/terms.hpp"

namespace turnout::assign {

inline constexpr int kMaxOptions = 512;  // ways to run one stage
inline constexpr int kPending = 8192;    // points before they are filtered
inline constexpr int kBeam = 32;         // labels that every later stage keeps when the cap is reached
inline constexpr int kMaxLines = 36;
inline constexpr int kWindow = 256;
inline constexpr std::uint32_t kSkip = ~std::uint32_t{0};

// How a stage can be run, as columns; the first option of an optional stage is to skip it.
struct Options {
  int count = 0;
  double *base, *slope, *net, *usd, *use[2], *cost;  // cost: net + multipliers . use
  std::uint32_t* step;                               // the LLMs, as a path of steps from the last slot to the first
  std::uint8_t* relaxed;
  double least[2];  // smallest use of what is attainable

  double reach(int o, double p) const { return base[o] + slope[o] * p; }
  Effect effect(int o) const { return {base[o], slope[o]}; }
};

// One slot's LLM on the path back to the stage's first slot.
struct Step {
  std::uint32_t parent;
  std::uint16_t llm;
};

// A point of the next level before it is one.
struct Child {
  double net, gain;
  std::uint16_t parent, candidate;
};

// The LLMs that are worth considering for one slot, best quality first, also as columns (padded to fours).
struct Slot {
  int count = 0;
  Point* points = nullptr;
  double *gain = nullptr, *net = nullptr, *use = nullptr, *cost = nullptr;  // cost: net + multiplier . use
  std::uint8_t* alive = nullptr;                                            // may be part of a best plan
};

// A line over the curve: g <= base + slope c.
struct Tangent {
  double base, slope;
};

constexpr int kMaxTangents = 4;
constexpr int kRateBlock = 16;  // rates are padded to blocks, which are counted without a branch

// From one LLM of a slot to a better one; rate: cost a unit of gain.
struct Edge {
  double rate, gain, cost;
};

// What the bounds over slots need of a stage: tangents, and, at the current multiplier, the convex frontier of (g,
// cost) lifted to the tangents, so that its best at any worth of g is the best of a few points.
struct Shape {
  int point_count = 0;
  double *g = nullptr, *cost = nullptr, *rate = nullptr;  // rate: of cost to g up to the next point, rising
  std::uint8_t* tangent = nullptr;                        // the lowest at each point
  Tangent tangents[kMaxTangents];
  int tangent_count = 0;
  double lo = 0, hi = 0;  // of p before the stage
  double worth = 0;       // of p before the stage, on the last path
  bool fills = true;      // its slots can be filled
  bool may_skip = false;
};

// An LLM for each slot as the position among its candidates, -1 where the stage is skipped; with its totals.
struct Draft {
  bool valid = false;
  std::int16_t at[kMaxNodes];
  double p, net, usd, use, utility;
};

// A plan as the walk over multipliers sees it.
struct Mark {
  double utility, use[2];
};

// A convex function of p as the maximum of lines: the most utility that the stages from here on can add, at the
// current multipliers. Chords between exact points may stand in for lines, so it is an upper bound.
struct Envelope {
  int count = 0;
  double a[kMaxLines], b[kMaxLines];
  void add(double base, double slope) { a[count] = base, b[count++] = slope; }
};

// One option a stage, with its totals.
struct Plan {
  bool valid = false;
  std::uint16_t choice[kMaxStages];
  double p, net, usd, use[2], utility;
};

struct Workspace::Impl {
  explicit Impl(int llms);

  int max_llms;
  Problem problem;
  Terms terms;
  bool limited = false;   // some limit is finite
  bool sketched = false;  // bounds over slots come before options
  double limit[2];        // of budget and seconds, as the search has to meet them
  int stages = 0;

  std::vector<int> by_quality;
  std::vector<Point> level, pending, spare;
  std::vector<Key> keys;
  std::vector<Child> children;
  Slot slots[kMaxNodes];
  std::vector<Point> slot_points;
  std::vector<double> slot_columns;
  std::vector<std::uint8_t> slot_alive;
  std::vector<double> frontier, competence, paid;  // the shapes' columns; of one stage's points
  std::vector<std::uint8_t> lowest;                // the shapes' tangents
  std::vector<Edge> edges;
  Shape shapes[kMaxStages];
  int depth = 0;                    // of a sketch
  Envelope prefix[kMaxStages + 1];  // of the slope in p: the most that the stages before can add
  std::vector<Step> steps;
  std::vector<LlmSet> sets;  // of each step's path; kept for stages of distinct LLMs
  std::uint32_t step_count = 0;
  std::vector<double> columns;
  std::vector<std::uint32_t> option_steps;
  std::vector<std::uint8_t> option_relaxed;
  Options options[kMaxStages];
  double reach_lo[kMaxStages + 1], reach_hi[kMaxStages + 1];  // of p before each stage
  double rest[kMaxStages + 1][2];                             // least use of the stages from here on

  double multiplier[2];
  Envelope envelope[kMaxStages + 1];
  std::vector<double> values, reached;  // of the options of one stage
  double slack = 0;                     // bounds closer than this are not told apart
  Plan best;                            // the best attainable plan so far
  Draft draft;                          // likewise, slot by slot; its utility is then the floor
  double floor = 0;                     // a utility that is known to be attainable

  std::vector<Point> labels;
  int label_count = 0;
  double dropped = 0;  // highest bound of what the cap cut

  // Derived problems of an infeasible one.
  Stage kept_stages[kMaxStages];
};

// options.cpp: of the candidates that are alive; false when a mandatory stage cannot be run.
bool build_options(Workspace::Impl& w);
int compare_steps(const Workspace::Impl& w, std::uint32_t a, std::uint32_t b);
int compare_options(const Workspace::Impl& w, int stage, int a, int b);

// plans.cpp
double known(const Workspace::Impl& w);
void total(const Workspace::Impl& w, Plan& plan);
bool feasible(const Workspace::Impl& w, const Plan& plan);
bool better(const Workspace::Impl& w, const Plan& a, const Plan& b);
void offer(Workspace::Impl& w, const Plan& plan);
void write(const Workspace::Impl& w, const Plan& plan, Solution& out);
void improve(Workspace::Impl& w);

// envelope.cpp: fills the envelopes for multipliers; offers the greedy path and marks it, returns an upper bound of
// utility.
double relax(Workspace::Impl& w, double budget_multiplier, double seconds_multiplier, Mark& path);
void option_values(Workspace::Impl& w, int stage, double p);

// multipliers.cpp: from a plan that breaks the limits and one that keeps them; the lowest upper bound that was found,
// and where. Envelopes are left at the last multipliers that were tried.
using Relaxation = double (*)(Workspace::Impl&, double, double, Mark&);
struct Tightened {
  double bound, multiplier[2];
};
Tightened tighten(Workspace::Impl& w, Relaxation relaxation, const Mark& breaks, const Mark& keeps);

// candidates.cpp
void find_candidates(Workspace::Impl& w);
bool equals_previous(const Problem& p, const Stage& stage, int slot);
Worth worth_of_competence(const Workspace::Impl& w, const Stage& stage);
void allow_all(Workspace::Impl& w);

// profile.cpp
void set_profiles(Workspace::Impl& w);

// sketch.cpp: as relax, over slots instead of options.
bool can_sketch(const Workspace::Impl& w);
void set_shapes(Workspace::Impl& w);
double sketch(Workspace::Impl& w, double budget_multiplier, double, Mark& path);
Draft least_use(Workspace::Impl& w);
bool draft_is_alone(const Workspace::Impl& w);
void keep_alive(Workspace::Impl& w);

// draft.cpp
void total(const Workspace::Impl& w, Draft& draft);
void offer(Workspace::Impl& w, const Draft& draft);
void improve_draft(Workspace::Impl& w);
void write(const Workspace::Impl& w, const Draft& draft, Solution& out);

// labels.cpp
void search(Workspace::Impl& w);

// least.cpp
Solution fastest_within_budget(const Problem& problem, Workspace& ws);
void least_violation(const Problem& problem, Workspace& ws, Solution& out);

}  // namespace turnout::assign
