#include "turnout/core/allocations.hpp"

#include <atomic>

namespace turnout {
namespace {

std::atomic<AllocationCounter> counter{nullptr};
thread_local long in_engines = 0;

}  // namespace

void set_allocation_counter(AllocationCounter f) { counter.store(f, std::memory_order_relaxed); }
AllocationCounter allocation_counter() { return counter.load(std::memory_order_relaxed); }
long engine_allocations() { return in_engines; }

long EngineScope::enter() {
  const auto f = allocation_counter();
  return f == nullptr ? 0 : f();
}

void EngineScope::leave(long before) {
  if (const auto f = allocation_counter()) in_engines += f() - before;
}

}  // namespace turnout
