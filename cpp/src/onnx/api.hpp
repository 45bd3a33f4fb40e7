// ONNX Runtime's C ABI without its headers: the slots of the API table that we use, by their number. The table only
// ever grows, so these numbers hold for every release since 1.14 (API version 14).
#pragma once

#include <cstddef>
#include <cstdint>

#include "turnout/core.hpp"

namespace turnout::onnx {

// Opaque objects of the runtime.
struct OrtStatus;
struct OrtEnv;
struct OrtSession;
struct OrtSessionOptions;
struct OrtRunOptions;
struct OrtValue;
struct OrtMemoryInfo;
struct OrtTypeInfo;
struct OrtTensorInfo;
struct OrtAllocator;
struct OrtModelMetadata;

inline constexpr std::uint32_t kApiVersion = 14;
inline constexpr int kLogError = 3;        // OrtLoggingLevel
inline constexpr int kArenaAllocator = 1;  // OrtAllocatorType
inline constexpr int kMemTypeDefault = 0;  // OrtMemType
inline constexpr int kOptimizeAll = 99;    // GraphOptimizationLevel

struct ApiBase {
  const void* const* (*GetApi)(std::uint32_t version);
  const char* (*GetVersionString)();
};

// One entry of the table with its type.
template <int Number, class Function>
struct Slot;
template <int Number, class Result, class... Arguments>
struct Slot<Number, Result(Arguments...)> {
  const void* const* table;
  Result operator()(Arguments... arguments) const {
    return reinterpret_cast<Result (*)(Arguments...)>(const_cast<void*>(table[Number]))(arguments...);
  }
};

using Status = OrtStatus*;
using Sizes = const std::int64_t*;

struct Api {
  const void* const* table;

  template <int Number, class Function>
  Slot<Number, Function> at() const {
    return {table};
  }

  auto error_message() const { return at<2, const char*(const OrtStatus*)>(); }
  auto create_env() const { return at<3, Status(int, const char*, OrtEnv**)>(); }
  auto create_session() const {
    return at<8, Status(const OrtEnv*, const void*, std::size_t, const OrtSessionOptions*, OrtSession**)>();
  }
  auto run() const {
    return at<9, Status(OrtSession*, const OrtRunOptions*, const char* const*, const OrtValue* const*, std::size_t,
                        const char* const*, std::size_t, OrtValue**)>();
  }
  auto create_options() const { return at<10, Status(OrtSessionOptions**)>(); }
  auto disable_patterns() const { return at<17, Status(OrtSessionOptions*)>(); }
  auto set_log_level() const { return at<22, Status(OrtSessionOptions*, int)>(); }
  auto set_optimization() const { return at<23, Status(OrtSessionOptions*, int)>(); }
  auto set_intra_threads() const { return at<24, Status(OrtSessionOptions*, int)>(); }
  auto set_inter_threads() const { return at<25, Status(OrtSessionOptions*, int)>(); }
  auto input_count() const { return at<30, Status(const OrtSession*, std::size_t*)>(); }
  auto output_count() const { return at<31, Status(const OrtSession*, std::size_t*)>(); }
  auto input_type() const { return at<33, Status(const OrtSession*, std::size_t, OrtTypeInfo**)>(); }
  auto output_type() const { return at<34, Status(const OrtSession*, std::size_t, OrtTypeInfo**)>(); }
  auto input_name() const { return at<36, Status(const OrtSession*, std::size_t, OrtAllocator*, char**)>(); }
  auto output_name() const { return at<37, Status(const OrtSession*, std::size_t, OrtAllocator*, char**)>(); }
  auto create_tensor() const {
    return at<49, Status(const OrtMemoryInfo*, void*, std::size_t, Sizes, std::size_t, int, OrtValue**)>();
  }
  auto tensor_info() const { return at<55, Status(const OrtTypeInfo*, const OrtTensorInfo**)>(); }
  auto element_type() const { return at<60, Status(const OrtTensorInfo*, int*)>(); }
  auto dimension_count() const { return at<61, Status(const OrtTensorInfo*, std::size_t*)>(); }
  auto dimensions() const { return at<62, Status(const OrtTensorInfo*, std::int64_t*, std::size_t)>(); }
  auto create_cpu_memory() const { return at<69, Status(int, int, OrtMemoryInfo**)>(); }
  auto allocator_free() const { return at<76, Status(OrtAllocator*, void*)>(); }
  auto default_allocator() const { return at<78, Status(OrtAllocator**)>(); }
  auto release_env() const { return at<92, void(OrtEnv*)>(); }
  auto release_status() const { return at<93, void(OrtStatus*)>(); }
  auto release_memory() const { return at<94, void(OrtMemoryInfo*)>(); }
  auto release_session() const { return at<95, void(OrtSession*)>(); }
  auto release_value() const { return at<96, void(OrtValue*)>(); }
  auto release_type() const { return at<98, void(OrtTypeInfo*)>(); }
  auto release_options() const { return at<100, void(OrtSessionOptions*)>(); }
  auto model_metadata() const { return at<111, Status(const OrtSession*, OrtModelMetadata**)>(); }
  auto metadata_lookup() const {
    return at<116, Status(const OrtModelMetadata*, OrtAllocator*, const char*, char**)>();
  }
  auto release_metadata() const { return at<118, void(OrtModelMetadata*)>(); }

  // Throws Error(kind) with the runtime's message when a call failed.
  void check(Status status, const std::string& path, ErrorKind kind = ErrorKind::engine) const {
    if (status == nullptr) return;
    const std::string message = error_message()(status);
    release_status()(status);
    throw Error(kind, path, "ONNX Runtime: " + message);
  }
};

}  // namespace turnout::onnx
