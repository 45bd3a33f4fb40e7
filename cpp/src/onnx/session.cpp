#include "onnx/handles.hpp"

namespace turnout::onnx {
namespace {

// Without memory patterns: the runtime keeps one for each shape that it has seen, and texts come in many lengths.
OptionsHandle make_options(const Api& api, const std::string& path, int threads) {
  OrtSessionOptions* raw = nullptr;
  api.check(api.create_options()(&raw), path);
  OptionsHandle options(&api, raw);
  api.check(api.disable_patterns()(raw), path);
  api.check(api.set_log_level()(raw, kLogError), path);
  api.check(api.set_optimization()(raw, kOptimizeAll), path);
  api.check(api.set_intra_threads()(raw, threads), path);
  api.check(api.set_inter_threads()(raw, 1), path);
  return options;
}

enum class Side { input, output };

// A text that the runtime allocated, copied and freed.
std::string take(const Session::Impl& s, char* text) {
  if (text == nullptr) return {};
  std::string copy = text;
  s.api().check(s.api().allocator_free()(s.runtime->impl().allocator, text), s.path);
  return copy;
}

std::string name_of(const Session::Impl& s, Side side, std::size_t i) {
  const Api& api = s.api();
  OrtAllocator* allocator = s.runtime->impl().allocator;
  char* name = nullptr;
  api.check(side == Side::input ? api.input_name()(s.session.get(), i, allocator, &name)
                                : api.output_name()(s.session.get(), i, allocator, &name),
            s.path);
  return take(s, name);
}

TypeHandle type_of(const Session::Impl& s, Side side, std::size_t i) {
  OrtTypeInfo* type = nullptr;
  s.api().check(side == Side::input ? s.api().input_type()(s.session.get(), i, &type)
                                    : s.api().output_type()(s.session.get(), i, &type),
                s.path);
  return {&s.api(), type};
}

Element element_of(const Session::Impl& s, const OrtTensorInfo* tensor, const std::string& name) {
  int code = 0;
  s.api().check(s.api().element_type()(tensor, &code), s.path);
  const auto element = static_cast<Element>(code);
  if (element == Element::float32 || element == Element::int32 || element == Element::int64) return element;
  throw Error(
      ErrorKind::bundle, s.path,
      "'" + name + "' has element type " + std::to_string(code) + ", expected float32 (1), int32 (6) or int64 (7)");
}

std::vector<std::int64_t> shape_of(const Session::Impl& s, const OrtTensorInfo* tensor) {
  std::size_t rank = 0;
  s.api().check(s.api().dimension_count()(tensor, &rank), s.path);
  std::vector<std::int64_t> shape(rank);
  s.api().check(s.api().dimensions()(tensor, shape.data(), rank), s.path);
  return shape;
}

Port port_of(const Session::Impl& s, Side side, std::size_t i) {
  const std::string name = name_of(s, side, i);
  const TypeHandle type = type_of(s, side, i);
  const OrtTensorInfo* tensor = nullptr;
  s.api().check(s.api().tensor_info()(type.get(), &tensor), s.path);
  if (tensor == nullptr) throw Error(ErrorKind::bundle, s.path, "'" + name + "' is not a tensor");
  return {name, element_of(s, tensor, name), shape_of(s, tensor)};
}

void read_ports(Session::Impl& s) {
  const Api& api = s.api();
  std::size_t inputs = 0, outputs = 0;
  api.check(api.input_count()(s.session.get(), &inputs), s.path);
  api.check(api.output_count()(s.session.get(), &outputs), s.path);
  for (std::size_t i = 0; i < inputs; ++i) s.inputs.push_back(port_of(s, Side::input, i));
  for (std::size_t i = 0; i < outputs; ++i) s.outputs.push_back(port_of(s, Side::output, i));
  for (const Port& port : s.inputs) s.input_names.push_back(port.name.c_str());
  for (const Port& port : s.outputs) s.output_names.push_back(port.name.c_str());
}

}  // namespace

Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::~Session() = default;

std::shared_ptr<const Session> Session::create(std::shared_ptr<const Runtime> runtime, std::span<const std::byte> bytes,
                                               const std::string& path, int threads) {
  if (threads < 1) throw Error(ErrorKind::input, "threads", "expected a number >= 1, got " + std::to_string(threads));
  auto impl = std::make_unique<Impl>();
  impl->runtime = std::move(runtime);
  impl->path = path;
  const Api& api = impl->api();
  const OptionsHandle options = make_options(api, path, threads);
  OrtSession* raw = nullptr;
  api.check(api.create_session()(impl->runtime->impl().env.get(), bytes.data(), bytes.size(), options.get(), &raw),
            path, ErrorKind::bundle);
  impl->session = {&api, raw};
  read_ports(*impl);
  return std::make_shared<const Session>(std::move(impl));
}

const std::vector<Port>& Session::inputs() const { return impl_->inputs; }
const std::vector<Port>& Session::outputs() const { return impl_->outputs; }

std::string Session::metadata(const std::string& key) const {
  const Api& api = impl_->api();
  OrtModelMetadata* raw = nullptr;
  api.check(api.model_metadata()(impl_->session.get(), &raw), impl_->path);
  const MetadataHandle metadata(&api, raw);
  char* value = nullptr;
  api.check(api.metadata_lookup()(raw, impl_->runtime->impl().allocator, key.c_str(), &value), impl_->path);
  return take(*impl_, value);
}

void Session::run(std::span<const Tensor> inputs, std::span<const Tensor> outputs) const {
  Binding(shared_from_this(), inputs, outputs).run();
}

}  // namespace turnout::onnx
