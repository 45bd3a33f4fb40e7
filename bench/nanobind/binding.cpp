// Router::route through nanobind: takes the C++ router out of the capsule that the pybind11 build gives.
#include <nanobind/nanobind.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "turnout/router.hpp"

namespace nb = nanobind;
using namespace turnout;

namespace {

struct Binding {
  explicit Binding(nb::object capsule)
      : keep(std::move(capsule)),
        router(static_cast<const Router*>(PyCapsule_GetPointer(keep.ptr(), "turnout.Router"))),
        ws(router != nullptr ? router->workspace() : decltype(router->workspace())(nullptr, nullptr)) {
    if (router == nullptr) throw nb::python_error();
  }

  std::unique_ptr<trace::Decision> route(nb::str text) {
    Request request;
    Py_ssize_t size = 0;
    const char* data = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
    if (data == nullptr) throw nb::python_error();
    request.text = {data, static_cast<std::size_t>(size)};
    auto decision = std::make_unique<trace::Decision>();
    const nb::gil_scoped_release release;
    router->route(request, *ws, *decision);
    return decision;
  }

  nb::object keep;
  const Router* router;
  std::unique_ptr<Router::Workspace, void (*)(Router::Workspace*)> ws;
};

}  // namespace

NB_MODULE(turnout_nanobind, m) {
  nb::class_<trace::Decision>(m, "Decision").def_ro("difficulty", &trace::Decision::difficulty);
  nb::class_<Binding>(m, "Router")
      .def(nb::init<nb::object>())
      .def(
          "route", [](Binding& self, nb::str text) { return self.route(text).release(); },
          nb::rv_policy::take_ownership);
}
