// What the binding files of task DAGs share.
#pragma once

#include <optional>

#include "turnout/plan/measure.hpp"
#include "turnout/plan/task_dag.hpp"

#include "bindings.hpp"

namespace turnout::python {

// int32[E, 2], (from, to) a row.
inline std::vector<plan::Edge> edges_of(const py::object& object) {
  const auto rows = exact<std::int32_t>(object, "edges", 2);
  if (rows.shape(1) != 2)
    throw Error(ErrorKind::input, "edges", "expected int32[E, 2], got " + std::to_string(rows.shape(1)) + " columns");
  std::vector<plan::Edge> edges(static_cast<std::size_t>(rows.shape(0)));
  for (std::size_t i = 0; i < edges.size(); ++i) edges[i] = {rows.data()[2 * i], rows.data()[2 * i + 1]};
  return edges;
}

// A column, which may be None: empty then.
template <class T>
std::span<const T> column(const py::object& object, const char* name) {
  if (object.is_none()) return {};
  const auto array = exact<T>(object, name, 1);
  return {array.data(), static_cast<std::size_t>(array.size())};
}

template <class Values>
py::tuple tuple_of(const Values& values) {
  py::tuple out(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) out[i] = values[i];
  return out;
}

// What one call needs and the next one can have; each thread keeps its own.
struct DagScratch {
  plan::TaskDag::Snapshot snapshot;
  plan::MeasureWorkspace workspace;
  plan::DagMetrics metrics;
};
DagScratch& dag_scratch();

// In the order of the fields of turnout.dag.DagMetrics.
py::tuple metrics_tuple(const plan::DagMetrics& m);

void bind_task_dag(py::module_& m);
void bind_reliability(py::module_& m);
void bind_placement(py::module_& m);
void bind_merge(py::module_& m);

}  // namespace turnout::python
