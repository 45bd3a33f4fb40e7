#include <dlfcn.h>

#include "turnout/core.hpp"

#include "bindings.hpp"

namespace turnout::python {

namespace {

// Bytes of a damaged file may stand in a message.
py::str shown(const std::string& text) {
  PyObject* const made = PyUnicode_DecodeUTF8(text.data(), static_cast<py::ssize_t>(text.size()), "backslashreplace");
  if (made == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(made);
}

}  // namespace

// Python's exception classes live in turnout.core; looked up when an error is raised, so import order does not matter.
void set_error(const Error& error) {
  static constexpr const char* kClasses[] = {"InputError", "ConfigError", "BundleError", "EngineError"};
  const py::object cls = py::module_::import("turnout.core").attr(kClasses[static_cast<int>(error.kind)]);
  py::object instance = cls(shown(error.what()));
  instance.attr("path") = shown(error.path);
  PyErr_SetObject(cls.ptr(), instance.ptr());
}

namespace {

void translate(std::exception_ptr pointer) {
  try {
    if (pointer) std::rethrow_exception(pointer);
  } catch (const Error& error) {
    set_error(error);
  }
}

// Finds the counter that `turnout bench` preloads; false where it is not there.
bool watch_allocations() {
  const auto counter = reinterpret_cast<AllocationCounter>(dlsym(RTLD_DEFAULT, "turnout_allocation_count"));
  set_allocation_counter(counter);
  return counter != nullptr;
}

long allocation_count() {
  const auto counter = allocation_counter();
  return counter == nullptr ? -1 : counter();
}

}  // namespace

void bind_core(py::module_& m) {
  py::register_exception_translator(translate);

  m.attr("version") = TURNOUT_VERSION;
  m.def("isa", [] { return isa_name(active_isa()); }, "The SIMD level of the kernels that run here.");
  m.def("compiler", [] { return __VERSION__; });
  m.def("watch_allocations", watch_allocations,
        "Counts heap allocations from now on; False without the preloaded counter.");
  m.def("allocation_count", allocation_count, "Of the calling thread, so far; -1 when nothing counts.");
  m.def("engine_allocation_count", &engine_allocations, "Those inside ONNX Runtime and FAISS.");
  m.def(
      "dot",
      [](const py::object& a, const py::object& b) {
        const auto x = exact<float>(a, "a", 1), y = exact<float>(b, "b", 1);
        if (x.size() != y.size()) throw Error(ErrorKind::input, "b", "expected as many elements as a");
        return dot(x.data(), y.data(), static_cast<int>(x.size()));
      },
      py::arg("a"), py::arg("b"), "Fixed-order inner product of two float32 vectors.");

  py::class_<Philox>(m, "Philox", "Philox4x64-10, the counter-based generator (Salmon et al., SC 2011).")
      .def(py::init<std::uint64_t, std::uint64_t>(), py::arg("seed"), py::arg("stream") = 0)
      .def("next", &Philox::next)
      .def("uniform", &Philox::uniform)
      .def("normal", &Philox::normal);
}

}  // namespace turnout::python
