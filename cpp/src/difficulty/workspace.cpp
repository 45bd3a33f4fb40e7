#include "turnout/difficulty.hpp"

namespace turnout::difficulty {
namespace {

onnx::Binding bind(const std::shared_ptr<const onnx::Session>& session, std::vector<float>& in, std::vector<float>& out,
                   int n) {
  const auto tensor = [n](std::vector<float>& data) {
    return onnx::Tensor{data.data(), onnx::Element::float32, {n, static_cast<std::int64_t>(data.size()) / n}};
  };
  const onnx::Tensor input = tensor(in), output = tensor(out);
  return onnx::Binding(session, {&input, 1}, {&output, 1});
}

}  // namespace

Workspace::Workspace(std::shared_ptr<const onnx::Session> session, int dim, int columns)
    : session_(std::move(session)),
      single_in_(static_cast<std::size_t>(dim)),
      single_out_(static_cast<std::size_t>(columns)),
      single_(bind(session_, single_in_, single_out_, 1)) {}

void Workspace::bind_batch(int n) {
  if (n == bound_) return;
  bound_ = 0;  // until the new tensors stand
  batch_.reset();
  batch_in_.resize(static_cast<std::size_t>(n) * single_in_.size());
  batch_out_.resize(static_cast<std::size_t>(n) * single_out_.size());
  batch_.emplace(bind(session_, batch_in_, batch_out_, n));
  bound_ = n;
}

}  // namespace turnout::difficulty
