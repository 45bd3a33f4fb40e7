#include <dlfcn.h>

#include <map>
#include <mutex>

#include "onnx/handles.hpp"

namespace turnout::onnx {
namespace {

// The library stays open for the life of the process: its threads and globals do not survive dlclose.
const ApiBase& open_library(const std::string& path) {
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw Error(ErrorKind::engine, path, std::string("cannot be opened: ") + dlerror());
  using GetBase = const ApiBase* (*)();
  const auto get = reinterpret_cast<GetBase>(dlsym(library, "OrtGetApiBase"));
  if (get == nullptr) throw Error(ErrorKind::engine, path, "is not ONNX Runtime: it has no OrtGetApiBase");
  return *get();
}

std::unique_ptr<Runtime::Impl> open_runtime(const std::string& path) {
  const ApiBase& base = open_library(path);
  auto impl = std::make_unique<Runtime::Impl>();
  impl->path = path;
  impl->version = base.GetVersionString();
  impl->api.table = base.GetApi(kApiVersion);
  if (impl->api.table == nullptr)
    throw Error(ErrorKind::engine, path,
                "ONNX Runtime " + impl->version + " does not offer API version " + std::to_string(kApiVersion));
  const Api& api = impl->api;
  OrtEnv* env = nullptr;
  api.check(api.create_env()(kLogError, "turnout", &env), path);
  impl->env = {&api, env};
  OrtMemoryInfo* memory = nullptr;
  api.check(api.create_cpu_memory()(kArenaAllocator, kMemTypeDefault, &memory), path);
  impl->memory = {&api, memory};
  api.check(api.default_allocator()(&impl->allocator), path);
  return impl;
}

}  // namespace

long live_objects() { return live().load(); }

Runtime::Runtime(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Runtime::~Runtime() = default;

std::string Runtime::version() const { return impl_->version; }

std::shared_ptr<const Runtime> Runtime::load(const std::string& path) {
  static std::mutex mutex;
  // Never destroyed: the library's own statics would be gone before.
  static auto& loaded = *new std::map<std::string, std::shared_ptr<const Runtime>>;
  const std::lock_guard lock(mutex);
  const auto found = loaded.find(path);
  if (found != loaded.end()) return found->second;
  return loaded.emplace(path, std::make_shared<const Runtime>(open_runtime(path))).first->second;
}

}  // namespace turnout::onnx
