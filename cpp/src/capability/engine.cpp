#include "capability/engine.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <link.h>

#include <cstring>
#include <map>
#include <mutex>

namespace turnout::capability {
namespace {

constexpr const char* kReadIndex = "_ZN5faiss10read_indexEPKci";
constexpr const char* kVersion = "_ZN5faiss11get_versionB5cxx11Ev";
constexpr const char* kFlatTable = "_ZTVN5faiss9IndexFlatE";
constexpr const char* kFlatSearch = "_ZNK5faiss9IndexFlat6searchElPKflPfPlPKNS_16SearchParametersE";
constexpr std::size_t kTableHeader = 2;  // offset to top, type_info

template <class Function>
Function symbol(void* library, const char* name, const std::string& path) {
  void* found = dlsym(library, name);
  if (found == nullptr)
    throw Error(ErrorKind::engine, path, std::string("is not a FAISS that turnout can call: it has no ") + name);
  return reinterpret_cast<Function>(found);
}

// The length of an exported table in words, from the library's own symbol table.
std::size_t words_of(const void* table, const std::string& path) {
  Dl_info info{};
  const ElfW(Sym)* entry = nullptr;
  if (dladdr1(table, &info, reinterpret_cast<void**>(const_cast<ElfW(Sym)**>(&entry)), RTLD_DL_SYMENT) == 0 ||
      entry == nullptr)
    throw Error(ErrorKind::engine, path,
                "is not a FAISS that turnout can call: the length of a virtual table is unknown");
  return entry->st_size / sizeof(void*);
}

// IndexFlat overrides search, and exports both its table and the function: where they meet is the slot.
std::size_t find_search_slot(void* library, const std::string& path) {
  const auto table = symbol<void* const*>(library, kFlatTable, path);
  const auto search = symbol<void*>(library, kFlatSearch, path);
  for (std::size_t i = kTableHeader, words = words_of(table, path); i < words; ++i)
    if (table[i] == search) return i - kTableHeader;
  throw Error(ErrorKind::engine, path, "is not a FAISS that turnout can call: search is not in the virtual table");
}

std::unique_ptr<Engine::Impl> open_engine(const std::string& path) {
  // Stays open for the life of the process: OpenMP's pool does not survive dlclose.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw Error(ErrorKind::engine, path, std::string("cannot be opened: ") + dlerror());
  auto impl = std::make_unique<Engine::Impl>();
  impl->path = path;
  impl->read_index = symbol<Object* (*)(const char*, int)>(library, kReadIndex, path);
  impl->search_slot = find_search_slot(library, path);
  if (void* version = dlsym(library, kVersion)) impl->version = reinterpret_cast<std::string (*)()>(version)();
  impl->set_threads = reinterpret_cast<void (*)(int)>(dlsym(library, "omp_set_num_threads"));
  impl->get_threads = reinterpret_cast<int (*)()>(dlsym(library, "omp_get_max_threads"));
  if (impl->get_threads == nullptr) impl->set_threads = nullptr;
  return impl;
}

}  // namespace

const std::type_info& class_of(const Object* object) {
  return *static_cast<const std::type_info*>(table_of(object)[-1]);
}

bool derives_from(const std::type_info& type, const char* mangled_base) {
  if (std::strcmp(type.name(), mangled_base) == 0) return true;
  if (const auto* one = dynamic_cast<const abi::__si_class_type_info*>(&type))
    return derives_from(*one->__base_type, mangled_base);
  if (const auto* many = dynamic_cast<const abi::__vmi_class_type_info*>(&type))
    for (unsigned i = 0; i < many->__base_count; ++i) {
      const auto& base = many->__base_info[i];
      if (base.__offset() == 0 && !base.__is_virtual_p() && derives_from(*base.__base_type, mangled_base)) return true;
    }
  return false;
}

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;

std::string Engine::version() const { return impl_->version.empty() ? "unknown" : impl_->version; }

std::shared_ptr<const Engine> Engine::load(const std::string& path) {
  static std::mutex mutex;
  static std::map<std::string, std::shared_ptr<const Engine>> loaded;
  const std::lock_guard lock(mutex);
  const auto found = loaded.find(path);
  if (found != loaded.end()) return found->second;
  return loaded.emplace(path, std::make_shared<const Engine>(open_engine(path))).first->second;
}

}  // namespace turnout::capability
