#include "turnout/consensus.hpp"

#include "bindings.hpp"

namespace turnout::python {
namespace {

using namespace consensus;

template <class T>
std::span<const T> view(const Array<T>& a) {
  return {a.data(), static_cast<std::size_t>(a.size())};
}

template <class T>
std::span<T> room(Array<T>& a) {
  return {a.mutable_data(), static_cast<std::size_t>(a.size())};
}

std::vector<double> scratch_of(const Array<double>& values) {
  return std::vector<double>(static_cast<std::size_t>(values.size()));
}

Array<std::uint8_t> counted(const py::object& llms, const py::object& samples) {
  const auto llm = exact<std::int32_t>(llms, "llms", 1);
  const auto sample = exact<std::int64_t>(samples, "samples", 1);
  if (llm.size() != sample.size()) throw Error(ErrorKind::input, "samples", "expected one a vote");
  std::vector<Source> sources(static_cast<std::size_t>(llm.size()));
  for (std::size_t i = 0; i < sources.size(); ++i) sources[i] = {llm.data()[i], sample.data()[i]};
  Array<std::uint8_t> out(llm.size());
  distinct(sources, room(out));
  return out;
}

Array<double> independent(const py::object& llms, const py::object& rho) {
  const auto llm = exact<std::int32_t>(llms, "llms", 1);
  const auto r = exact<double>(rho, "rho", 1);
  Array<double> out(llm.size());
  independence(view(llm), view(r), room(out));
  return out;
}

std::pair<Winner, Array<double>> voted(const py::object& answers, int classes, const py::object& weights,
                                       const py::object& abilities) {
  const auto a = exact<std::int32_t>(answers, "answers", 1);
  const auto w = exact<double>(weights, "weights", 1);
  const auto able = exact<double>(abilities, "abilities", 1);
  Array<double> scores(classes);
  const Winner winner = vote({view(a), view(w), view(able)}, room(scores));
  return {winner, scores};
}

Array<double> quadratic_weights(const py::object& credits, const py::object& voters, const py::object& authors) {
  const auto c = exact<double>(credits, "credits", 1);
  const auto v = exact<std::int32_t>(voters, "voters", 1);
  const auto a = exact<std::int32_t>(authors, "authors", 1);
  Array<double> out(c.size());
  quadratic(view(c), view(v), view(a), room(out));
  return out;
}

double trimmed(const py::object& values, double trim) {
  const auto v = exact<double>(values, "values", 1);
  auto scratch = scratch_of(v);
  return trimmed_mean(view(v), trim, scratch);
}

double middle(const py::object& values) {
  const auto v = exact<double>(values, "values", 1);
  auto scratch = scratch_of(v);
  return median(view(v), scratch);
}

template <void (*Pool)(const Opinions&, std::span<double>)>
Array<double> pooled(const py::object& opinions, const py::object& weights) {
  const auto rows = exact<double>(opinions, "opinions", 2);
  const auto w = exact<double>(weights, "weights", 1);
  Array<double> out(rows.shape(1));
  Pool({view(rows), view(w), static_cast<int>(rows.shape(1))}, room(out));
  return out;
}

std::pair<Array<double>, Array<double>> fused(const py::object& scores, const py::object& weights, int top) {
  const auto rows = exact<double>(scores, "opinions", 2);
  const auto w = exact<double>(weights, "weights", 1);
  Array<double> used(rows.shape(0)), out(rows.shape(1));
  fuse({view(rows), view(w), static_cast<int>(rows.shape(1))}, top, room(used), room(out));
  return {used, out};
}

py::tuple agreed(const py::object& answers, int classes) {
  const auto a = exact<std::int32_t>(answers, "answers", 1);
  std::vector<double> counts(static_cast<std::size_t>(classes));
  const Agreement found = agreement(view(a), counts);
  return py::make_tuple(found.answers, found.distinct, found.sigma, found.share, found.entropy);
}

}  // namespace

void bind_consensus(py::module_& m) {
  m.attr("max_votes") = kMaxVotes;
  m.def("distinct_votes", counted, py::arg("llms"), py::arg("samples"));
  m.def("effective_votes", &effective_votes, py::arg("n"), py::arg("rho"));
  m.def("independence", independent, py::arg("llms"), py::arg("rho"));
  m.def(
      "vote",
      [](const py::object& answers, int classes, const py::object& weights, const py::object& abilities) {
        const auto [winner, scores] = voted(answers, classes, weights, abilities);
        return py::make_tuple(winner.answer, winner.score, winner.share, winner.tied, scores);
      },
      py::arg("answers"), py::arg("classes"), py::arg("weights"), py::arg("abilities"));
  m.def("quadratic_weights", quadratic_weights, py::arg("credits"), py::arg("voters"), py::arg("authors"));
  m.def("trimmed_mean", trimmed, py::arg("values"), py::arg("trim"));
  m.def("median", middle, py::arg("values"));
  m.def("linear_pool", pooled<linear_pool>, py::arg("opinions"), py::arg("weights"));
  m.def("log_pool", pooled<log_pool>, py::arg("opinions"), py::arg("weights"));
  m.def("fuse", fused, py::arg("scores"), py::arg("weights"), py::arg("top"));
  m.def("agreement", agreed, py::arg("answers"), py::arg("classes"));
}

}  // namespace turnout::python
