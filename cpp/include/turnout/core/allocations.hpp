// Whose heap allocations: those inside an engine call are counted apart from ours. Off unless a counter is set.
#pragma once

namespace turnout {

// Heap allocations of the calling thread so far; tests and benchmarks provide one that wraps malloc.
using AllocationCounter = long (*)();
void set_allocation_counter(AllocationCounter counter);
AllocationCounter allocation_counter();

// Allocations of the calling thread that happened inside an EngineScope, so far.
long engine_allocations();

// Marks a call into ONNX Runtime or FAISS. One predictable branch when nothing counts.
class EngineScope {
 public:
  EngineScope() : before_(enter()) {}
  ~EngineScope() { leave(before_); }
  EngineScope(const EngineScope&) = delete;
  EngineScope& operator=(const EngineScope&) = delete;

 private:
  static long enter();
  static void leave(long before);
  long before_;
};

}  // namespace turnout
