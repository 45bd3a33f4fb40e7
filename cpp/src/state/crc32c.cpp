#include "state/crc32c.hpp"

#include <array>
#include <cstring>

#include "turnout/core/isa.hpp"

namespace turnout::state {
namespace {

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0u);
    table[i] = crc;
  }
  return table;
}
constexpr auto kTable = make_table();

#if defined(__x86_64__)
[[gnu::target("sse4.2")]] std::uint32_t crc32c_by_instruction(std::span<const std::byte> bytes, std::uint32_t before) {
  std::uint64_t crc = ~before;
  const std::byte* p = bytes.data();
  std::size_t n = bytes.size();
  for (; n >= 8; n -= 8, p += 8) {
    std::uint64_t word;
    std::memcpy(&word, p, 8);
    crc = __builtin_ia32_crc32di(crc, word);
  }
  auto rest = static_cast<std::uint32_t>(crc);
  for (; n > 0; --n, ++p) rest = __builtin_ia32_crc32qi(rest, static_cast<unsigned char>(*p));
  return ~rest;
}
#endif

using Crc = std::uint32_t (*)(std::span<const std::byte>, std::uint32_t);
Crc choose_crc() {
#if defined(__x86_64__)
  if (active_isa() != Isa::baseline) return crc32c_by_instruction;  // every CPU with AVX2 has SSE4.2
#endif
  return crc32c_by_table;
}

}  // namespace

std::uint32_t crc32c_by_table(std::span<const std::byte> bytes, std::uint32_t before) {
  std::uint32_t crc = ~before;
  for (const std::byte b : bytes) crc = (crc >> 8) ^ kTable[(crc ^ static_cast<std::uint32_t>(b)) & 0xFF];
  return ~crc;
}

std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before) {
  static const Crc kernel = choose_crc();
  return kernel(bytes, before);
}

}  // namespace turnout::state
