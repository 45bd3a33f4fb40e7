// Python values as C++ ones; what has another type is an InputError with the path to it. A path is built only then.
#pragma once

#include <concepts>
#include <limits>

#include "bindings.hpp"

namespace turnout::python {

[[noreturn]] inline void refuse_type(const py::handle& value, const char* path, const char* expected) {
  const std::string got = py::str(py::type::handle_of(value).attr("__name__"));
  throw Error(ErrorKind::input, path, std::string("expected ") + expected + ", got " + got);
}

// Clears a Python error of this class; any other goes on.
inline void clear_error(PyObject* cls) {
  if (!PyErr_ExceptionMatches(cls)) throw py::error_already_set();
  PyErr_Clear();
}

inline std::string text_of(const py::handle& value, const char* path) {
  if (!PyUnicode_Check(value.ptr())) refuse_type(value, path, "a str");
  Py_ssize_t size = 0;
  if (const char* const text = PyUnicode_AsUTF8AndSize(value.ptr(), &size))
    return {text, static_cast<std::size_t>(size)};
  clear_error(PyExc_UnicodeEncodeError);
  throw Error(ErrorKind::input, path, "expected text without halves of characters");
}

// A str counts as its UTF-8 bytes.
inline std::string bytes_of(const py::handle& value, const char* path) {
  if (PyUnicode_Check(value.ptr())) return text_of(value, path);
  if (!PyBytes_Check(value.ptr())) refuse_type(value, path, "a str or bytes");
  return {PyBytes_AS_STRING(value.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(value.ptr()))};
}

inline double real_of(const py::handle& value, const char* path) {
  const double number = PyFloat_AsDouble(value.ptr());
  if (number != -1.0 || !PyErr_Occurred()) return number;
  if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
    PyErr_Clear();
    throw Error(ErrorKind::input, path, "expected a number, got an integer beyond every float");
  }
  clear_error(PyExc_TypeError);
  refuse_type(value, path, "a number");
}

template <std::integral Int>
Int integer_of(const py::handle& value, const char* path, ErrorKind kind = ErrorKind::input) {
  const auto index = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
  if (!index) {
    clear_error(PyExc_TypeError);
    refuse_type(value, path, "an integer");
  }
  using Wide = std::conditional_t<std::is_signed_v<Int>, long long, unsigned long long>;
  Wide number;
  if constexpr (std::is_signed_v<Int>)
    number = PyLong_AsLongLong(index.ptr());
  else
    number = PyLong_AsUnsignedLongLong(index.ptr());
  const bool beyond = number == static_cast<Wide>(-1) && PyErr_Occurred();
  if (beyond) clear_error(PyExc_OverflowError);
  if (beyond || number < std::numeric_limits<Int>::min() || number > std::numeric_limits<Int>::max())
    throw Error(kind, path,
                "expected an integer of " + std::to_string(8 * sizeof(Int)) + " bits with" +
                    (std::is_signed_v<Int> ? "" : "out") + " a sign");
  return static_cast<Int>(number);
}

inline bool flag_of(const py::handle& value, const char* path) {
  try {
    return value.cast<bool>();
  } catch (const py::cast_error&) {
    refuse_type(value, path, "a bool");
  }
}

// f(); an error's path is then one of column[i].
template <class F>
auto at_element(const char* column, std::size_t i, const F& f) {
  try {
    return f();
  } catch (const Error& e) {
    const std::string what = e.what(), at = std::string(column) + "[" + std::to_string(i) + "]";
    throw Error(e.kind, e.path.empty() ? at : at + "." + e.path, what.substr(e.path.empty() ? 0 : e.path.size() + 2));
  }
}

}  // namespace turnout::python
