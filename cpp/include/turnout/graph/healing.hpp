// healing: a run through a tool graph that survives failures. A tool that fails or trips is masked, the plan is found
// anew from what has been executed, and nothing is executed twice. Where there is no plan, the run escalates and says
// which tools are down, which of them cut the goals off, and which demotion of the goals is the cheapest.
//
// After the idea of Self-Healing Router (N. Bholani, https://github.com/NeerajBholani/self-healing-router). Every
// failure is exactly one record: a reroute or an escalation.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "turnout/graph/joins.hpp"
#include "turnout/graph/replan.hpp"

namespace turnout::healing {

using graph::Edge;
using graph::kInfinity;
using graph::Node;
using graph::ToolGraph;

// What may stand in for a goal, and what that loses, in the unit of the graph's weights.
struct Fallback {
  Node node;
  double loss;
};

struct Goal {
  Node node;
  double drop_loss = kInfinity;  // of giving it up; infinity: it cannot be given up
  std::vector<Fallback> fallbacks;
};

// Tools that need several inputs; see graph::Joins. No nodes: none does.
struct JoinSpec {
  std::vector<std::int32_t> inputs;  // one an edge, what arrives along it; ids from 0 on
  std::vector<Node> nodes;
  std::vector<graph::Joins::Requirement> required;
};

struct Plan {
  std::vector<Node> nodes;  // in an order in which they can run; what has been executed is among them
  std::vector<Edge> edges;  // that feed them
  double cost = kInfinity;  // of what had not been executed when it was made
};

enum class State : std::uint8_t { running, done, escalated };
enum class Kind : std::uint8_t { plan, reroute, escalate, demote, retarget, restore, resume };
enum class Reason : std::uint8_t { none, tool_failed, tool_down, no_path, retries_spent, signal };
const char* state_name(State);
const char* kind_name(Kind);
const char* reason_name(Reason);

struct Record {
  std::uint64_t sequence = 0;  // from 1
  Kind kind = Kind::plan;
  Reason reason = Reason::none;
  Node tool = -1;           // that failed, tripped or came back
  double cost = kInfinity;  // of the plan from there on; infinity: there is none
};

// Every goal that cannot be reached with its cheapest stand-in (loss + cost), ties to the one named first. Where that
// would give every goal up, the one stays whose stand-in adds the least.
struct Demotion {
  struct Change {
    Node goal, instead;  // instead -1: it is given up
    double loss;
  };
  std::vector<Change> changes;
  double loss = 0;
  bool found = false;  // false: a goal can neither be replaced nor given up, or none would be left
};

class Planner;

// One run, one thread at a time. It copies the graph; masks and weights of the original may change meanwhile.
class Run {
 public:
  static constexpr int kMaxRetries = 1 << 20;

  // `starts` have been executed, tools in `down` are masked; the goals must all be reached. Runs with one goal and no
  // joins follow the cheapest path and replan incrementally; others follow the cheapest plan by Knuth. More than
  // max_retries failures escalate. Throws Error(input) with the path to the culprit, as in "goals[1].drop_loss".
  Run(const ToolGraph& graph, std::span<const Node> starts, std::vector<Goal> goals, JoinSpec joins = {},
      int max_retries = 3, std::span<const Node> down = {});
  ~Run();

  // Appends the tools to call now, and counts them as in flight: all that the plan wants and whose inputs are there.
  void step(std::vector<Node>& out);
  // How a call ended. Throws Error(input), and changes nothing, unless the tool is in flight.
  void succeeded(Node tool);
  Record failed(Node tool);
  // The call was never made, since the tool turned out to be down: as tripped(), for a tool that step() gave out.
  Record refused(Node tool);
  // A tool is known to be down (its breaker tripped, a monitor says so). Nothing to do, and false, where it has been
  // executed or is masked already.
  bool tripped(Node tool, Record& out);
  // A tool is back. Error(input) unless it is masked.
  Record restored(Node tool);
  // Somebody else must decide: a monitor's signal.
  Record escalate();
  // Goes on after an escalation, with so many more retries; escalates again where there is no plan.
  Record resume(int more_retries = 0);
  // Takes the cheapest demotion; Error(input) where there is none.
  Record demote();
  Record retarget(std::vector<Goal> goals);
  void set_weights(std::span<const Edge> edges, std::span<const double> weights);  // for the next plan

  State state() const { return state_; }
  const Plan& plan() const { return plan_; }
  std::span<const Record> log() const { return log_; }
  std::span<const Goal> goals() const { return goals_; }
  bool executed(Node v) const { return status_[static_cast<std::size_t>(v)] == Status::executed; }
  bool in_flight(Node v) const { return status_[static_cast<std::size_t>(v)] == Status::in_flight; }
  const ToolGraph& graph() const;  // as the run sees it; its first nodes and edges are the caller's
  int nodes() const { return nodes_; }
  int failures() const { return failures_; }
  int max_retries() const { return max_retries_; }

  std::vector<Node> down() const;  // masked, ascending
  // The masked tools that could run now were they up, and from which a goal that is cut off could be reached were all
  // tools up: every way to such a goal goes through one of them. Empty: not even with every tool up.
  std::vector<Node> cut() const;
  Demotion demotion() const;

 private:
  enum class Status : std::uint8_t { idle, in_flight, executed };
  Status& status(Node v) { return status_[static_cast<std::size_t>(v)]; }
  void need_in_flight(Node tool) const;
  void aim(const ToolGraph& like);
  bool finished() const;
  std::vector<Node> unreachable() const;
  Record note(Kind kind, Reason reason, Node tool);
  Record give_up(Reason reason, Node tool);
  Record planned(Kind kind, Reason reason, Node tool);
  Record recover(Reason reason, Node tool);

  int nodes_, edges_;
  std::vector<Goal> goals_;
  JoinSpec joins_;
  int max_retries_, failures_ = 0;
  State state_ = State::running;
  Reason escalated_for_ = Reason::none;
  std::vector<Status> status_;
  std::vector<Node> executed_;
  std::unique_ptr<Planner> planner_;
  Plan plan_;
  std::vector<Record> log_;
};

}  // namespace turnout::healing
