#include "onnx/handles.hpp"

namespace turnout::onnx {
namespace {

const char* name_of(Element element) {
  switch (element) {
    case Element::float32:
      return "float32";
    case Element::int32:
      return "int32";
    case Element::int64:
      return "int64";
  }
  return "another element type";
}

std::string text(Element element, std::span<const std::int64_t> shape) {
  std::string out = name_of(element) + std::string("[");
  for (std::size_t i = 0; i < shape.size(); ++i)
    out += (i > 0 ? ", " : "") + (shape[i] < 0 ? std::string("any") : std::to_string(shape[i]));
  return out + "]";
}

bool fits(const Port& port, const Tensor& tensor) {
  if (port.element != tensor.element || port.shape.size() != tensor.shape.size()) return false;
  for (std::size_t i = 0; i < port.shape.size(); ++i)
    if (tensor.shape[i] < 0 || (port.shape[i] >= 0 && port.shape[i] != tensor.shape[i])) return false;
  return true;
}

std::size_t bytes_of(const Tensor& tensor) {
  std::size_t size = tensor.element == Element::int64 ? 8 : 4;
  for (const auto n : tensor.shape) size *= static_cast<std::size_t>(n);
  return size;
}

void check_count(bool holds, const char* what, const std::string& expected, std::size_t got) {
  if (!holds) throw Error(ErrorKind::input, what, "expected " + expected + " tensors, got " + std::to_string(got));
}

// Throws Error(input) where tensors do not fit the ports of a network.
void check_tensors(std::span<const Port> ports, std::span<const Tensor> tensors, const char* what) {
  for (std::size_t i = 0; i < tensors.size(); ++i)
    if (!fits(ports[i], tensors[i]))
      throw Error(ErrorKind::input, std::string(what) + "[" + std::to_string(i) + "]",
                  "'" + ports[i].name + "' takes " + text(ports[i].element, ports[i].shape) + ", got " +
                      text(tensors[i].element, tensors[i].shape));
}

}  // namespace

std::vector<ValueHandle> make_values(const Runtime::Impl& runtime, std::span<const Tensor> tensors,
                                     const std::string& path) {
  std::vector<ValueHandle> values;
  for (const Tensor& t : tensors) {
    OrtValue* raw = nullptr;
    runtime.api.check(runtime.api.create_tensor()(runtime.memory.get(), t.data, bytes_of(t), t.shape.data(),
                                                  t.shape.size(), static_cast<int>(t.element), &raw),
                      path);
    values.emplace_back(&runtime.api, raw);
  }
  return values;
}

struct Binding::Impl {
  std::shared_ptr<const Session> session;
  std::vector<ValueHandle> inputs, outputs;
  std::vector<OrtValue*> input_pointers, output_pointers;
};

Binding::Binding(std::shared_ptr<const Session> session, std::span<const Tensor> inputs,
                 std::span<const Tensor> outputs)
    : impl_(std::make_unique<Impl>()) {
  const auto& s = session->impl();
  const auto most = s.outputs.size();
  check_count(inputs.size() == s.inputs.size(), "inputs", std::to_string(s.inputs.size()), inputs.size());
  check_count(!outputs.empty() && outputs.size() <= most, "outputs", "1 to " + std::to_string(most), outputs.size());
  check_tensors(s.inputs, inputs, "inputs");
  check_tensors(s.outputs, outputs, "outputs");
  impl_->inputs = make_values(s.runtime->impl(), inputs, s.path);
  impl_->outputs = make_values(s.runtime->impl(), outputs, s.path);
  for (const auto& value : impl_->inputs) impl_->input_pointers.push_back(value.get());
  for (const auto& value : impl_->outputs) impl_->output_pointers.push_back(value.get());
  impl_->session = std::move(session);
}

Binding::Binding(Binding&&) noexcept = default;
Binding& Binding::operator=(Binding&&) noexcept = default;
Binding::~Binding() = default;

void Binding::run() {
  const auto& s = impl_->session->impl();
  const EngineScope engine;
  s.api().check(s.api().run()(s.session.get(), nullptr, s.input_names.data(), impl_->input_pointers.data(),
                              impl_->input_pointers.size(), s.output_names.data(), impl_->output_pointers.size(),
                              impl_->output_pointers.data()),
                s.path);
}

}  // namespace turnout::onnx
