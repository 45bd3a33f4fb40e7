// What a route accepts as a query: str, bytes, or exactly the vector that embed(text) returns.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bindings.hpp"

namespace turnout::python {

// A view of a text. Lone surrogates are passed through as bytes that the tokenizer replaces by U+FFFD.
class TextView {
 public:
  explicit TextView(py::handle object) {
    if (PyBytes_Check(object.ptr())) {
      view_ = {PyBytes_AS_STRING(object.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(object.ptr()))};
      return;
    }
    Py_ssize_t size = 0;
    if (const char* data = PyUnicode_AsUTF8AndSize(object.ptr(), &size)) {
      view_ = {data, static_cast<std::size_t>(size)};
      return;
    }
    PyErr_Clear();
    owner_ = py::reinterpret_steal<py::object>(PyUnicode_AsEncodedString(object.ptr(), "utf-8", "surrogatepass"));
    if (!owner_) throw py::error_already_set();
    view_ = {PyBytes_AS_STRING(owner_.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(owner_.ptr()))};
  }
  std::string_view view() const { return view_; }

 private:
  py::object owner_;
  std::string_view view_;
};

inline bool is_text(py::handle object) { return PyUnicode_Check(object.ptr()) || PyBytes_Check(object.ptr()); }

// A float32 vector of exactly `dim` elements, or an error that names the embedder and both dimensions.
inline const float* vector_data(py::handle object, int dim, const std::string& embedder) {
  if (!py::isinstance<Array<float>>(object)) {
    if (!py::isinstance<py::array>(object))
      throw py::type_error("query: expected str, bytes or a float32 vector of '" + embedder + "', got " +
                           std::string(py::str(py::type::of(object).attr("__name__"))));
    throw py::type_error("query: expected a C-contiguous float32 vector of '" + embedder + "', got an array of " +
                         std::string(py::str(py::reinterpret_borrow<py::array>(object).dtype())));
  }
  const auto array = py::reinterpret_borrow<Array<float>>(object);
  if (array.ndim() != 1 || array.shape(0) != dim)
    throw Error(ErrorKind::input, "query",
                "expected float32[" + std::to_string(dim) + "], as '" + embedder + "' gives, got shape " +
                    std::string(py::str(object.attr("shape"))));
  check_aligned(array, "query");
  return array.data();
}

}  // namespace turnout::python
