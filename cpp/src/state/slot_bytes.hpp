// Slots as bytes: what replicas send to each other. docs/state-format.md has the layout.
#pragma once

#include <string>
#include <vector>

#include "state/bytes.hpp"
#include "state/evidence.hpp"

namespace turnout::state {

inline constexpr std::size_t kMaxName = 256;  // bytes, of an arm or a space
inline constexpr int kMaxEpochs = 64;
inline constexpr std::uint32_t kFormat = 1;

using Names = std::vector<const std::string*>;  // by an arm's number

// A slot that was read: its arms are numbered by `names`.
struct NamedSlot {
  Slot slot;
  std::vector<std::string> names;
};

std::vector<std::byte> encode_slots(std::span<const Slot* const> slots, const Names& names, const Config& config);
// Throws Error(input) under `path` where they are damaged, or of another dimension or space.
std::vector<NamedSlot> decode_slots(Bytes bytes, const Config& config, const char* path);

// The common head of slots and snapshots: magic, format, dim, space. The reader throws Error(input).
void put_head(Writer& out, std::string_view magic, const Config& config);
Reader check_head(Bytes bytes, std::string_view magic, const Config& config, const char* path);
// The checksum that ends both.
std::vector<std::byte> finish(Writer& out);

}  // namespace turnout::state
