#include <cxxabi.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "capability/engine.hpp"

namespace turnout::capability {
namespace {

// Members of faiss::Index after the virtual table pointer, at the offsets that x86-64 and aarch64 share.
constexpr std::size_t kDim = 8, kTotal = 16, kTrained = 25, kMetric = 28;
constexpr int kInnerProduct = 0;  // faiss::MetricType
constexpr const char* kBase = "N5faiss5IndexE";

std::atomic<long> live{0};

template <class T>
T member(const Object* object, std::size_t offset) {
  T value;
  std::memcpy(&value, reinterpret_cast<const std::byte*>(object) + offset, sizeof value);
  return value;
}

// FAISS reads files. An anonymous one holds the very bytes that were verified.
class MemoryFile {
 public:
  MemoryFile(std::span<const std::byte> bytes, const std::string& path) : fd_(memfd_create("turnout", MFD_CLOEXEC)) {
    if (fd_ < 0) throw Error(ErrorKind::engine, path, "no memory for the index");
    for (std::size_t done = 0; done < bytes.size();) {
      const auto n = ::write(fd_, bytes.data() + done, bytes.size() - done);
      if (n <= 0) {
        ::close(fd_);
        throw Error(ErrorKind::engine, path, "no memory for the index");
      }
      done += static_cast<std::size_t>(n);
    }
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  int fd_;
};

std::string readable(const std::type_info& type) {
  int status = 0;
  char* text = abi::__cxa_demangle(type.name(), nullptr, nullptr, &status);
  std::string name = status == 0 ? text : type.name();
  std::free(text);
  return name;
}

// FAISS says where in its own sources it failed; the last line says what.
std::string last_sentence(const std::exception& error) {
  const std::string what = error.what();
  const auto at = what.rfind(": ");
  return at == std::string::npos ? what : what.substr(at + 2);
}

Object* read(const Engine::Impl& engine, std::span<const std::byte> bytes, const std::string& path) {
  const MemoryFile file(bytes, path);
  const OneThread one(engine);
  try {
    return engine.read_index(file.path().c_str(), 0);
  } catch (const std::exception& error) {
    throw Error(ErrorKind::bundle, path, "FAISS cannot read it: " + last_sentence(error));
  }
}

}  // namespace

long live_indexes() { return live.load(); }

struct FaissIndex::Impl {
  std::shared_ptr<const Engine> engine;
  Object* object = nullptr;
  Search search = nullptr;
  std::string type;
  int dim = 0;
  std::int64_t size = 0;

  ~Impl() {
    if (object == nullptr) return;
    const auto table = *reinterpret_cast<void* const* const*>(object);
    reinterpret_cast<void (*)(Object*)>(table[1])(object);  // the deleting destructor
    --live;
  }
};

FaissIndex::FaissIndex(std::shared_ptr<const Engine> engine, std::span<const std::byte> bytes, const std::string& path)
    : impl_(std::make_unique<Impl>()) {
  const auto fail = [&](const std::string& what) { throw Error(ErrorKind::bundle, path, what); };
  impl_->engine = std::move(engine);
  Object* object = read(impl_->engine->impl(), bytes, path);
  if (object == nullptr) fail("FAISS read no index");
  const auto& type = class_of(object);
  // Only a faiss::Index may be deleted through its table; anything else is left alone.
  if (!derives_from(type, kBase)) fail("expected an index over float vectors, got " + readable(type));
  impl_->object = object;
  ++live;
  impl_->type = readable(type);
  impl_->dim = member<std::int32_t>(object, kDim);
  impl_->size = member<std::int64_t>(object, kTotal);
  const auto metric = member<std::int32_t>(object, kMetric);
  if (impl_->dim < 1 || impl_->dim > kMaxDim) fail("expected 1 to " + std::to_string(kMaxDim) + " dimensions, got " + std::to_string(impl_->dim));
  if (impl_->size < 0) fail("holds a negative number of vectors");
  if (member<std::uint8_t>(object, kTrained) != 1) fail(impl_->type + " is not trained");
  if (metric != kInnerProduct) fail("expected the inner-product metric (0), got metric " + std::to_string(metric));
  const auto table = *reinterpret_cast<void* const* const*>(object);
  impl_->search = reinterpret_cast<Search>(table[impl_->engine->impl().search_slot]);
}

FaissIndex::~FaissIndex() = default;
FaissIndex::FaissIndex(FaissIndex&&) noexcept = default;

int FaissIndex::dim() const { return impl_->dim; }
std::int64_t FaissIndex::size() const { return impl_->size; }
const std::string& FaissIndex::type() const { return impl_->type; }

void FaissIndex::search(const float* x, std::int64_t n, std::int64_t k, float* distances, std::int64_t* labels) const {
  const OneThread one(impl_->engine->impl());
  const EngineScope engine;
  try {
    impl_->search(impl_->object, n, x, k, distances, labels, nullptr);
  } catch (const std::exception& error) {
    throw Error(ErrorKind::engine, impl_->type, "FAISS: " + last_sentence(error));
  }
}

}  // namespace turnout::capability
