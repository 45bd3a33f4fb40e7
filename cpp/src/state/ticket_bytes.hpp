// A ticket as bytes: what the ring keeps and the log says. docs/state-format.md has the layout.
#pragma once

#include <span>

#include "state/bytes.hpp"
#include "state/fixed.hpp"
#include "turnout/state/ticket.hpp"

namespace turnout::state {

inline constexpr std::uint16_t kNoArm = 0xFFFF;
inline constexpr std::size_t kTicketHead = 43, kCandidateBytes = 22, kStepBytes = 12;
inline constexpr std::size_t kMaxTicketBytes =
    kTicketHead + 2 * kMaxContext + kCandidateBytes * kMaxCandidates + kStepBytes * kMaxNodes;
static_assert(kMaxCandidates < 256 && kMaxNodes < 64);

// The number that an arm has in a log as one of a Memory; -1 where it has none.
using ArmMap = std::span<const std::int32_t>;

struct StepView {
  std::int32_t arm;
  std::uint16_t prior;
  std::int64_t usd;
};

struct CandidateView {
  std::int32_t arm;
  double probability;
  float quality, usd, seconds;
};

// Reads a ticket's bytes where they lie.
class TicketView {
 public:
  explicit TicketView(const std::byte* at) : at_(at) {}
  std::uint64_t id() const { return get<std::uint64_t>(0); }
  std::uint32_t epoch() const { return get<std::uint32_t>(8); }
  std::uint64_t state_version() const { return get<std::uint64_t>(12); }
  double value_usd() const { return get<double>(20); }
  double usd_per_second() const { return get<double>(28); }
  std::uint16_t prior() const { return get<std::uint16_t>(36); }
  int dim() const { return get<std::uint16_t>(38); }
  int candidates() const { return get<std::uint8_t>(40); }
  int chosen() const { return get<std::uint8_t>(41); }
  int steps() const { return get<std::uint8_t>(42); }
  void context(std::span<std::int32_t> out) const {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = get<std::int16_t>(kTicketHead + 2 * i);
  }
  CandidateView candidate(int i) const;
  StepView step(int i) const;
  std::size_t size() const { return step_at(steps()); }

 private:
  template <class T>
  T get(std::size_t offset) const {
    T value;
    std::memcpy(&value, at_ + offset, sizeof value);
    return value;
  }
  std::size_t candidate_at(int i) const {
    return kTicketHead + 2 * static_cast<std::size_t>(dim()) + kCandidateBytes * static_cast<std::size_t>(i);
  }
  std::size_t step_at(int i) const { return candidate_at(candidates()) + kStepBytes * static_cast<std::size_t>(i); }
  std::int32_t arm_at(std::size_t offset) const {
    const auto arm = get<std::uint16_t>(offset);
    return arm == kNoArm ? -1 : arm;
  }
  const std::byte* at_;
};

// Throws Error(input) with the path of what is wrong; `arms` there are.
void check(const Ticket& ticket, int dim, int arms);
// Into kMaxTicketBytes of room; returns how many it took. The ticket has been checked.
std::size_t encode(const Ticket& ticket, std::byte* out);
// Whether these are a ticket's bytes, of this dimension and with no arm that the map lacks.
bool sound(Bytes ticket, int dim, ArmMap arms);
// A copy whose arms are those of the map.
void renumber(Bytes ticket, ArmMap arms, std::byte* out);
// Writes id and epoch into a ticket's bytes.
void stamp(std::byte* ticket, std::uint64_t id, std::uint32_t epoch);

}  // namespace turnout::state
