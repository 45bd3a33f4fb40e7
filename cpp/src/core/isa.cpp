#include "turnout/core/isa.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include "turnout/core/error.hpp"

namespace turnout {
namespace {

Isa best_isa() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")) return Isa::avx512;
  if (__builtin_cpu_supports("avx2")) return Isa::avx2;
#endif
  return Isa::baseline;
}

Isa choose_isa() {
  const Isa best = best_isa();
  const char* wish = std::getenv("TURNOUT_ISA");
  if (wish == nullptr) return best;
  if (std::strcmp(wish, "baseline") == 0) return Isa::baseline;
  if (std::strcmp(wish, "avx2") == 0) return std::min(best, Isa::avx2);
  if (std::strcmp(wish, "avx512") == 0) return best;
  throw Error(ErrorKind::config, "TURNOUT_ISA", std::string("expected baseline, avx2 or avx512, got \"") + wish + "\"");
}

}  // namespace

Isa active_isa() {
  static const Isa isa = choose_isa();
  return isa;
}

const char* isa_name(Isa isa) {
  switch (isa) {
    case Isa::avx512:
      return "avx512";
    case Isa::avx2:
      return "avx2";
    case Isa::baseline:
      break;
  }
#if defined(__x86_64__)
  return "sse2";
#elif defined(__aarch64__)
  return "neon";
#else
  return "baseline";
#endif
}

}  // namespace turnout
