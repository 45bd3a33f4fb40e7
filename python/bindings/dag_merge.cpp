#include "turnout/plan/merge.hpp"

#include "turnout/plan/slo.hpp"

#include "dag.hpp"
#include "read.hpp"

namespace turnout::python {
namespace {

// (operator, inputs as bytes, after, shared)
plan::QueryNode node_of(const py::handle& object) {
  const auto t = object.cast<py::tuple>();
  std::vector<std::int32_t> after;
  if (!py::isinstance<py::sequence>(t[2])) refuse_type(t[2], "after", "a sequence of integers");
  for (const auto& node : t[2].cast<py::sequence>())
    after.push_back(at_element("after", after.size(), [&] { return integer_of<std::int32_t>(node, ""); }));
  return {text_of(t[0], "operator"), bytes_of(t[1], "inputs"), std::move(after), flag_of(t[3], "shared")};
}

// (nodes, uses, of)
py::tuple merge(const py::list& queries, std::uint64_t hash_mask) {
  std::vector<std::vector<plan::QueryNode>> all;
  for (const auto& query : queries)
    at_element("queries", all.size(), [&] {
      std::vector<plan::QueryNode> nodes;
      for (const auto& node : query.cast<py::list>())
        nodes.push_back(at_element("nodes", nodes.size(), [&] { return node_of(node); }));
      all.push_back(std::move(nodes));
    });
  plan::MergedDag merged;
  {
    const py::gil_scoped_release release;
    merged = plan::merge(all, hash_mask);
  }
  py::tuple nodes(merged.nodes.size()), of(merged.of.size());
  for (std::size_t i = 0; i < merged.nodes.size(); ++i) {
    const plan::QueryNode& n = merged.nodes[i];
    nodes[i] = py::make_tuple(n.operator_name, py::bytes(n.inputs), tuple_of(n.after), n.shared);
  }
  for (std::size_t q = 0; q < merged.of.size(); ++q) of[q] = tuple_of(merged.of[q]);
  return py::make_tuple(nodes, tuple_of(merged.uses), of);
}

// (row, feasible, quality_short, seconds_over)
py::tuple choose_configuration(const py::object& quality, const py::object& seconds, const py::object& cost,
                               double min_quality, double max_seconds) {
  const auto c = plan::choose_configuration(column<double>(quality, "quality"), column<double>(seconds, "seconds"),
                                            column<double>(cost, "cost"), {min_quality, Seconds(max_seconds)});
  return py::make_tuple(c.row, c.feasible, c.quality_short, c.seconds_over);
}

}  // namespace

void bind_merge(py::module_& m) {
  m.def("dag_merge", merge, py::arg("queries"), py::arg("hash_mask") = ~std::uint64_t{0});
  m.def("choose_configuration", choose_configuration, py::arg("quality"), py::arg("seconds"), py::arg("cost"),
        py::arg("min_quality"), py::arg("max_seconds"));
}

}  // namespace turnout::python
