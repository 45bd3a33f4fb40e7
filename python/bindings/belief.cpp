#include "turnout/belief.hpp"

#include "read.hpp"

namespace turnout::python {
namespace {

using namespace belief;

template <class T>
std::span<const T> view(const Array<T>& a) {
  return {a.data(), static_cast<std::size_t>(a.size())};
}

template <class T>
std::span<T> room(Array<T>& a) {
  return {a.mutable_data(), static_cast<std::size_t>(a.size())};
}

// Rows as turnout.belief makes them, so their types are checked there: what is left is said with the row.
template <class T, class Read>
std::vector<T> rows(const py::list& list, const char* column, const Read& read) {
  std::vector<T> out(list.size());
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = at_element(column, i, [&] { return read(py::reinterpret_borrow<py::tuple>(list[i])); });
  return out;
}

Llm llm_of(const py::tuple& t) {
  return {real_of(t[0], "p_correct"), real_of(t[1], "usd"), real_of(t[2], "seconds"), flag_of(t[3], "allowed"),
          integer_of<std::int32_t>(t[4], "samples")};
}

Answer answer_of(const py::tuple& t) {
  return {integer_of<std::int32_t>(t[0], "llm"), integer_of<std::int32_t>(t[1], "answer"),
          integer_of<std::int64_t>(t[2], "sample"), flag_of(t[3], "reused"), real_of(t[4], "score")};
}

AnswerModel model_of(const py::tuple& t) {
  return {integer_of<std::int32_t>(t[0], "model.others", ErrorKind::config),
          real_of(t[1], "model.common"),
          real_of(t[2], "model.common_gain"),
          real_of(t[3], "model.spread"),
          real_of(t[4], "model.rho"),
          real_of(t[5], "model.score_weight")};
}

py::tuple next_step(const py::list& llms, const py::list& answers, const py::tuple& worth, const py::tuple& left,
                    const py::tuple& model, int depth) {
  const auto all = rows<Llm>(llms, "llms", llm_of);
  const auto said = rows<Answer>(answers, "answers", answer_of);
  Question q;
  q.llms = all;
  q.answers = said;
  q.value_usd = real_of(worth[0], "value_usd");
  q.wrong_usd = real_of(worth[1], "wrong_usd");
  q.usd_per_second = real_of(worth[2], "usd_per_second");
  q.left = {real_of(left[0], "left.usd"), real_of(left[1], "left.seconds"), real_of(left[2], "left.calls")};
  q.model = model_of(model);
  q.depth = depth;
  Step s;
  {
    py::gil_scoped_release release;
    s = next(q);
  }
  return py::make_tuple(action_name(s.action), reason_name(s.reason), s.llm, s.answer, s.posterior, s.voi, s.cost,
                        s.sigma, s.votes, s.abstain);
}

Array<double> posterior(const py::list& llms, const py::list& answers, const py::tuple& model, int distinct) {
  const auto all = rows<Llm>(llms, "llms", llm_of);
  const auto said = rows<Answer>(answers, "answers", answer_of);
  Array<double> out(distinct + 1);
  answer_posterior(all, said, model_of(model), room(out));
  return out;
}

Array<double> rated(const py::object& ratings, bool median, double trim) {
  const auto r = exact<double>(ratings, "ratings", 2);
  std::vector<double> scratch(static_cast<std::size_t>(2 * r.shape(0)));
  Array<double> out(r.shape(1));
  log_likelihoods(view(r), median ? Aggregate::median : Aggregate::trimmed_mean, trim, scratch, room(out));
  return out;
}

void bind_states(py::module_& m) {
  m.def("log_likelihoods", rated, py::arg("ratings"), py::arg("median"), py::arg("trim"));
  py::class_<Belief>(m, "Belief")
      .def(py::init([](const py::object& prior) { return Belief(view(exact<double>(prior, "prior", 1))); }),
           py::arg("prior"))
      .def(
          "update",
          [](Belief& b, const py::object& log_likelihood, double alpha) {
            b.update(view(exact<double>(log_likelihood, "log_likelihood", 1)), alpha);
          },
          py::arg("log_likelihood"), py::arg("alpha"))
      .def("probabilities", [](const Belief& b) {
        Array<double> out(b.states());
        b.probabilities(room(out));
        return out;
      });
  m.def(
      "least_loss",
      [](const py::object& p, const py::object& loss) {
        const Act found = act(view(exact<double>(p, "p", 1)), view(exact<double>(loss, "loss", 2)));
        return std::pair(found.action, found.loss);
      },
      py::arg("p"), py::arg("loss"));
  m.def(
      "value_of_information",
      [](const py::object& p, const py::object& loss, const py::object& likelihood) {
        return value_of_information(view(exact<double>(p, "p", 1)), view(exact<double>(loss, "loss", 2)),
                                    view(exact<double>(likelihood, "likelihood", 2)));
      },
      py::arg("p"), py::arg("loss"), py::arg("likelihood"));
}

void bind_policies(py::module_& m) {
  m.def(
      "models_to_ask",
      [](const py::object& probes, int classes) {
        std::vector<double> counts(static_cast<std::size_t>(classes));
        return models_to_ask(view(exact<std::int32_t>(probes, "probes", 1)), counts);
      },
      py::arg("probes"), py::arg("classes"));
  m.def("accept", &accept, py::arg("confidence"), py::arg("threshold"), py::arg("last"));
  m.def(
      "act_alone",
      [](const py::object& samples, bool all, int classes) {
        std::vector<double> counts(static_cast<std::size_t>(classes));
        return act_alone(view(exact<std::int32_t>(samples, "samples", 1)), all ? Student::all : Student::plurality,
                         counts);
      },
      py::arg("samples"), py::arg("all"), py::arg("classes"));
  m.def("break_even", &break_even, py::arg("upfront_usd"), py::arg("saving_usd"));
}

}  // namespace

void bind_belief(py::module_& m) {
  m.attr("max_answers") = kMaxAnswers;
  m.attr("max_distinct") = kMaxDistinct;
  const AnswerModel d;
  m.attr("answer_model") = py::make_tuple(d.others, d.common, d.common_gain, d.spread, d.rho, d.score_weight);
  m.def("next_step", next_step, py::arg("llms"), py::arg("answers"), py::arg("worth"), py::arg("left"),
        py::arg("model"), py::arg("depth"));
  m.def("answer_posterior", posterior, py::arg("llms"), py::arg("answers"), py::arg("model"), py::arg("distinct"));
  bind_states(m);
  bind_policies(m);
}

}  // namespace turnout::python
