// What every binding file shares.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>

#include "turnout/core.hpp"

namespace turnout::python {

namespace py = pybind11;

// A C-contiguous array of exactly this dtype; a wrong dtype is a TypeError, never a silent copy.
template <class T>
using Array = py::array_t<T, py::array::c_style>;

// Data of a slice of bytes may lie at an odd address, which the compiler must not be told is a T.
inline void check_aligned(const py::array& array, const std::string& name) {
  if ((array.flags() & py::detail::npy_api::NPY_ARRAY_ALIGNED_) == 0)
    throw py::type_error(name +
                         ": expected an array whose data is aligned; numpy.require(x, requirements=\"AC\") copies it");
}

// Checks dtype, contiguity and alignment without conversion; `name` is the path in the error.
template <class T>
Array<T> exact(const py::handle& object, const char* name, int ndim) {
  if (!py::isinstance<Array<T>>(object))
    throw py::type_error(std::string(name) + ": expected a C-contiguous numpy array of " +
                         std::string(py::str(py::dtype::of<T>())) + ", got " +
                         (py::isinstance<py::array>(object)
                              ? "an array of " + std::string(py::str(py::reinterpret_borrow<py::array>(object).dtype()))
                              : std::string(py::str(py::type::of(object).attr("__name__")))));
  auto array = py::reinterpret_borrow<Array<T>>(object);
  check_aligned(array, name);
  if (array.ndim() != ndim)
    throw Error(ErrorKind::input, name,
                "expected " + std::to_string(ndim) + " dimensions, got " + std::to_string(array.ndim()));
  return array;
}

// Sets Python's error to turnout.core's class for it.
void set_error(const Error& error);

void bind_core(py::module_&);
void bind_onnx(py::module_&);
void bind_embed(py::module_&);
void bind_catalog(py::module_&);
void bind_difficulty(py::module_&);
void bind_capability(py::module_&);
void bind_operators(py::module_&);
void bind_assign(py::module_&);
void bind_plan(py::module_&);
void bind_dag(py::module_&);
void bind_graph(py::module_&);
void bind_healing(py::module_&);
void bind_budget(py::module_&);
void bind_telemetry(py::module_&);
void bind_bandit(py::module_&);
void bind_belief(py::module_&);
void bind_consensus(py::module_&);
void bind_state(py::module_&);
void bind_timing(py::module_&);
void bind_trace(py::module_&);
void bind_batch(py::module_&);
void bind_live(py::module_&);
void bind_learner(py::module_&);
void bind_router(py::module_&);

}  // namespace turnout::python
