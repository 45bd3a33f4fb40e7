#include <algorithm>

#include "healing/checks.hpp"
#include "healing/planner.hpp"

namespace turnout::healing {

Run::Run(const ToolGraph& graph, std::span<const Node> starts, std::vector<Goal> goals, JoinSpec joins, int max_retries,
         std::span<const Node> down)
    : nodes_(graph.nodes()),
      edges_(graph.edges()),
      goals_(std::move(goals)),
      joins_(std::move(joins)),
      max_retries_(max_retries) {
  check_run(graph, starts, goals_, joins_, max_retries, down);
  status_.assign(static_cast<std::size_t>(nodes_), Status::idle);
  executed_.reserve(static_cast<std::size_t>(nodes_));
  log_.reserve(64);
  for (const Node v : starts) {
    if (status(v) != Status::executed) executed_.push_back(v);
    status(v) = Status::executed;
  }
  aim(graph);
  for (const Node v : down)
    if (!executed(v)) planner_->graph().mask_node(v);
  planned(Kind::plan, Reason::none, -1);
}

Run::~Run() = default;

const ToolGraph& Run::graph() const { return planner_->graph(); }

// A planner for the goals, over a graph like this one.
void Run::aim(const ToolGraph& like) {
  const bool path = goals_.size() == 1 && joins_.nodes.empty();
  planner_ =
      path ? path_planner(like, nodes_, edges_, goals_[0].node) : join_planner(like, nodes_, edges_, joins_, goals_);
  for (const Node v : executed_) planner_->executed(v);
}

bool Run::finished() const {
  return std::all_of(goals_.begin(), goals_.end(), [&](const Goal& g) { return executed(g.node); });
}

Record Run::note(Kind kind, Reason reason, Node tool) {
  log_.push_back({log_.size() + 1, kind, reason, tool, plan_.cost});
  return log_.back();
}

Record Run::give_up(Reason reason, Node tool) {
  state_ = State::escalated;
  escalated_for_ = reason;
  plan_.nodes.clear();
  plan_.edges.clear();
  plan_.cost = kInfinity;
  return note(Kind::escalate, reason, tool);
}

// The one way to a new plan: a record of this kind, or an escalation.
Record Run::planned(Kind kind, Reason reason, Node tool) {
  if (!planner_->plan(executed_, plan_)) return give_up(Reason::no_path, tool);
  state_ = finished() ? State::done : State::running;
  return note(kind, reason, tool);
}

// After an event that does not lift an escalation.
Record Run::recover(Reason reason, Node tool) {
  if (state_ == State::escalated) return give_up(escalated_for_, tool);
  return planned(Kind::reroute, reason, tool);
}

// A plan's edges stand in the order of the nodes that they feed.
void Run::step(std::vector<Node>& out) {
  if (state_ != State::running) return;
  auto edge = plan_.edges.begin();
  for (const Node v : plan_.nodes) {
    bool ready = status(v) == Status::idle;
    for (; edge != plan_.edges.end() && graph().target(*edge) == v; ++edge)
      ready = ready && executed(graph().source(*edge));
    if (!ready) continue;
    status(v) = Status::in_flight;
    out.push_back(v);
  }
}

void Run::need_in_flight(Node tool) const {
  check_node(tool, nodes_, "tool");
  if (!in_flight(tool)) throw Error(ErrorKind::input, "tool", "node " + std::to_string(tool) + " is not in flight");
}

void Run::succeeded(Node tool) {
  need_in_flight(tool);
  status(tool) = Status::executed;
  executed_.push_back(tool);
  if (graph().node_masked(tool)) planner_->graph().mask_node(tool, false);  // it tripped meanwhile, and came through
  planner_->executed(tool);
  if (state_ == State::running && finished()) state_ = State::done;
}

Record Run::failed(Node tool) {
  need_in_flight(tool);
  status(tool) = Status::idle;
  planner_->graph().mask_node(tool);
  if (++failures_ > max_retries_ && state_ == State::running) return give_up(Reason::retries_spent, tool);
  return recover(Reason::tool_failed, tool);
}

Record Run::refused(Node tool) {
  need_in_flight(tool);
  status(tool) = Status::idle;
  planner_->graph().mask_node(tool);
  return recover(Reason::tool_down, tool);
}

bool Run::tripped(Node tool, Record& out) {
  check_node(tool, nodes_, "tool");
  if (executed(tool) || graph().node_masked(tool)) return false;
  planner_->graph().mask_node(tool);
  out = recover(Reason::tool_down, tool);
  return true;
}

Record Run::restored(Node tool) {
  check_node(tool, nodes_, "tool");
  if (!graph().node_masked(tool))
    throw Error(ErrorKind::input, "tool", "node " + std::to_string(tool) + " is not masked");
  planner_->graph().mask_node(tool, false);
  if (state_ == State::escalated && escalated_for_ != Reason::no_path) return note(Kind::restore, Reason::none, tool);
  return planned(Kind::restore, Reason::none, tool);
}

Record Run::escalate() { return give_up(Reason::signal, -1); }

Record Run::resume(int more_retries) {
  check_retries(more_retries, "more_retries");
  max_retries_ = std::min(kMaxRetries, std::max(max_retries_, failures_) + more_retries);  // what is spent is spent
  return planned(Kind::resume, Reason::none, -1);
}

void Run::set_weights(std::span<const Edge> edges, std::span<const double> weights) {
  for (std::size_t i = 0; i < edges.size(); ++i)
    if (edges[i] < 0 || edges[i] >= edges_)
      throw Error(ErrorKind::input, "edges[" + std::to_string(i) + "]", "there is no edge " + std::to_string(edges[i]));
  planner_->graph().set_weights(edges, weights);
}

}  // namespace turnout::healing
