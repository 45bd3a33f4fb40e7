// A transformer encoder: [CLS] tokens [SEP] -> token states -> their mean, or the pooled vector that the network gives.
#include <algorithm>
#include <cmath>

#include "turnout/embed.hpp"

namespace turnout::embed {
namespace {

constexpr int kMaxTokens = 8192;

[[noreturn]] void fail(const std::string& path, const std::string& what) { throw Error(ErrorKind::bundle, path, what); }

std::int32_t required_token(const Tokenizer& tokenizer, std::string_view token) {
  const int id = tokenizer.id(token);
  if (id < 0) fail("vocab", "expected a token " + std::string(token));
  return id;
}

// Where each input comes from.
std::vector<std::int64_t> Workspace::* source(const onnx::Port& port) {
  if (port.name == "input_ids") return &Workspace::encoder_ids;
  if (port.name == "attention_mask") return &Workspace::encoder_mask;
  if (port.name == "token_type_ids") return &Workspace::encoder_types;
  fail("encoder." + port.name, "expected input_ids, attention_mask or token_type_ids");
}

// One text is run at a time, of any length.
bool takes_any_length(const onnx::Port& port) { return (port.shape[0] < 0 || port.shape[0] == 1) && port.shape[1] < 0; }

void check_inputs(const std::vector<onnx::Port>& inputs) {
  bool ids = false;
  for (const auto& port : inputs) {
    ids |= source(port) == &Workspace::encoder_ids;
    if (port.element != onnx::Element::int64 || port.shape.size() != 2 || !takes_any_length(port))
      fail("encoder." + port.name, "expected int64 [batch, tokens] of any number of tokens");
  }
  if (!ids) fail("encoder", "expected an input input_ids");
}

// The last dimension of the first output, which must be [B, T, dim] or [B, dim].
int output_dim(const std::vector<onnx::Port>& outputs) {
  if (outputs.empty()) fail("encoder", "expected an output");
  const onnx::Port& port = outputs.front();
  const std::size_t rank = port.shape.size();
  const bool shaped = rank == 3 ? takes_any_length(port) : rank == 2 && (port.shape[0] < 0 || port.shape[0] == 1);
  if (port.element != onnx::Element::float32 || !shaped || port.shape.back() < 1 || port.shape.back() > kMaxDim)
    fail("encoder." + port.name,
         "expected float32 [batch, tokens, dim] or [batch, dim] of any number of tokens and a fixed dim of at most " +
             std::to_string(kMaxDim));
  return static_cast<int>(port.shape.back());
}

// [CLS] ids [SEP], all of one segment, none masked.
void fill_inputs(Workspace& ws, std::int32_t cls, std::int32_t sep) {
  ws.encoder_ids.resize(ws.ids.size() + 2);
  ws.encoder_ids.front() = cls;
  std::copy(ws.ids.begin(), ws.ids.end(), ws.encoder_ids.begin() + 1);
  ws.encoder_ids.back() = sep;
  ws.encoder_mask.assign(ws.encoder_ids.size(), 1);
  ws.encoder_types.assign(ws.encoder_ids.size(), 0);
}

void set_tensor(onnx::Tensor& tensor, void* data, onnx::Element element, std::initializer_list<std::int64_t> shape) {
  tensor.data = data;
  tensor.element = element;
  tensor.shape.assign(shape);
}

// Mean over the `count` states, scaled to norm 1; in double and in a fixed order.
void mean_to_unit(const float* states, std::size_t count, std::size_t dim, float* out) {
  double squares = 0;
  for (std::size_t j = 0; j < dim; ++j) {
    double sum = 0;
    for (std::size_t t = 0; t < count; ++t) sum += static_cast<double>(states[t * dim + j]);
    out[j] = static_cast<float>(sum / static_cast<double>(count));
    squares += static_cast<double>(out[j]) * static_cast<double>(out[j]);
  }
  const double scale = squares == 0 ? 0.0 : 1.0 / std::sqrt(squares);
  for (std::size_t j = 0; j < dim; ++j) out[j] = static_cast<float>(static_cast<double>(out[j]) * scale);
}

}  // namespace

OnnxEmbedder::OnnxEmbedder(Tokenizer tokenizer, std::shared_ptr<const onnx::Session> session, Options options)
    : tokenizer_(std::move(tokenizer)),
      session_(std::move(session)),
      options_(std::move(options)),
      cls_(required_token(tokenizer_, "[CLS]")),
      sep_(required_token(tokenizer_, "[SEP]")) {
  if (options_.max_tokens < 3 || options_.max_tokens > kMaxTokens)
    fail("max_tokens", "expected 3 to " + std::to_string(kMaxTokens) + ", got " + std::to_string(options_.max_tokens));
  check_inputs(session_->inputs());
  dim_ = output_dim(session_->outputs());
}

int OnnxEmbedder::count(std::string_view text, Workspace& ws) const {
  tokenizer_.encode(text, ws);
  return static_cast<int>(ws.ids.size());
}

Embedded OnnxEmbedder::embed(std::string_view text, Workspace& ws, float* out) const {
  tokenizer_.encode(text, ws);
  const auto tokens = static_cast<int>(ws.ids.size());
  if (tokens == 0) {
    std::fill_n(out, dim_, 0.0f);
    return {};
  }
  const int room = options_.max_tokens - 2, head = room / 4;
  const int kept = keep_head_and_tail(ws.ids, head, room - head);
  fill_inputs(ws, cls_, sep_);
  run(ws, out);
  return {tokens, kept};
}

void OnnxEmbedder::run(Workspace& ws, float* out) const {
  const auto length = ws.encoder_ids.size(), dim = static_cast<std::size_t>(dim_);
  const bool states = session_->outputs().front().shape.size() == 3;
  ws.encoder_out.resize(states ? length * dim : dim);
  ws.encoder_inputs.resize(session_->inputs().size());
  for (std::size_t i = 0; i < ws.encoder_inputs.size(); ++i)
    set_tensor(ws.encoder_inputs[i], (ws.*source(session_->inputs()[i])).data(), onnx::Element::int64,
               {1, static_cast<std::int64_t>(length)});
  ws.encoder_outputs.resize(1);
  if (states)
    set_tensor(ws.encoder_outputs[0], ws.encoder_out.data(), onnx::Element::float32,
               {1, static_cast<std::int64_t>(length), dim_});
  else
    set_tensor(ws.encoder_outputs[0], ws.encoder_out.data(), onnx::Element::float32, {1, dim_});
  session_->run(ws.encoder_inputs, ws.encoder_outputs);
  mean_to_unit(ws.encoder_out.data(), states ? length : 1, dim, out);
}

}  // namespace turnout::embed
