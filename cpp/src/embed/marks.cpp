#include "marks.hpp"

#include <algorithm>
#include <array>
#include <bit>

#include "turnout/embed.hpp"

namespace turnout::embed {
namespace {

// No byte is of two classes.
enum Class { digits, upper, maths, code, newlines, questions, high, kClasses };

// One in the byte of the class, so that a sum of up to 255 of them holds the counts of all classes.
constexpr std::uint64_t one(Class c) { return std::uint64_t{1} << (8 * c); }

constexpr std::array<std::uint64_t, 256> table_of_ones() {
  std::array<std::uint64_t, 256> ones{};
  for (int b = '0'; b <= '9'; ++b) ones[static_cast<std::size_t>(b)] = one(digits);
  for (int b = 'A'; b <= 'Z'; ++b) ones[static_cast<std::size_t>(b)] = one(upper);
  for (const char b : std::string_view("\\$^{}=+*/<>")) ones[static_cast<unsigned char>(b)] = one(maths);
  for (const char b : std::string_view("_();[]\"`#")) ones[static_cast<unsigned char>(b)] = one(code);
  ones['\n'] = one(newlines);
  ones['?'] = one(questions);
  for (std::size_t b = 0x80; b < 0x100; ++b) ones[b] = one(high);
  return ones;
}

constexpr std::array<std::uint64_t, 256> kOnes = table_of_ones();

std::array<std::int64_t, kClasses> count_bytes(std::string_view text) {
  std::array<std::int64_t, kClasses> counts{};
  for (; !text.empty(); text.remove_prefix(std::min<std::size_t>(255, text.size()))) {
    std::uint64_t sum = 0;
    for (const char b : text.substr(0, 255)) sum += kOnes[static_cast<unsigned char>(b)];
    for (std::size_t c = 0; c < kClasses; ++c) counts[c] += static_cast<std::int64_t>(sum >> (8 * c) & 0xFF);
  }
  return counts;
}

int bits_of(std::int64_t x) { return std::bit_width(static_cast<std::uint64_t>(x)); }

}  // namespace

int share_row(std::int64_t c, std::int64_t n) {
  if (c == 0) return 0;
  int k = 1;
  while (k < kCountRows - 1 && ((std::int64_t{1} << k) - 1) * n < 64 * c) ++k;
  return k;
}

int count_row(std::int64_t c) { return std::min(kCountRows - 1, bits_of(c)); }

int length_row(std::int64_t tokens) {
  const std::int64_t t = 1 + tokens;
  return std::min(kLengthRows - 1, bits_of(t * t * t) - 1);
}

std::int64_t count_options(std::string_view text) {
  std::int64_t options = 0;
  for (std::size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at)) {
    at = std::min(text.find_first_not_of(" \t", at + 1), text.size());
    if (at < text.size() && text[at] == '(') ++at;
    options +=
        at + 1 < text.size() && text[at] >= 'A' && text[at] <= 'Z' && (text[at + 1] == '.' || text[at + 1] == ')');
  }
  return options;
}

void find_marks(std::string_view text, int tokens, std::int32_t* rows) {
  const auto n = static_cast<std::int64_t>(text.size());
  const auto counts = count_bytes(text);
  const int found[] = {share_row(counts[digits], n), share_row(counts[upper], n), share_row(counts[maths], n),
                       share_row(counts[code], n),   count_row(counts[newlines]), count_row(counts[questions]),
                       share_row(counts[high], n),   count_row(counts[maths]),    count_row(counts[digits])};
  static_assert(std::size(found) == kMarks - 2 && kLengthRows + (kMarks - 2) * kCountRows + kOptionRows == kMarkRows);
  *rows++ = length_row(tokens);
  std::int32_t block = kLengthRows;
  for (const int row : found) {
    *rows++ = block + row;
    block += kCountRows;
  }
  *rows = block + static_cast<std::int32_t>(std::min<std::int64_t>(kOptionRows - 1, count_options(text)));
}

}  // namespace turnout::embed
