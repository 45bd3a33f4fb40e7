// CRC-32C (Castagnoli, reflected 0x82F63B78): finds torn and damaged records. RFC 3720, appendix B.4 has its test
// vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace turnout::state {

// Of `bytes`, after what gave `before`. SSE4.2's instruction where the CPU has it, a table elsewhere: equal.
std::uint32_t crc32c(std::span<const std::byte> bytes, std::uint32_t before = 0);
std::uint32_t crc32c_by_table(std::span<const std::byte> bytes, std::uint32_t before = 0);

}  // namespace turnout::state
