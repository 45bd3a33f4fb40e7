#include "batch.hpp"

#include <algorithm>
#include <limits>

namespace turnout::python {
namespace {

template <class T>
py::array column(const py::object& owner, const std::vector<T>& values) {
  py::array_t<T> view(static_cast<py::ssize_t>(values.size()), values.data(), owner);
  view.attr("flags").attr("writeable") = false;
  return view;
}

template <class T>
void bind_column(py::class_<PyBatch>& c, const char* name, std::vector<T> PyBatch::* member, const char* doc) {
  const auto get = [member](const py::object& self) { return column(self, self.cast<PyBatch&>().*member); };
  c.def_property_readonly(name, get, doc);
}

// A numpy bool, so that the column works as a mask; its elements are the bytes 0 and 1.
py::array feasible(const py::object& self) { return column(self, self.cast<PyBatch&>().feasible).attr("view")("bool"); }

py::object rows_of(const py::object& self) { return py::reinterpret_steal<py::object>(PySeqIter_New(self.ptr())); }

std::unique_ptr<PyDecision> at(const PyBatch& b, py::ssize_t i) {
  const py::ssize_t row = i < 0 ? i + b.rows() : i;
  if (row < 0 || row >= b.rows()) throw py::index_error("row " + std::to_string(i) + " of " + std::to_string(b.rows()));
  return std::unique_ptr<PyDecision>(new PyDecision{b.names, b.decision(static_cast<int>(row))});
}

}  // namespace

PyBatch::PyBatch(SharedNames shared, int rows) : names(std::move(shared)), records(static_cast<std::size_t>(rows)) {
  const auto n = static_cast<std::size_t>(rows);
  for (auto* ints : {&llm, &tool, &depth, &calls}) ints->resize(n);
  for (auto* numbers : {&difficulty, &p_correct, &usd, &usd_bound, &seconds, &utility}) numbers->resize(n);
  feasible.resize(n);
  reasons.resize(n);
}

void PyBatch::store(int start, int n, const trace::Decision* decisions) {
  for (int k = 0; k < n; ++k) {
    const trace::Decision& d = decisions[k];
    const auto i = static_cast<std::size_t>(start + k);
    trace::pack(d, records[i]);
    llm[i] = d.node_count > 0 ? d.nodes[0].llm : -1;
    tool[i] = d.tool_count > 0 ? d.tools[0].id : -1;
    depth[i] = d.allocation.depth;
    calls[i] = static_cast<std::int32_t>(std::min<std::int64_t>(d.calls(), std::numeric_limits<std::int32_t>::max()));
    difficulty[i] = d.difficulty;
    p_correct[i] = d.quality;
    usd[i] = d.usd;
    usd_bound[i] = d.usd_bound;
    seconds[i] = d.seconds;
    utility[i] = d.utility;
    feasible[i] = d.feasible();
    reasons[i] = d.reasons;
  }
}

trace::Decision PyBatch::decision(int row) const { return trace::unpack(records[static_cast<std::size_t>(row)]); }

void bind_batch(py::module_& m) {
  py::class_<PyBatch> c(m, "DecisionBatch", "Decisions of many queries: columns at once, each Decision on demand.");
  c.def("__len__", &PyBatch::rows)
      .def("__getitem__", at, py::arg("index"), "The Decision of one row.")
      .def("__iter__", rows_of)
      .def("__repr__",
           [](const PyBatch& b) { return "<DecisionBatch of " + std::to_string(b.rows()) + " decisions>"; });
  bind_column(c, "llm_index", &PyBatch::llm,
              "LLM of each plan's first node, an index into `llms`; -1 without a plan. int32[N].");
  bind_column(c, "tool_index", &PyBatch::tool,
              "Best tool or agent, an index into `capabilities`; -1 where none fits. int32[N].");
  bind_column(c, "depth", &PyBatch::depth, "Layers of operators that the depth rule gave. int32[N].");
  bind_column(c, "calls", &PyBatch::calls, "LLM calls of each plan. int32[N].");
  bind_column(c, "difficulty", &PyBatch::difficulty, "P(the reference LLM fails), in [0, 1]. float64[N].");
  bind_column(c, "p_correct", &PyBatch::p_correct, "P(correct) of each plan, in [0, 1]. float64[N].");
  bind_column(c, "usd", &PyBatch::usd, "Expected USD. float64[N].");
  bind_column(c, "usd_bound", &PyBatch::usd_bound, "USD by the statistic that the limits bound. float64[N].");
  bind_column(c, "seconds", &PyBatch::seconds, "Expected seconds. float64[N].");
  bind_column(c, "utility", &PyBatch::utility,
              "value_usd * p_correct - usd - usd_per_second * seconds, in USD. float64[N].");
  c.def_property_readonly("feasible", feasible, "Whether there is a plan and it meets every limit. bool[N].");
  bind_column(c, "reason_bits", &PyBatch::reasons, "Bit i: the reason `turnout.names.REASONS[i]`. uint32[N].");
  c.def_property_readonly(
       "llms", [](const PyBatch& b) { return b.names->llms; }, "Ids that `llm_index` points to.")
      .def_property_readonly(
          "capabilities", [](const PyBatch& b) { return b.names->capabilities; }, "Ids that `tool_index` points to.")
      .def(
          "__arrow_c_array__", [](const PyBatch& b, const py::object&) { return arrow_array(b); },
          py::arg("requested_schema") = py::none())
      .def(
          "__arrow_c_stream__", [](const PyBatch& b, const py::object&) { return arrow_stream(b); },
          py::arg("requested_schema") = py::none());
}

}  // namespace turnout::python
