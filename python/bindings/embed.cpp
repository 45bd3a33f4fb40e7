#include "turnout/embed.hpp"

#include <algorithm>

#include "bindings.hpp"
#include "query.hpp"

namespace turnout::python {
namespace {

using embed::Embedder;
using embed::OnnxEmbedder;
using embed::StaticEmbedder;
using embed::Tokenizer;
using embed::Workspace;

// One a thread, grown to its high-water mark.
Workspace& workspace() {
  thread_local Workspace ws;
  return ws;
}

void check_text(const py::handle& object, const std::string& path) {
  if (!is_text(object))
    throw py::type_error(path + ": expected str or bytes, got " +
                         std::string(py::str(py::type::of(object).attr("__name__"))));
}

py::object frozen(const py::array& array) {
  py::detail::array_proxy(array.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
  return array;
}

template <class T>
std::vector<T> copy(const Array<T>& array) {
  return {array.data(), array.data() + array.size()};
}

py::object encode(const Tokenizer& self, const py::object& text) {
  check_text(text, "text");
  const TextView view(text);
  Workspace& ws = workspace();
  {
    const py::gil_scoped_release release;
    self.encode(view.view(), ws);
  }
  return py::array_t<std::int32_t>(static_cast<py::ssize_t>(ws.ids.size()), ws.ids.data());
}

// What lexical_features gives, as CSR: the ascending buckets of each text, its marks and its tokens.
struct Lexical {
  std::vector<std::int64_t> starts{0};
  std::vector<std::int32_t> buckets, marks, tokens;

  void add(const Tokenizer& tokenizer, std::string_view text, int bits, int head, int tail) {
    Workspace& ws = workspace();
    tokenizer.encode(text, ws);
    const auto all = static_cast<int>(ws.ids.size());
    embed::keep_head_and_tail(ws.ids, head, tail);
    embed::find_buckets(ws.ids, bits, ws);
    std::sort(ws.buckets.begin(), ws.buckets.end());
    buckets.insert(buckets.end(), ws.buckets.begin(), ws.buckets.end());
    starts.push_back(static_cast<std::int64_t>(buckets.size()));
    marks.resize(marks.size() + embed::kMarks);
    embed::find_marks(text, all, marks.data() + marks.size() - embed::kMarks);
    tokens.push_back(all);
  }
};

template <class T>
py::array_t<T> array_of(const std::vector<T>& values) {
  return py::array_t<T>(static_cast<py::ssize_t>(values.size()), values.data());
}

py::tuple lexical_features(const Tokenizer& self, const py::object& texts, int bits, int head, int tail) {
  if (is_text(texts)) throw py::type_error("texts: expected a sequence of texts, got one");
  if (bits < embed::kMinBucketBits || bits > embed::kMaxBucketBits)
    throw Error(ErrorKind::input, "bits",
                "expected " + std::to_string(embed::kMinBucketBits) + " to " + std::to_string(embed::kMaxBucketBits) +
                    ", got " + std::to_string(bits));
  if (head < 0 || tail < 0 || std::int64_t{head} + tail < 1)
    throw Error(ErrorKind::input, "head", "expected head and tail to be numbers >= 0, one of them > 0");
  const py::tuple held(texts);  // the caller's list may change while others run
  std::vector<TextView> views;
  views.reserve(held.size());
  for (std::size_t i = 0; i < held.size(); ++i) {
    check_text(held[i], "texts[" + std::to_string(i) + "]");
    views.emplace_back(held[i]);
    if (views.back().view().size() > kMaxTextBytes)
      throw Error(ErrorKind::input, "texts[" + std::to_string(i) + "]",
                  "expected at most " + std::to_string(kMaxTextBytes) + " bytes, got " +
                      std::to_string(views.back().view().size()));
  }
  Lexical found;
  {
    const py::gil_scoped_release release;
    for (const TextView& text : views) found.add(self, text.view(), bits, head, tail);
  }
  return py::make_tuple(array_of(found.starts), array_of(found.buckets),
                        py::array_t<std::int32_t>({static_cast<py::ssize_t>(views.size()), py::ssize_t{embed::kMarks}},
                                                  found.marks.data()),
                        array_of(found.tokens));
}

py::object embed_text(const Embedder& self, const py::object& text) {
  check_text(text, "text");
  const TextView view(text);
  py::array_t<float> out(self.dim());
  float* data = out.mutable_data();
  {
    const py::gil_scoped_release release;
    self.embed(view.view(), workspace(), data);
  }
  return frozen(out);
}

int count_tokens(const Embedder& self, const py::object& text) {
  check_text(text, "text");
  const TextView view(text);
  const py::gil_scoped_release release;
  return self.count(view.view(), workspace());
}

py::object embed_batch(const Embedder& self, const py::object& texts) {
  if (is_text(texts)) throw py::type_error("texts: expected a sequence of texts, got one; use embed()");
  const py::tuple held(texts);  // the caller's list may change while others run
  std::vector<TextView> views;
  for (std::size_t i = 0; i < held.size(); ++i) {
    check_text(held[i], "texts[" + std::to_string(i) + "]");
    views.emplace_back(held[i]);
  }
  py::array_t<float> out({static_cast<py::ssize_t>(views.size()), static_cast<py::ssize_t>(self.dim())});
  float* data = out.mutable_data();
  {
    const py::gil_scoped_release release;
    for (std::size_t i = 0; i < views.size(); ++i)
      self.embed(views[i].view(), workspace(), data + i * static_cast<std::size_t>(self.dim()));
  }
  return frozen(out);
}

py::object embed_ids(const StaticEmbedder& self, const py::object& ids) {
  const auto array = exact<std::int32_t>(ids, "ids", 1);
  for (py::ssize_t i = 0; i < array.size(); ++i) self.tokenizer().token(array.data()[i]);  // checks the range
  if (array.size() > StaticEmbedder::kMaxKept)
    throw Error(ErrorKind::input, "ids", "expected at most " + std::to_string(StaticEmbedder::kMaxKept));
  py::array_t<float> out(self.unit_dim());
  self.embed_ids({array.data(), static_cast<std::size_t>(array.size())}, workspace(), out.mutable_data());
  return frozen(out);
}

// (ngrams int8[B, R], ngram_weights int16[B], ngram_scale float32[R], marks float32[116, R]), or None.
embed::LexicalTables lexical_tables(const py::object& lexical) {
  embed::LexicalTables t;
  if (lexical.is_none()) return t;
  const auto tables = lexical.cast<py::tuple>();
  if (tables.size() != 4) throw py::type_error("lexical: expected four arrays");
  const auto rows = exact<std::int8_t>(tables[0], "ngrams", 2);
  const auto marks = exact<float>(tables[3], "marks", 2);
  if (rows.shape(1) < 1 || rows.shape(1) > embed::LexicalTables::kMaxWidth || marks.shape(1) != rows.shape(1))
    throw Error(ErrorKind::bundle, "lexical", "expected ngrams and marks of the same 16, 32, 48 or 64 columns");
  t.width = static_cast<int>(rows.shape(1));
  t.rows = copy(rows);
  t.weights = copy(exact<std::int16_t>(tables[1], "ngram_weights", 1));
  t.scale = copy(exact<float>(tables[2], "ngram_scale", 1));
  t.marks = copy(marks);
  return t;
}

std::shared_ptr<StaticEmbedder> make_static(const py::bytes& vocab, const py::object& rows, const py::object& weights,
                                            const std::string& name, int head, int tail, const py::object& lexical) {
  const auto r = exact<std::int8_t>(rows, "rows", 2);
  const auto w = exact<std::int16_t>(weights, "weights", 1);
  Tokenizer tokenizer{std::string_view(vocab)};
  if (r.shape(0) != tokenizer.size())
    throw Error(ErrorKind::bundle, "rows",
                "expected one a token, " + std::to_string(tokenizer.size()) + ", got " + std::to_string(r.shape(0)));
  if (r.shape(1) > StaticEmbedder::kMaxStaticDim)
    throw Error(ErrorKind::bundle, "rows",
                "expected at most " + std::to_string(StaticEmbedder::kMaxStaticDim) + " columns, got " +
                    std::to_string(r.shape(1)));
  return std::make_shared<StaticEmbedder>(std::move(tokenizer), copy(r), copy(w), static_cast<int>(r.shape(1)),
                                          StaticEmbedder::Options{name, head, tail}, lexical_tables(lexical));
}

std::shared_ptr<OnnxEmbedder> make_onnx(const py::bytes& vocab, std::shared_ptr<onnx::Session> session,
                                        const std::string& name, int max_tokens) {
  return std::make_shared<OnnxEmbedder>(Tokenizer{std::string_view(vocab)}, std::move(session),
                                        OnnxEmbedder::Options{name, max_tokens});
}

}  // namespace

void bind_embed(py::module_& m) {
  py::class_<Tokenizer>(m, "Tokenizer", "BERT's uncased WordPiece, without [CLS] and [SEP].")
      .def(py::init([](const py::bytes& vocab, const std::string& path) {
             return std::make_unique<Tokenizer>(std::string_view(vocab), path);
           }),
           py::arg("vocab"), py::arg("path") = "vocab.txt")
      .def("encode", encode, py::arg("text"), "Text (str, or UTF-8 bytes) -> int32[T], every token of it.")
      .def("lexical_features", lexical_features, py::arg("texts"), py::arg("bits"), py::kw_only(), py::arg("head"),
           py::arg("tail"), "Texts -> indptr int64[N + 1], buckets int32, marks int32[N, 11], tokens int32[N].")
      .def("id", &Tokenizer::id, py::arg("token"), "The id of a token, or -1.")
      .def("token", &Tokenizer::token, py::arg("id"))
      .def_property_readonly("size", &Tokenizer::size)
      .def("__len__", &Tokenizer::size);
  py::class_<Embedder, std::shared_ptr<Embedder>>(m, "Embedder", "Text -> unit vector.")
      .def("embed", embed_text, py::arg("text"), "Text -> float32[D], read-only; zeros for a text without tokens.")
      .def("count_tokens", count_tokens, py::arg("text"), "Tokens of the whole text, before any truncation.")
      .def("embed_batch", embed_batch, py::arg("texts"), "Texts -> float32[N, D], read-only.")
      .def_property_readonly("dim", &Embedder::dim)
      .def_property_readonly("lexical", &Embedder::lexical, "How many of the last numbers are lexical scores.")
      .def_property_readonly("name", &Embedder::name);
  py::class_<StaticEmbedder, Embedder, std::shared_ptr<StaticEmbedder>>(m, "StaticEmbedder",
                                                                        "Weighted mean of int8 rows.")
      .def(py::init(&make_static), py::arg("vocab"), py::arg("rows"), py::arg("weights"), py::arg("name"),
           py::arg("head") = 128, py::arg("tail") = 384, py::arg("lexical") = py::none())
      .def("embed_ids", embed_ids, py::arg("ids"), "int32[T] of at most 512 ids -> their unit vector, read-only.")
      .def_property_readonly("tokenizer", &StaticEmbedder::tokenizer, py::return_value_policy::reference_internal);
  py::class_<OnnxEmbedder, Embedder, std::shared_ptr<OnnxEmbedder>>(m, "OnnxEmbedder", "A transformer encoder.")
      .def(py::init(&make_onnx), py::arg("vocab"), py::arg("session").none(false), py::arg("name"),
           py::arg("max_tokens") = 256);
}

}  // namespace turnout::python
