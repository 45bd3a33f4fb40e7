#include "turnout/capability.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "bindings.hpp"

namespace turnout::python {
namespace {

using capability::Filter;
using capability::Hit;
using capability::Index;

template <class T>
std::vector<T> values(const py::object& object, const char* name) {
  const auto array = exact<T>(object, name, 1);
  return {array.data(), array.data() + array.size()};
}

std::shared_ptr<Index> make(const std::string& library, const py::bytes& data, const std::string& path,
                            const py::object& vectors, const py::object& kinds, const py::object& requirements,
                            const py::object& usd_per_call, float threshold) {
  const std::string_view view(data);
  capability::FaissIndex index(capability::Engine::load(library),
                               {reinterpret_cast<const std::byte*>(view.data()), view.size()}, path);
  const auto rows = exact<float>(vectors, "capability.vectors", 2);
  if (rows.shape(1) != index.dim())
    throw Error(ErrorKind::bundle, path,
                "has " + std::to_string(index.dim()) + " dimensions, the vectors " + std::to_string(rows.shape(1)));
  if (rows.shape(0) != index.size())
    throw Error(ErrorKind::bundle, path,
                "holds " + std::to_string(index.size()) + " vectors, expected " + std::to_string(rows.shape(0)));
  capability::Columns columns;
  columns.vectors.assign(rows.data(), rows.data() + rows.size());
  columns.kinds = values<std::uint8_t>(kinds, "capability.kinds");
  columns.requires_ = values<std::uint32_t>(requirements, "capability.requires");
  columns.usd_per_call = values<float>(usd_per_call, "capability.usd_per_call");
  return std::make_shared<Index>(std::move(index), std::move(columns), threshold);
}

Array<float> rows_of(const Index& index, const py::object& x) {
  const auto rows = exact<float>(x, "x", 2);
  if (rows.shape(1) != index.dim())
    throw Error(ErrorKind::input, "x", "expected float32[N, " + std::to_string(index.dim()) + "]");
  for (py::ssize_t i = 0; i < rows.size(); ++i)
    if (!std::isfinite(rows.data()[i])) throw Error(ErrorKind::input, "x", "expected finite numbers");
  return rows;
}

void check_k(py::ssize_t k) {
  if (k < 0 || k > 1 << 20) throw Error(ErrorKind::input, "k", "expected 0 to 1048576, got " + std::to_string(k));
}

// (ids [N, k], scores [N, k], similarities [N, k], counts [N]); entries beyond a row's count are -1 and 0.
py::tuple search(const Index& self, const py::object& x, py::ssize_t k, std::uint32_t kinds, std::uint32_t granted,
                 double cost_bias) {
  const auto rows = rows_of(self, x);
  check_k(k);
  const auto n = rows.shape(0);
  std::vector<Hit> hits(static_cast<std::size_t>(n * k));
  std::vector<int> counts(static_cast<std::size_t>(n));
  {
    const py::gil_scoped_release release;
    auto ws = self.workspace();
    const Filter filter{kinds, granted, cost_bias};
    for (py::ssize_t start = 0; start < n; start += kMaxBatch)
      self.search(rows.data() + start * self.dim(), static_cast<int>(std::min<py::ssize_t>(kMaxBatch, n - start)),
                  static_cast<int>(k), filter, ws, hits.data() + start * k, counts.data() + start);
  }
  Array<std::int32_t> ids({n, k}), counted(n);
  Array<float> scores({n, k}), similarities({n, k});
  for (py::ssize_t i = 0; i < n * k; ++i) {
    const Hit& hit = hits[static_cast<std::size_t>(i)];
    ids.mutable_data()[i] = hit.id;
    scores.mutable_data()[i] = hit.score;
    similarities.mutable_data()[i] = hit.similarity;
  }
  std::copy(counts.begin(), counts.end(), counted.mutable_data());
  return py::make_tuple(ids, scores, similarities, counted);
}

// The bare engine call, for benchmarks and parity: (distances [N, k], labels [N, k]).
py::tuple search_bare(const Index& self, const py::object& x, py::ssize_t k) {
  const auto rows = rows_of(self, x);
  check_k(k);
  Array<float> distances({rows.shape(0), k});
  Array<std::int64_t> labels({rows.shape(0), k});
  {
    const py::gil_scoped_release release;
    self.faiss().search(rows.data(), rows.shape(0), k, distances.mutable_data(), labels.mutable_data());
  }
  return py::make_tuple(distances, labels);
}

// Microseconds inside C++ of each row's search, and of the bare engine call for the same candidates right after it:
// what the stage adds to FAISS is the difference.
py::tuple time_search(const Index& self, const py::object& x, py::ssize_t k) {
  using Clock = std::chrono::steady_clock;
  const auto rows = rows_of(self, x);
  check_k(k);
  const auto n = rows.shape(0);
  const std::int64_t proposed = std::min<std::int64_t>(k + Index::kSlack, self.size());
  Array<double> ours(n), bare(n);
  std::vector<Hit> hits(static_cast<std::size_t>(k));
  std::vector<float> distances(static_cast<std::size_t>(proposed));
  std::vector<std::int64_t> labels(static_cast<std::size_t>(proposed));
  auto ws = self.workspace();
  double *our_times = ours.mutable_data(), *bare_times = bare.mutable_data();
  const auto timed = [](const auto& f) {
    const auto start = Clock::now();
    f();
    return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
  };
  {
    const py::gil_scoped_release release;
    for (py::ssize_t i = 0; i < n; ++i) {
      const float* row = rows.data() + i * self.dim();
      // Once before, so that both find the row and the vectors in the cache.
      self.faiss().search(row, 1, proposed, distances.data(), labels.data());
      our_times[i] = timed([&] { self.search(row, static_cast<int>(k), {}, ws, hits.data()); });
      bare_times[i] = timed([&] { self.faiss().search(row, 1, proposed, distances.data(), labels.data()); });
    }
  }
  return py::make_tuple(ours, bare);
}

}  // namespace

void bind_capability(py::module_& m) {
  py::class_<Index, std::shared_ptr<Index>>(m, "CapabilityIndex",
                                            "Tools and agents: FAISS proposes, the core re-scores.")
      .def(py::init(&make), py::arg("library"), py::arg("data"), py::arg("path"), py::arg("vectors"), py::arg("kinds"),
           py::arg("requires"), py::arg("usd_per_call"), py::arg("threshold") = Index::kNoThreshold)
      .def("search", search, py::arg("x"), py::arg("k"), py::kw_only(), py::arg("kinds") = ~0u,
           py::arg("granted") = ~0u, py::arg("cost_bias") = 0.0)
      .def("search_bare", search_bare, py::arg("x"), py::arg("k"))
      .def("time_search", time_search, py::arg("x"), py::arg("k"))
      .def("__len__", &Index::size)
      .def_property_readonly("dim", &Index::dim)
      .def_property_readonly("threshold", &Index::threshold)
      .def_property_readonly("vectors",
                             [](const Index& i) {
                               const auto n = static_cast<py::ssize_t>(i.size());
                               Array<float> rows({n, static_cast<py::ssize_t>(i.dim())});
                               std::copy(i.vectors().begin(), i.vectors().end(), rows.mutable_data());
                               return rows;
                             })
      .def_property_readonly("type", [](const Index& i) { return i.faiss().type(); });
  m.def(
      "faiss_version", [](const std::string& path) { return capability::Engine::load(path)->version(); },
      py::arg("path"));
  m.def("live_faiss_indexes", &capability::live_indexes, "FAISS indexes that are alive: a leak is a test.");
}

}  // namespace turnout::python
