// Which SIMD kernels run. Every kernel gives the same bits at every level (fixed lanes, no contraction).
#pragma once

namespace turnout {

enum class Isa { baseline, avx2, avx512 };

// The best level of this CPU; the environment variable TURNOUT_ISA=baseline|avx2|avx512 lowers it (read once;
// Error(config) for any other value).
Isa active_isa();
const char* isa_name(Isa isa);

}  // namespace turnout
