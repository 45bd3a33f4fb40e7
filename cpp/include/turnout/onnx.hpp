// onnx: runs an exported network through ONNX Runtime's C ABI, found at run time. Knows nothing of what it means.
//
// The library is the one that the installed `onnxruntime` wheel carries (or any build the host names). No header of it
// is needed: the API table only ever grows, so a hand-declared prefix of its slots is stable across releases.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "turnout/core.hpp"

namespace turnout::onnx {

enum class Element { float32 = 1, int32 = 6, int64 = 7 };  // ONNX TensorProto codes

// What a network declares of an input or output. A dimension that is free at run time is -1.
struct Port {
  std::string name;
  Element element = Element::float32;
  std::vector<std::int64_t> shape;
};

// A caller-owned dense tensor. `data` must hold the product of `shape` elements and outlive the run.
struct Tensor {
  void* data = nullptr;
  Element element = Element::float32;
  std::vector<std::int64_t> shape;
};

// The loaded engine. Loading the same path again returns the same engine. Throws Error(engine) with the path.
class Runtime {
 public:
  static std::shared_ptr<const Runtime> load(const std::string& library_path);
  std::string version() const;
  struct Impl;
  explicit Runtime(std::unique_ptr<Impl>);
  ~Runtime();
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// Live engine objects (sessions, values), so that a leak is a test.
long live_objects();

class Session;

// Tensors bound once and run many times: a run allocates nothing of ours. Of the outputs the first few are enough: the
// others are not computed. Not thread-safe; one a workspace.
class Binding {
 public:
  Binding(std::shared_ptr<const Session> session, std::span<const Tensor> inputs, std::span<const Tensor> outputs);
  Binding(Binding&&) noexcept;
  Binding& operator=(Binding&&) noexcept;
  ~Binding();
  void run();  // throws Error(engine)

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// One network, one thread, deterministic. Thread-safe: any number of Bindings may run at once.
class Session : public std::enable_shared_from_this<Session> {
 public:
  // `bytes` is an ONNX model that the caller has verified; `path` is for error messages only.
  static std::shared_ptr<const Session> create(std::shared_ptr<const Runtime> runtime, std::span<const std::byte> bytes,
                                               const std::string& path, int threads = 1);
  ~Session();
  const std::vector<Port>& inputs() const;
  const std::vector<Port>& outputs() const;
  // Custom metadata of the model; empty if the key is absent.
  std::string metadata(const std::string& key) const;

  // One run over caller-owned tensors, in the order of inputs() and outputs(), of which the first few are enough.
  // Shapes are checked against the ports.
  void run(std::span<const Tensor> inputs, std::span<const Tensor> outputs) const;

  struct Impl;
  explicit Session(std::unique_ptr<Impl>);
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace turnout::onnx
