#include "turnout/onnx.hpp"

#include "bindings.hpp"

namespace turnout::python {
namespace {

using onnx::Element;
using onnx::Port;
using onnx::Session;
using onnx::Tensor;

// pybind11 holds no const objects; a Session's interface is const throughout.
std::shared_ptr<Session> make_session(std::shared_ptr<onnx::Runtime> runtime, const py::bytes& model,
                                      const std::string& path, int threads) {
  const std::string_view view(model);
  return std::const_pointer_cast<Session>(Session::create(
      std::move(runtime), {reinterpret_cast<const std::byte*>(view.data()), view.size()}, path, threads));
}

py::dtype dtype_of(Element element, const std::string& name) {
  switch (element) {
    case Element::float32:
      return py::dtype::of<float>();
    case Element::int32:
      return py::dtype::of<std::int32_t>();
    case Element::int64:
      return py::dtype::of<std::int64_t>();
  }
  throw Error(ErrorKind::bundle, name, "has an element type that is not float32, int32 or int64");
}

py::list ports(const std::vector<Port>& all) {
  py::list out;
  for (const Port& port : all)
    out.append(py::make_tuple(port.name, std::string(py::str(dtype_of(port.element, port.name))), port.shape));
  return out;
}

Tensor tensor_of(const py::array& array, Element element) {
  Tensor tensor;
  tensor.data = const_cast<void*>(array.data());
  tensor.element = element;
  tensor.shape.assign(array.shape(), array.shape() + array.ndim());
  return tensor;
}

Tensor input(const Port& port, const py::handle& object) {
  const py::dtype dtype = dtype_of(port.element, port.name);
  if (!py::isinstance<py::array>(object)) throw py::type_error("'" + port.name + "': expected a numpy array");
  const auto array = py::reinterpret_borrow<py::array>(object);
  if (!array.dtype().is(dtype) || !(array.flags() & py::array::c_style))
    throw py::type_error("'" + port.name + "': expected a C-contiguous array of " + std::string(py::str(dtype)));
  check_aligned(array, "'" + port.name + "'");
  return tensor_of(array, port.element);
}

// The caller gives the shapes of the outputs: only it knows what their free dimensions stand for.
py::list run(const Session& self, const py::sequence& arrays, const std::vector<std::vector<py::ssize_t>>& shapes) {
  if (arrays.size() != self.inputs().size())
    throw Error(ErrorKind::input, "inputs", "expected " + std::to_string(self.inputs().size()) + " arrays");
  if (shapes.size() > self.outputs().size())
    throw Error(ErrorKind::input, "shapes",
                "expected at most one shape for each of the " + std::to_string(self.outputs().size()) + " outputs");
  std::vector<Tensor> in, out;
  for (std::size_t i = 0; i < arrays.size(); ++i) in.push_back(input(self.inputs()[i], arrays[i]));
  py::list results;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Port& port = self.outputs()[i];
    const py::array array(dtype_of(port.element, port.name), shapes[i]);
    results.append(array);
    out.push_back(tensor_of(array, port.element));
  }
  const py::gil_scoped_release release;
  self.run(in, out);
  return results;
}

}  // namespace

void bind_onnx(py::module_& m) {
  py::class_<onnx::Runtime, std::shared_ptr<onnx::Runtime>>(m, "Runtime", "ONNX Runtime, opened at run time.")
      .def_static(
          "load",
          [](const std::string& path) { return std::const_pointer_cast<onnx::Runtime>(onnx::Runtime::load(path)); },
          py::arg("path"))
      .def_property_readonly("version", &onnx::Runtime::version);
  py::class_<Session, std::shared_ptr<Session>>(m, "Session", "One exported network.")
      .def(py::init(&make_session), py::arg("runtime").none(false), py::arg("model"), py::arg("path"),
           py::arg("threads") = 1)
      .def("metadata", &Session::metadata, py::arg("key"), "Custom metadata; empty if the key is absent.")
      .def("run", run, py::arg("inputs"), py::arg("shapes"),
           "Arrays in the order of `inputs` -> new arrays of the given shapes, one for each of the first outputs.")
      .def_property_readonly("inputs", [](const Session& s) { return ports(s.inputs()); })
      .def_property_readonly("outputs", [](const Session& s) { return ports(s.outputs()); });
  m.def("live_onnx_objects", &onnx::live_objects, "Engine objects that are alive: a leak is a test.");
}

}  // namespace turnout::python
