// Methods that take nothing but keyword numbers, by CPython's own calling convention: pybind11's takes 1 to 2 us for
// five keywords (bench case budget_reserve_commit), more than what it would call.
#pragma once

#include <array>
#include <cmath>
#include <limits>

#include "bindings.hpp"

namespace turnout::python {

// The index of a keyword among `names` (interned, so most are equal by address), or a TypeError.
inline std::size_t keyword_index(PyObject* keyword, PyObject* const* names, std::size_t count, const char* method) {
  for (std::size_t i = 0; i < count; ++i)
    if (keyword == names[i]) return i;
  for (std::size_t i = 0; i < count; ++i)
    if (PyUnicode_Compare(keyword, names[i]) == 0) return i;
  throw py::type_error(std::string(method) + "() got an unexpected keyword argument '" +
                       py::cast<std::string>(py::handle(keyword)) + "'");
}

inline double number_of(PyObject* value) {
  const double number = PyFloat_AsDouble(value);
  if (number == -1.0 && PyErr_Occurred()) throw py::error_already_set();
  return number;
}

// As number_of, of a keyword, which an error names. An integer beyond every float is infinite, which the core refuses.
inline double keyword_number(PyObject* value, PyObject* keyword) {
  const double number = PyFloat_AsDouble(value);
  if (number != -1.0 || !PyErr_Occurred()) return number;
  if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
    PyErr_Clear();
    return std::numeric_limits<double>::infinity();
  }
  if (!PyErr_ExceptionMatches(PyExc_TypeError)) throw py::error_already_set();
  PyErr_Clear();
  throw py::type_error(py::cast<std::string>(py::handle(keyword)) + ": expected a number, got " +
                       std::string(py::str(py::type::handle_of(value).attr("__name__"))));
}

// Reads keywords into `values`, which holds the defaults; None leaves a default.
template <std::size_t N>
void read_keywords(PyObject* const* args, Py_ssize_t positional, PyObject* keywords,
                   const std::array<PyObject*, N>& names, const char* method, std::array<double, N>& values) {
  if (positional != 0) throw py::type_error(std::string(method) + "() takes keyword arguments only");
  const Py_ssize_t count = keywords == nullptr ? 0 : PyTuple_GET_SIZE(keywords);
  for (Py_ssize_t i = 0; i < count; ++i)
    if (const std::size_t at = keyword_index(PyTuple_GET_ITEM(keywords, i), names.data(), N, method);
        args[i] != Py_None)
      values[at] = keyword_number(args[i], names[at]);
}

// Runs `body` as the body of a C method: what it throws becomes the Python error. Not noexcept: a daemon thread that a
// Python clock lets go of the GIL is unwound, from here too, when the interpreter ends.
template <class Body>
PyObject* c_method(Body&& body) {
  try {
    return body().release().ptr();
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const Error& error) {
    set_error(error);
  } catch (const py::builtin_exception& error) {
    error.set_error();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

// Adds a method with static storage to a class.
inline void add_method(py::object& cls, PyMethodDef& method) {
  const auto descriptor =
      py::reinterpret_steal<py::object>(PyDescr_NewMethod(reinterpret_cast<PyTypeObject*>(cls.ptr()), &method));
  if (!descriptor) throw py::error_already_set();
  cls.attr(method.ml_name) = descriptor;
}

}  // namespace turnout::python
