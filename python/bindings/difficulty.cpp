#include "turnout/difficulty.hpp"

#include <mutex>

#include "difficulty.hpp"

namespace turnout::python {
namespace {

// [2, K]: offsets, floors.
void add_domains(const Array<float>& rows, difficulty::Tables& t) {
  if (rows.shape(0) != 2) throw Error(ErrorKind::input, "domains", "expected [2, K]");
  t.domains = static_cast<int>(rows.shape(1));
  t.domain_offsets.assign(rows.data(), rows.data() + t.domains);
  t.domain_floors.assign(rows.data() + t.domains, rows.data() + rows.size());
}

difficulty::Tables tables_of(int latent, int skills, const py::object& heads, const py::object& centroids,
                             double threshold, double mean, int lexical, const py::object& domains) {
  const auto h = exact<float>(heads, "heads", 2), c = exact<float>(centroids, "centroids", 2);
  difficulty::Tables t;
  t.latent = latent;
  t.skills = skills;
  t.lexical = lexical;
  t.heads.assign(h.data(), h.data() + h.size());
  t.centroids.assign(c.data(), c.data() + c.size());
  t.domain_threshold = static_cast<float>(threshold);
  t.mean_difficulty = mean;
  if (!domains.is_none()) add_domains(exact<float>(domains, "domains", 2), t);
  return t;
}

SharedModel make(std::shared_ptr<onnx::Session> network, int latent, int skills, const py::object& heads,
                 const py::object& centroids, double threshold, double mean, int lexical, const py::object& domains) {
  return std::make_shared<PyModel>(std::move(network),
                                   tables_of(latent, skills, heads, centroids, threshold, mean, lexical, domains));
}

std::vector<float> copy(const float* values, int n) { return {values, values + n}; }

const float* rows(const PyModel& m, const Array<float>& x) {
  if (x.shape(x.ndim() - 1) != m.model.dim())
    throw Error(ErrorKind::input, "x", "expected rows of " + std::to_string(m.model.dim()) + " numbers");
  return x.data();
}

difficulty::Assessment assess(PyModel& m, const py::object& x) {
  const float* data = rows(m, exact<float>(x, "x", 1));
  difficulty::Assessment a;
  const py::gil_scoped_release release;
  const std::lock_guard lock(m.mutex);
  m.model.assess(data, m.workspace, a);
  return a;
}

std::vector<difficulty::Assessment> assess_batch(PyModel& m, const py::object& x) {
  const auto array = exact<float>(x, "x", 2);
  const float* data = rows(m, array);
  const auto n = static_cast<int>(array.shape(0));
  std::vector<difficulty::Assessment> out(static_cast<std::size_t>(n));
  const py::gil_scoped_release release;
  const std::lock_guard lock(m.mutex);
  for (int start = 0; start < n; start += kMaxBatch)
    m.model.assess(data + static_cast<std::ptrdiff_t>(start) * m.model.dim(), std::min(kMaxBatch, n - start),
                   m.workspace, out.data() + start);
  return out;
}

}  // namespace

void bind_difficulty(py::module_& m) {
  using difficulty::Assessment;
  py::class_<Assessment>(m, "Assessment",
                         "What is known of one query: difficulty, latent, skills, distance to the training data.")
      .def_readonly("difficulty", &Assessment::difficulty)
      .def_readonly("logit", &Assessment::logit)
      .def_readonly("domain_similarity", &Assessment::domain_similarity)
      .def_readonly("floor", &Assessment::floor)
      .def_readonly("output_scale", &Assessment::output_scale)
      .def_readonly("log_output_scale", &Assessment::log_output_scale)
      .def_readonly("out_of_domain", &Assessment::out_of_domain)
      .def_property_readonly("latent_mean", [](const Assessment& a) { return copy(a.latent_mean, kMaxLatent); })
      .def_property_readonly("latent_logvar", [](const Assessment& a) { return copy(a.latent_logvar, kMaxLatent); })
      .def_property_readonly("skills", [](const Assessment& a) { return copy(a.skills, kMaxSkills); });
  py::class_<PyModel, SharedModel>(m, "DifficultyModel", "The exported network with its tables: vector -> Assessment.")
      .def(py::init(&make), py::arg("network").none(false), py::kw_only(), py::arg("latent"), py::arg("skills"),
           py::arg("heads"), py::arg("centroids"), py::arg("domain_threshold"), py::arg("mean_difficulty"),
           py::arg("lexical") = 0, py::arg("domains") = py::none())
      .def("assess", assess, py::arg("x"), "One float32[D] row, greedy: the latent mean.")
      .def("assess_batch", assess_batch, py::arg("x"), "Rows float32[N, D].")
      .def(
          "sample",
          [](const PyModel& self, const Assessment& a, Philox& rng) {
            Assessment moved = a;
            self.model.sample(moved, rng);
            return moved;
          },
          py::arg("assessment"), py::arg("rng"), "Moved to a latent drawn from its posterior.")
      .def(
          "mean", [](const PyModel& self) { return self.model.mean(); }, "The assessment of a query without text.")
      .def_property_readonly("dim", [](const PyModel& self) { return self.model.dim(); })
      .def_property_readonly("latent", [](const PyModel& self) { return self.model.latent(); })
      .def_property_readonly("skills", [](const PyModel& self) { return self.model.skills(); })
      .def_property_readonly("domains", [](const PyModel& self) { return self.model.domains(); });
}

}  // namespace turnout::python
