// Owners of the runtime's objects, which count as alive until they are gone.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "onnx/api.hpp"
#include "turnout/onnx.hpp"

namespace turnout::onnx {

inline std::atomic<long>& live() {
  static std::atomic<long> count{0};
  return count;
}

// Release is a member of Api that returns the slot to release with.
template <class Object, auto Release>
class Handle {
 public:
  Handle() = default;
  Handle(const Api* api, Object* object) : api_(api), object_(object) { live() += object != nullptr; }
  Handle(Handle&& o) noexcept : api_(o.api_), object_(std::exchange(o.object_, nullptr)) {}
  Handle& operator=(Handle&& o) noexcept {
    std::swap(api_, o.api_);
    std::swap(object_, o.object_);
    return *this;
  }
  ~Handle() {
    if (object_ == nullptr) return;
    (api_->*Release)()(object_);
    --live();
  }
  Object* get() const { return object_; }

 private:
  const Api* api_ = nullptr;
  Object* object_ = nullptr;
};

using EnvHandle = Handle<OrtEnv, &Api::release_env>;
using SessionHandle = Handle<OrtSession, &Api::release_session>;
using OptionsHandle = Handle<OrtSessionOptions, &Api::release_options>;
using MemoryHandle = Handle<OrtMemoryInfo, &Api::release_memory>;
using ValueHandle = Handle<OrtValue, &Api::release_value>;
using TypeHandle = Handle<OrtTypeInfo, &Api::release_type>;
using MetadataHandle = Handle<OrtModelMetadata, &Api::release_metadata>;

struct Runtime::Impl {
  Api api;
  std::string path, version;
  EnvHandle env;
  MemoryHandle memory;
  OrtAllocator* allocator = nullptr;  // the runtime's own: never released
};

struct Session::Impl {
  std::shared_ptr<const Runtime> runtime;
  std::string path;
  SessionHandle session;
  std::vector<Port> inputs, outputs;
  std::vector<const char*> input_names, output_names;

  const Api& api() const { return runtime->impl().api; }
};

std::vector<ValueHandle> make_values(const Runtime::Impl& runtime, std::span<const Tensor> tensors,
                                     const std::string& path);

}  // namespace turnout::onnx
