// What we call in libfaiss.so, by symbol and by virtual table, without its headers.
#pragma once

#include <cstdint>
#include <string>
#include <typeinfo>

#include "turnout/capability.hpp"

namespace turnout::capability {

// faiss::Index as far as we read it: a virtual table pointer, then plain members at fixed offsets.
class Object;
using Search = void (*)(const Object*, std::int64_t n, const float* x, std::int64_t k, float* distances,
                        std::int64_t* labels, const void* parameters);

struct Engine::Impl {
  std::string path, version;
  Object* (*read_index)(const char* path, int flags) = nullptr;
  std::size_t search_slot = 0;         // of faiss::Index's virtual table, the same in every class that derives from it
  void (*set_threads)(int) = nullptr;  // OpenMP, for the calling thread; null in a build without it
  int (*get_threads)() = nullptr;
};

// One thread inside FAISS for the life of the scope: n = 1 otherwise wakes a pool for some kinds of index.
class OneThread {
 public:
  explicit OneThread(const Engine::Impl& engine) : engine_(engine) {
    if (engine_.set_threads == nullptr) return;
    before_ = engine_.get_threads();
    if (before_ != 1) engine_.set_threads(1);
  }
  ~OneThread() {
    if (before_ > 1) engine_.set_threads(before_);
  }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  const Engine::Impl& engine_;
  int before_ = 0;
};

// The virtual table of an object; the entry of the deleting destructor follows that of the complete one.
inline void* const* table_of(const Object* object) { return *reinterpret_cast<void* const* const*>(object); }
inline constexpr std::size_t kDeletingDestructor = 1;

// The class of a polymorphic object (Itanium C++ ABI), and whether it derives from a class by a primary base.
const std::type_info& class_of(const Object* object);
bool derives_from(const std::type_info& type, const char* mangled_base);

}  // namespace turnout::capability
