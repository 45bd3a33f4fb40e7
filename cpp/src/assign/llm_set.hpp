// A set of LLM indices.
#pragma once

#include <cstdint>

#include "turnout/core.hpp"

namespace turnout::assign {

struct LlmSet {
  static constexpr int kWords = kMaxLlms / 64;
  std::uint64_t words[kWords] = {};

  bool holds(int llm) const { return words[llm / 64] >> (llm % 64) & 1; }
  LlmSet with(int llm) const {
    LlmSet more = *this;
    more.words[llm / 64] |= std::uint64_t{1} << (llm % 64);
    return more;
  }
};

// Whether a and b have an element in common that x lacks.
inline bool share_beside(const LlmSet& a, const LlmSet& b, const LlmSet& x) {
  std::uint64_t any = 0;
  for (int i = 0; i < LlmSet::kWords; ++i) any |= a.words[i] & b.words[i] & ~x.words[i];
  return any != 0;
}

}  // namespace turnout::assign
