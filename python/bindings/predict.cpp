// predict and assess: many queries to columns, a window of kMaxBatch rows at a time.
#include <span>

#include "router.hpp"

namespace turnout::python {
namespace {

using difficulty::Assessment;

Array<float> matrix(int rows, std::size_t columns) {
  return Array<float>({static_cast<py::ssize_t>(rows), static_cast<py::ssize_t>(columns)});
}

template <class T>
Array<T> column(int rows) {
  return Array<T>(static_cast<py::ssize_t>(rows));
}

// The rows of a call, whatever they are: assess() fills the assessments of rows [start, start + n) and their tokens.
struct Texted {
  const Router& router;
  const Texts& texts;
  void assess(int start, int n, Router::Workspace& ws, Assessment* out, int* tokens) const {
    router.assess(texts.rows(start, n), start, ws, out, tokens);
  }
};

struct Embedded {
  const Router& router;
  const float* vectors;
  void assess(int start, int n, Router::Workspace& ws, Assessment* out, int* tokens) const {
    router.assess(vectors + static_cast<std::ptrdiff_t>(start) * router.dim(), n, start, ws, out);
    std::fill_n(tokens, n, 0);
  }
};

// use(start, n, assessments, tokens) of every window.
template <class Rows, class Use>
void each_window(PyRouter& self, const Rows& source, int rows, int threads, const Use& use) {
  const py::gil_scoped_release release;
  in_threads(rows, threads, [&](int from, int to) {
    Lease ws(self.pool);
    const auto most = static_cast<std::size_t>(std::min(kMaxBatch, to - from));
    std::vector<Assessment> assessments(most);
    std::vector<int> tokens(most);
    for (int start = from; start < to; start += kMaxBatch) {
      const int n = std::min(kMaxBatch, to - start);
      source.assess(start, n, *ws, assessments.data(), tokens.data());
      use(start, n, assessments.data(), tokens.data());
    }
  });
}

// in_tokens: int32[N], -1 where they are those counted from the text.
template <class Rows>
py::tuple predicted(PyRouter& self, const Rows& source, int rows, const py::object& in_tokens, int threads) {
  const auto given = exact<std::int32_t>(in_tokens, "in_tokens", 1);
  if (given.shape(0) != rows)
    throw Error(ErrorKind::input, "in_tokens",
                "expected " + std::to_string(rows) + " numbers, got " + std::to_string(given.shape(0)));
  const std::size_t llms = self.names->llms.size();
  Array<float> correct = matrix(rows, llms), usd = matrix(rows, llms), p90 = matrix(rows, llms);
  float* p = correct.mutable_data();
  float* price = usd.mutable_data();
  float* dear = p90.mutable_data();
  const std::int32_t* tokens_of = given.data();
  each_window(self, source, rows, threads, [=, &self](int start, int n, const Assessment* a, const int* counted) {
    std::vector<double> row(llms);
    const auto copy = [&](float* out, int i) {
      std::transform(row.begin(), row.end(), out + static_cast<std::size_t>(start + i) * llms,
                     [](double value) { return static_cast<float>(value); });
    };
    for (int i = 0; i < n; ++i) {
      const int tokens = tokens_of[start + i] < 0 ? counted[i] : tokens_of[start + i];
      self.router.predict(a[i], row.data());
      copy(p, i);
      self.router.direct_usd(a[i], tokens, trace::Statistic::mean, row.data());
      copy(price, i);
      self.router.direct_usd(a[i], tokens, trace::Statistic::p90, row.data());
      copy(dear, i);
    }
  });
  return py::make_tuple(correct, usd, p90);
}

template <class Rows>
py::tuple assessed(PyRouter& self, const Rows& source, int rows, int threads) {
  const auto skills = static_cast<std::size_t>(self.router.snapshot().difficulty->skills());
  Array<double> logit = column<double>(rows);
  Array<float> skill = matrix(rows, skills), floor = column<float>(rows), scale = column<float>(rows),
               similarity = column<float>(rows);
  Array<bool> outside = column<bool>(rows);
  each_window(self, source, rows, threads,
              [=, b = logit.mutable_data(), s = skill.mutable_data(), f = floor.mutable_data(),
               v = scale.mutable_data(), near = similarity.mutable_data(),
               far = outside.mutable_data()](int start, int n, const Assessment* a, const int*) {
                for (int i = 0; i < n; ++i) {
                  const int row = start + i;
                  b[row] = a[i].logit;
                  std::copy_n(a[i].skills, skills, s + static_cast<std::size_t>(row) * skills);
                  f[row] = a[i].floor;
                  v[row] = a[i].output_scale;
                  near[row] = a[i].domain_similarity;
                  far[row] = a[i].out_of_domain;
                }
              });
  return py::make_tuple(logit, skill, floor, scale, similarity, outside);
}

py::tuple predict_texts(PyRouter& self, const py::sequence& queries, const py::object& in_tokens, int threads) {
  const Texts texts(queries);
  return predicted(self, Texted{self.router, texts}, static_cast<int>(texts.views.size()), in_tokens, threads);
}

py::tuple predict_vectors(PyRouter& self, const py::object& queries, const py::object& in_tokens, int threads) {
  const auto array = vectors_of(self, queries);
  return predicted(self, Embedded{self.router, array.data()}, static_cast<int>(array.shape(0)), in_tokens, threads);
}

py::tuple assess_texts(PyRouter& self, const py::sequence& queries, int threads) {
  const Texts texts(queries);
  return assessed(self, Texted{self.router, texts}, static_cast<int>(texts.views.size()), threads);
}

py::tuple assess_vectors(PyRouter& self, const py::object& queries, int threads) {
  const auto array = vectors_of(self, queries);
  return assessed(self, Embedded{self.router, array.data()}, static_cast<int>(array.shape(0)), threads);
}

}  // namespace

void bind_predict(py::class_<PyRouter>& router) {
  router.def("predict_texts", predict_texts)
      .def("predict_vectors", predict_vectors)
      .def("assess_texts", assess_texts)
      .def("assess_vectors", assess_vectors);
}

}  // namespace turnout::python
