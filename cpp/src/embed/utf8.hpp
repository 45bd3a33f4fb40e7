// UTF-8 in, code points out. Bytes that are not UTF-8 become U+FFFD, one for each maximal subpart (Unicode 3.9, the
// policy of Python's bytes.decode("utf-8", "replace")).
#pragma once

#include <cstdint>

namespace turnout::embed {

struct Decoded {
  char32_t point;
  int bytes;  // consumed
  bool valid;
};

inline constexpr char32_t kReplacement = 0xFFFD;

// The bytes that may follow the first one: how many, and the range of the second.
struct Lead {
  int trailing;
  unsigned char low, high;
};

inline Lead lead_of(unsigned char first) {
  if (first < 0xC2 || first > 0xF4) return {0, 0, 0};
  if (first < 0xE0) return {1, 0x80, 0xBF};
  if (first == 0xE0) return {2, 0xA0, 0xBF};  // shorter forms exist
  if (first == 0xED) return {2, 0x80, 0x9F};  // surrogates
  if (first < 0xF0) return {2, 0x80, 0xBF};
  if (first == 0xF0) return {3, 0x90, 0xBF};
  return {3, 0x80, static_cast<unsigned char>(first == 0xF4 ? 0x8F : 0xBF)};
}

inline Decoded decode(const unsigned char* p, const unsigned char* end) {
  if (*p < 0x80) return {*p, 1, true};
  const Lead lead = lead_of(*p);
  if (lead.trailing == 0) return {kReplacement, 1, false};
  char32_t point = *p & (0x3Fu >> lead.trailing);
  for (int i = 1; i <= lead.trailing; ++i) {
    const unsigned char low = i == 1 ? lead.low : 0x80, high = i == 1 ? lead.high : 0xBF;
    if (p + i >= end || p[i] < low || p[i] > high) return {kReplacement, i, false};
    point = point << 6 | (p[i] & 0x3Fu);
  }
  return {point, lead.trailing + 1, true};
}

// Writes a code point of three bytes.
inline void encode3(char32_t point, unsigned char* out) {
  out[0] = static_cast<unsigned char>(0xE0 | point >> 12);
  out[1] = static_cast<unsigned char>(0x80 | (point >> 6 & 0x3F));
  out[2] = static_cast<unsigned char>(0x80 | (point & 0x3F));
}

}  // namespace turnout::embed
