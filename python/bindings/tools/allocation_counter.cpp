// Preloaded by `turnout bench` to count the calling thread's heap allocations; never loaded otherwise. glibc only.
#include <cerrno>
#include <cstddef>

using std::size_t;

extern "C" {

void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

// In the initial block of thread storage: reading it must not allocate.
[[gnu::tls_model("initial-exec")]] static thread_local long count = 0;

long turnout_allocation_count() { return count; }

void* malloc(size_t n) { return ++count, __libc_malloc(n); }
void* calloc(size_t n, size_t size) { return ++count, __libc_calloc(n, size); }
void* realloc(void* p, size_t n) { return ++count, __libc_realloc(p, n); }
void* memalign(size_t alignment, size_t n) { return ++count, __libc_memalign(alignment, n); }
void* aligned_alloc(size_t alignment, size_t n) { return memalign(alignment, n); }
int posix_memalign(void** out, size_t alignment, size_t n) {
  *out = memalign(alignment, n);
  return *out == nullptr ? ENOMEM : 0;
}
}
