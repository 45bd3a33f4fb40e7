// The topological order of a TaskDag, kept up edge by edge. Source: Pearce and Kelly, "A Dynamic Topological Sort
// Algorithm for Directed Acyclic Graphs", JEA 2006: only tasks between the two ends of a new edge move.
#include <algorithm>

#include "plan/tasks.hpp"

namespace turnout::plan {

// True where the search had not seen the task.
bool TaskDag::mark(Id id, Id via) {
  auto& seen = search_.seen[static_cast<std::size_t>(id)];
  if (seen == search_.stamp) return false;
  seen = search_.stamp;
  search_.via[static_cast<std::size_t>(id)] = via;
  return true;
}

// What runs after `start` and stands no later than `goal`, breadth first. False where that includes `goal`.
bool TaskDag::collect_after(Id start, Id goal) {
  auto& found = search_.after;
  found.clear();
  mark(start, -1);
  found.push_back(start);
  for (std::size_t next = 0; next < found.size(); ++next)
    for (const Id output : node(found[next]).outputs) {
      if (node(output).position > node(goal).position || !mark(output, found[next])) continue;
      if (output == goal) return false;
      found.push_back(output);
    }
  return true;
}

// What `start` runs after and stands at position `first` or later.
void TaskDag::collect_before(Id start, std::int32_t first) {
  auto& found = search_.before;
  found.clear();
  mark(start, -1);
  found.push_back(start);
  for (std::size_t next = 0; next < found.size(); ++next)
    for (const Input& input : node(found[next]).task.inputs)
      if (node(input.task).position >= first && mark(input.task, found[next])) found.push_back(input.task);
}

// From `from` back to `to` along what the search came by; `to` would depend on `from`.
void TaskDag::refuse_cycle(Id from, Id to) const {
  std::vector<int> cycle;
  for (Id id = from; id != -1; id = id == to ? -1 : search_.via[static_cast<std::size_t>(id)]) cycle.push_back(id);
  throw Error(ErrorKind::input, "from", cycle_text(cycle, [&](int id) { return quoted(id); }));
}

// Those before take the lowest of the places that both hold, those after the rest; neither changes its own order.
void TaskDag::reorder() {
  auto& [seen, via, after, before, positions, stamp] = search_;
  const auto by_position = [&](Id id) { return node(id).position; };
  std::ranges::sort(before, {}, by_position);
  std::ranges::sort(after, {}, by_position);
  positions.clear();
  for (const auto* ids : {&before, &after})
    for (const Id id : *ids) positions.push_back(node(id).position);
  std::ranges::sort(positions);
  std::size_t next = 0;
  for (const auto* ids : {&before, &after})
    for (const Id id : *ids) {
      node(id).position = positions[next++];
      at_[static_cast<std::size_t>(node(id).position)] = id;
    }
}

void TaskDag::begin_search() {
  search_.seen.resize(nodes_.size());
  search_.via.resize(nodes_.size());
  if (++search_.stamp > 0) return;
  std::ranges::fill(search_.seen, 0u);  // once in four billion searches
  search_.stamp = 1;
}

void TaskDag::make_way(Id from, Id to) {
  if (node(from).position < node(to).position) return;
  begin_search();
  if (!collect_after(to, from)) refuse_cycle(from, to);
  collect_before(from, node(to).position);
  reorder();
}

}  // namespace turnout::plan
