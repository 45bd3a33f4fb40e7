#include <cxxabi.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <limits>

#include "capability/engine.hpp"

namespace turnout::capability {
namespace {

// Members of faiss::Index after the virtual table pointer, at the offsets that x86-64 and aarch64 share.
constexpr std::size_t kDim = 8, kTotal = 16, kTrained = 25, kMetric = 28;
constexpr int kInnerProduct = 0;  // faiss::MetricType
constexpr const char* kBase = "N5faiss5IndexE";
constexpr const char* kCodes = "N5faiss14IndexFlatCodesE";  // of every index that stores codes one after the other

std::atomic<long> live{0};

template <class T>
T member(const Object* object, std::size_t offset) {
  T value;
  std::memcpy(&value, reinterpret_cast<const std::byte*>(object) + offset, sizeof value);
  return value;
}

void write_all(int fd, std::span<const std::byte> bytes, const std::string& path) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      throw Error(ErrorKind::engine, path, std::string("no memory for a copy of the index: ") + std::strerror(errno));
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
}

// FAISS reads files. An anonymous one holds the very bytes that were verified.
class MemoryFile {
 public:
  explicit MemoryFile(const std::string& path) : fd_(memfd_create("turnout", MFD_CLOEXEC)) {
    if (fd_ < 0) throw Error(ErrorKind::engine, path, std::string("no file in memory: ") + std::strerror(errno));
  }
  ~MemoryFile() { ::close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  int descriptor() const { return fd_; }
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
  const MemoryFile file(path);
  write_all(file.descriptor(), bytes, path);
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
  bool exhaustive = false;
  int dim = 0;
  std::int64_t size = 0;

  // Takes over what FAISS read. Only a faiss::Index may be deleted through its table; anything else is left alone.
  void own(Object* read, const std::string& path) {
    if (read == nullptr) throw Error(ErrorKind::bundle, path, "FAISS read no index");
    const auto& dynamic = class_of(read);
    type = readable(dynamic);
    if (!derives_from(dynamic, kBase))
      throw Error(ErrorKind::bundle, path, "expected an index over float vectors, got " + type);
    exhaustive = derives_from(dynamic, kCodes);
    object = read;
    ++live;
  }
  void read_members(const std::string& path) {
    const auto fail = [&](const std::string& what) { throw Error(ErrorKind::bundle, path, what); };
    dim = member<std::int32_t>(object, kDim);
    size = member<std::int64_t>(object, kTotal);
    const auto metric = member<std::int32_t>(object, kMetric);
    if (dim < 1 || dim > kMaxDim)
      fail("expected 1 to " + std::to_string(kMaxDim) + " dimensions, got " + std::to_string(dim));
    if (size < 0 || size > std::numeric_limits<std::int32_t>::max()) fail("holds " + std::to_string(size) + " vectors");
    if (member<std::uint8_t>(object, kTrained) != 1) fail(type + " is not trained");
    if (metric != kInnerProduct) fail("expected the inner-product metric (0), got metric " + std::to_string(metric));
  }
  ~Impl() {
    if (object == nullptr) return;
    reinterpret_cast<void (*)(Object*)>(table_of(object)[kDeletingDestructor])(object);
    --live;
  }
};

FaissIndex::FaissIndex(std::shared_ptr<const Engine> engine, std::span<const std::byte> bytes, const std::string& path)
    : impl_(std::make_unique<Impl>()) {
  impl_->engine = std::move(engine);
  impl_->own(read(impl_->engine->impl(), bytes, path), path);
  impl_->read_members(path);
  impl_->search = reinterpret_cast<Search>(table_of(impl_->object)[impl_->engine->impl().search_slot]);
}

FaissIndex::~FaissIndex() = default;
FaissIndex::FaissIndex(FaissIndex&&) noexcept = default;

int FaissIndex::dim() const { return impl_->dim; }
std::int64_t FaissIndex::size() const { return impl_->size; }
const std::string& FaissIndex::type() const { return impl_->type; }
bool FaissIndex::exhaustive() const { return impl_->exhaustive; }

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
