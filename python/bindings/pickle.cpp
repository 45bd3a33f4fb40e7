#include "pickle.hpp"

#include <span>

namespace turnout::python {
namespace {

using trace::Names;

constexpr int kFormat = 2;
constexpr std::int32_t kMaxToolId = 1 << 24;  // what a damaged pickle may make us allocate

void check(bool ok, const char* what) {
  if (!ok) throw Error(ErrorKind::input, "pickle", what);
}

// All LLMs and operators, and of the capabilities those that are mentioned.
py::tuple names_state(const Names& n, std::span<const std::int32_t> tools) {
  py::list mentioned;
  for (const std::int32_t id : tools) mentioned.append(py::make_tuple(id, tool_name(n, id)));
  return py::make_tuple(n.bundle, n.bundle_version, n.embedder, n.llms, n.operators, n.roles, n.cut_points, mentioned);
}

SharedNames names_from(const py::tuple& state) {
  check(state.size() == 8, "unknown format");
  auto n = std::make_shared<Names>();
  n->bundle = state[0].cast<std::string>();
  n->bundle_version = state[1].cast<std::string>();
  n->embedder = state[2].cast<std::string>();
  n->llms = state[3].cast<std::vector<std::string>>();
  n->operators = state[4].cast<std::vector<std::string>>();
  n->roles = state[5].cast<std::vector<std::vector<std::string>>>();
  n->cut_points = state[6].cast<std::vector<double>>();
  for (const auto& pair : state[7].cast<py::list>()) {
    const auto [id, name] = pair.cast<std::pair<std::int32_t, std::string>>();
    check(id >= 0 && id <= kMaxToolId, "the id of a tool is out of range");
    const auto i = static_cast<std::size_t>(id);
    if (n->capabilities.size() <= i) n->capabilities.resize(i + 1);
    n->capabilities[i] = name;
  }
  return n;
}

py::tuple state(const Names& names, std::span<const std::int32_t> tools, std::span<const std::byte> record) {
  return py::make_tuple(kFormat, names_state(names, tools),
                        py::bytes(reinterpret_cast<const char*>(record.data()), record.size()));
}

struct State {
  SharedNames names;
  std::string record;
  std::span<const std::byte> bytes() const {
    return {reinterpret_cast<const std::byte*>(record.data()), record.size()};
  }
};

State read(const py::tuple& state) {
  check(state.size() == 3 && state[0].cast<int>() == kFormat, "unknown format");
  return {names_from(state[1].cast<py::tuple>()), state[2].cast<std::string>()};
}

std::vector<std::int32_t> tool_ids(const trace::Decision& d) {
  std::vector<std::int32_t> ids;
  for (int i = 0; i < d.tool_count; ++i) ids.push_back(d.tools[i].id);
  return ids;
}

// Of one pool and table, without a plan.
PyDecision empty_record(const SharedNames& names) {
  PyDecision p{names, {}};
  p.d.llm_count = static_cast<std::int32_t>(names->llms.size());
  p.d.allocation.operators = static_cast<int>(names->operators.size());
  return p;
}

// __reduce_ex__ and __reduce__ of a class: at any protocol what protocol 2 does. Below it Python would make the object
// by way of object.__new__, which leaves a pybind11 object without its C++ part.
py::object reduce(const py::object& self) {
  if (!py::hasattr(self, "__setstate__"))
    throw py::type_error("cannot pickle '" + std::string(py::str(py::type::of(self).attr("__name__"))) + "' object");
  return py::make_tuple(py::module_::import("copyreg").attr("__newobj__"), py::make_tuple(py::type::of(self)),
                        self.attr("__getstate__")());
}

}  // namespace

py::tuple state_of(const PyDecision& p) {
  std::vector<std::byte> record;
  trace::pack(p.d, record);
  return state(*p.names, tool_ids(p.d), record);
}

PyDecision decision_from(const py::tuple& pickled) {
  const State s = read(pickled);
  PyDecision p{s.names, trace::unpack(s.bytes())};
  trace::check_names(p.d, *p.names);
  return p;
}

// A PlanNode is the only node of its record, so that the record's checks are its own; what points to other nodes, or to
// tools by their place among the decision's, stands beside.
py::tuple state_of(const PyNode& n) {
  PyDecision p = empty_record(n.names);
  p.d.node_count = 1;
  p.d.nodes[0] = n.node;
  p.d.nodes[0].depends_on = 0;
  p.d.nodes[0].tools = 0;
  p.d.tool_count = static_cast<std::int32_t>(n.tools.size());
  for (std::size_t t = 0; t < n.tools.size(); ++t) p.d.tools[t].id = n.tools[t];
  return py::make_tuple(state_of(p), n.node.depends_on, n.node.tools);
}

PyNode node_from(const py::tuple& pickled) {
  check(pickled.size() == 3, "unknown format");
  const PyDecision p = decision_from(pickled[0].cast<py::tuple>());
  check(p.d.node_count == 1, "expected one node");
  PyNode n{p.names, p.d.nodes[0], tool_ids(p.d)};
  n.node.depends_on = pickled[1].cast<plan::NodeSet>();
  n.node.tools = pickled[2].cast<std::uint16_t>();
  return n;
}

py::tuple state_of(const PyAlternative& a) {
  PyDecision p = empty_record(a.names);
  p.d.alternative_count = 1;
  p.d.alternatives[0] = a.alternative;
  return state_of(p);
}

PyAlternative alternative_from(const py::tuple& pickled) {
  const PyDecision p = decision_from(pickled);
  check(p.d.alternative_count == 1, "expected one alternative");
  return {p.names, p.d.alternatives[0]};
}

void bind_pickling(py::module_& m) {
  for (const auto& [name, cls] : m.attr("__dict__").cast<py::dict>()) {
    if (!PyType_Check(cls.ptr())) continue;
    py::setattr(cls, "__reduce_ex__",
                py::cpp_function([](const py::object& self, int) { return reduce(self); }, py::name("__reduce_ex__"),
                                 py::is_method(cls), py::arg("protocol")));
    py::setattr(cls, "__reduce__", py::cpp_function(reduce, py::name("__reduce__"), py::is_method(cls)));
  }
}

}  // namespace turnout::python
