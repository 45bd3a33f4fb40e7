#include "state/tickets.hpp"

#include <algorithm>
#include <bit>

namespace turnout::state {
namespace {

constexpr std::size_t kMaxRuns = 4096;  // of which it is remembered how far they counted
}  // namespace

Tickets::Tickets(std::size_t capacity)
    : capacity_(capacity), mask_(std::bit_ceil(capacity) - 1), answered_(mask_ + 1), where_(mask_ + 1) {
  chunks_.reserve(capacity / (kChunk / kMaxTicketBytes) + 2);
}

std::uint64_t Tickets::push(Bytes ticket, bool sharing) {
  if (size() == capacity_) forget(sharing);
  Chunk& chunk = room(ticket.size());
  std::byte* const at = chunk.bytes.get() + chunk.used;
  std::memcpy(at, ticket.data(), ticket.size());
  chunk.used += ticket.size();
  where_[end_ & mask_] = at;
  answered_[end_ & mask_] = 0;
  extend(TicketView(at).id());
  return end_++;
}

Tickets::Chunk& Tickets::room(std::size_t n) {
  if (!chunks_.empty() && kChunk - chunks_.back()->used >= n) return *chunks_.back();
  std::shared_ptr<Chunk> next = std::move(spare_);
  if (!next) {
    next = std::make_shared<Chunk>();
    next->bytes = std::make_unique_for_overwrite<std::byte[]>(kChunk);
  }
  next->first = end_;
  next->used = 0;
  chunks_.push_back(std::move(next));
  return *chunks_.back();
}

void Tickets::forget(bool sharing) {
  if (first_ == nullptr) first_ = &*std::prev(runs_.upper_bound(at(begin_).id()));
  ++begin_;
  ++forgotten_;
  if (first_->second.position + first_->second.count == begin_) {
    if (last_ == first_) last_ = nullptr;
    runs_.erase(first_->first);
    first_ = nullptr;
  }
  if (chunks_.size() < 2 || chunks_[1]->first > begin_) return;
  if (!sharing) spare_ = std::move(chunks_.front());
  chunks_.erase(chunks_.begin());
}

// Most tickets follow the one before.
void Tickets::extend(std::uint64_t id) {
  see(id);
  if (last_ != nullptr && id == last_->first + last_->second.count)
    ++last_->second.count;
  else
    last_ = &*runs_.insert_or_assign(id, Run{1, end_}).first;
}

void Tickets::see(std::uint64_t id) {
  const std::uint32_t prefix = prefix_of(id);
  if (seen_.empty() || seen_.back().first != prefix) {
    std::erase_if(seen_, [&](const auto& run) { return run.first == prefix; });
    if (seen_.size() == kMaxRuns) seen_.erase(seen_.begin());
    seen_.emplace_back(prefix, 0);
  }
  seen_.back().second = count_of(id);
}

std::uint64_t Tickets::opened(std::uint32_t prefix) const {
  if (!seen_.empty() && seen_.back().first == prefix) return seen_.back().second;
  for (const auto& [run, last] : seen_)
    if (run == prefix) return last;
  return 0;
}

bool Tickets::is_next(std::uint64_t id) const { return count_of(id) > opened(prefix_of(id)); }

std::pair<Found, std::uint64_t> Tickets::find(std::uint64_t id) const {
  auto run = runs_.upper_bound(id);
  if (run != runs_.begin()) {
    --run;
    const std::uint64_t position = run->second.position + (id - run->first);
    if (id - run->first < run->second.count && position >= begin_) return {Found::open, position};
  }
  const std::uint64_t count = count_of(id);
  return {count > 0 && count <= opened(prefix_of(id)) ? Found::expired : Found::unknown, 0};
}

TicketView Tickets::at(std::uint64_t position) const { return TicketView(where_[position & mask_]); }

void Tickets::copy(Copy& out) const {
  out.begin = begin_;
  out.end = end_;
  out.chunks.assign(chunks_.begin(), chunks_.end());
  out.answered = answered_;
  out.runs = seen_;
}

}  // namespace turnout::state
