#include <limits>

#include "onnx/handles.hpp"

namespace turnout::onnx {
namespace {

OptionsHandle make_options(const Api& api, const std::string& path, int threads) {
  OrtSessionOptions* raw = nullptr;
  api.check(api.create_options()(&raw), path);
  OptionsHandle options(&api, raw);
  api.check(api.set_log_level()(raw, kLogError), path);
  api.check(api.set_optimization()(raw, kOptimizeAll), path);
  api.check(api.set_intra_threads()(raw, threads), path);
  api.check(api.set_inter_threads()(raw, 1), path);
  return options;
}

Port port_of(const Session::Impl& s, bool input, std::size_t i) {
  const Api& api = s.api();
  OrtAllocator* allocator = s.runtime->impl().allocator;
  char* name = nullptr;
  api.check(input ? api.input_name()(s.session.get(), i, allocator, &name) : api.output_name()(s.session.get(), i, allocator, &name), s.path);
  Port port;
  port.name = name;
  api.check(api.allocator_free()(allocator, name), s.path);

  OrtTypeInfo* raw = nullptr;
  api.check(input ? api.input_type()(s.session.get(), i, &raw) : api.output_type()(s.session.get(), i, &raw), s.path);
  const TypeHandle type(&api, raw);
  const OrtTensorInfo* tensor = nullptr;
  api.check(api.tensor_info()(raw, &tensor), s.path);
  if (tensor == nullptr) throw Error(ErrorKind::bundle, s.path, "'" + port.name + "' is not a tensor");
  int element = 0;
  std::size_t rank = 0;
  api.check(api.element_type()(tensor, &element), s.path);
  api.check(api.dimension_count()(tensor, &rank), s.path);
  port.element = static_cast<Element>(element);
  port.shape.resize(rank);
  api.check(api.dimensions()(tensor, port.shape.data(), rank), s.path);
  return port;
}

void read_ports(Session::Impl& s) {
  const Api& api = s.api();
  std::size_t inputs = 0, outputs = 0;
  api.check(api.input_count()(s.session.get(), &inputs), s.path);
  api.check(api.output_count()(s.session.get(), &outputs), s.path);
  for (std::size_t i = 0; i < inputs; ++i) s.inputs.push_back(port_of(s, true, i));
  for (std::size_t i = 0; i < outputs; ++i) s.outputs.push_back(port_of(s, false, i));
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
  api.check(api.create_session()(impl->runtime->impl().env.get(), bytes.data(), bytes.size(), options.get(), &raw), path,
            ErrorKind::bundle);
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
  OrtAllocator* allocator = impl_->runtime->impl().allocator;
  api.check(api.metadata_lookup()(raw, allocator, key.c_str(), &value), impl_->path);
  if (value == nullptr) return {};
  const std::string text = value;
  api.check(api.allocator_free()(allocator, value), impl_->path);
  return text;
}

void Session::run(std::span<const Tensor> inputs, std::span<const Tensor> outputs) const {
  Binding(shared_from_this(), inputs, outputs).run();
}

}  // namespace turnout::onnx
