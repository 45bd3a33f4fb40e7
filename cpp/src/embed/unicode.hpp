// What BERT's normaliser and pre-tokeniser make of each code point, in one lookup: cleaned, decomposed (NFD), stripped
// of accents, in lower case, and whether the result is part of a word, stands alone or separates.
#pragma once

#include <cstddef>
#include <cstdint>

namespace turnout::embed::unicode {

// How a code point acts. Codes from kMark on are marks that are kept (the code holds their combining class), codes
// from kMapping on an index into the mappings.
enum Kind : std::uint16_t {
  kKeep = 0,    // part of a word, as it is
  kAbsent = 1,  // as if it were not there
  kBreak = 2,   // removed, but marks are not reordered across it
  kSpace = 3,
  kIsolated = 4,  // a word of its own: punctuation, Chinese characters
  kHangul = 5,    // a syllable, decomposed into its letters by arithmetic
  kDecode = 6,    // (of a first byte) the code point has several bytes
  kMark = 8,
  kMapping = 264,
};

enum class Becomes : std::uint8_t { word, isolated, marked };  // marked: holds marks, so look at each character again

struct Mapping {
  std::uint16_t offset;
  std::uint8_t bytes;
  std::uint8_t becomes;
};

#include "unicode_data.inc"

inline std::uint16_t code_of(char32_t point) {
  const std::size_t block = kStage1[point >> kBlockShift];
  return kStage2[block << kBlockShift | (point & ((1u << kBlockShift) - 1))];
}

inline const Mapping& mapping_of(std::uint16_t code) { return kMappings[code - kMapping]; }
inline const unsigned char* bytes_of(const Mapping& mapping) { return kMappedBytes + mapping.offset; }

// Below 0x80: part of a word, in lower case. Else 0x80 + Kind.
inline std::uint8_t first_byte(unsigned char byte) { return kFirstByte[byte]; }

}  // namespace turnout::embed::unicode
