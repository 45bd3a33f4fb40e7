// What the binding files of the graph room share: a graph with its lock, and workspaces to borrow.
#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <utility>
#include <vector>

#include "turnout/graph.hpp"

#include "bindings.hpp"

namespace turnout::python {

// Searches share the lock, changes hold it alone. All take it without the GIL, and through the turnstile: who changes
// waits for the searches that run, not for those that come after.
struct PyGraph {
  explicit PyGraph(graph::ToolGraph g) : graph(std::move(g)) {}

  template <class F>
  auto read(const F& f) const {
    const py::gil_scoped_release release;
    const auto lock = reading();
    return f(graph);
  }
  template <class F>
  auto change(const F& f) {
    const py::gil_scoped_release release;
    const std::lock_guard turn(turnstile);
    const std::unique_lock lock(mutex);
    return f(graph);
  }
  // A search with a borrowed workspace, for which others need not wait.
  template <class F>
  auto search(const F& f) const {
    const py::gil_scoped_release release;
    auto ws = borrow();
    const auto lock = reading();
    const Return give_back{*this, ws};
    return f(graph, *ws);
  }

  graph::ToolGraph graph;

 private:
  std::shared_lock<std::shared_mutex> reading() const {
    const std::lock_guard turn(turnstile);
    return std::shared_lock(mutex);
  }
  using Shared = std::shared_ptr<graph::Workspace>;
  struct Return {
    const PyGraph& graph;
    Shared ws;
    ~Return() {
      const std::lock_guard lock(graph.free_mutex);
      graph.free.push_back(ws);
    }
  };
  Shared borrow() const {
    const std::lock_guard lock(free_mutex);
    if (free.empty()) return std::make_shared<graph::Workspace>();
    Shared ws = free.back();
    free.pop_back();
    return ws;
  }
  mutable std::shared_mutex mutex;
  mutable std::mutex turnstile;
  mutable std::mutex free_mutex;
  mutable std::vector<Shared> free;
};

using SharedGraph = std::shared_ptr<PyGraph>;

template <class T>
Array<T> array_of(const std::vector<T>& values) {
  return Array<T>(static_cast<py::ssize_t>(values.size()), values.data());
}
template <class T>
std::span<const T> span_of(const Array<T>& array) {
  return {array.data(), static_cast<std::size_t>(array.size())};
}

// (nodes, edges, cost of each edge, cost), or None.
py::object path_tuple(const graph::Path& path, const std::vector<double>& costs);
std::vector<double> costs_of(const graph::ToolGraph& graph, const graph::Path& path);

void bind_replanner(py::module_& m);
void bind_graph_plans(py::module_& m);
void bind_pheromones(py::module_& m);

}  // namespace turnout::python
