// Counts the calling thread's heap allocations, in every library of the process. Include it in one file of an
// executable.
#pragma once

#include <cstddef>

#include <cerrno>

namespace allocations {

inline thread_local long count_of_thread = 0;
inline long count() { return count_of_thread; }

}  // namespace allocations

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

// Of the sanitizers' runtime; its header is not always packaged.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*, std::size_t),
                                                         void (*)(const volatile void*));

namespace allocations {
inline void on_malloc(const volatile void*, std::size_t) { ++count_of_thread; }
inline void on_free(const volatile void*) {}
inline const bool installed = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free) != 0;
}  // namespace allocations

#else

// glibc's own, under the names that it keeps for whoever wraps them.
extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);

void* malloc(std::size_t n) { return ++allocations::count_of_thread, __libc_malloc(n); }
void* calloc(std::size_t n, std::size_t size) { return ++allocations::count_of_thread, __libc_calloc(n, size); }
void* realloc(void* p, std::size_t n) { return ++allocations::count_of_thread, __libc_realloc(p, n); }
void* memalign(std::size_t alignment, std::size_t n) {
  return ++allocations::count_of_thread, __libc_memalign(alignment, n);
}
void* aligned_alloc(std::size_t alignment, std::size_t n) { return memalign(alignment, n); }
int posix_memalign(void** out, std::size_t alignment, std::size_t n) {
  *out = memalign(alignment, n);
  return *out == nullptr ? ENOMEM : 0;
}
}

#endif
