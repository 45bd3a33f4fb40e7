#include "assign/internal.hpp"

namespace turnout::assign {

namespace {

// Columns are read in fours.
std::size_t padded(int llms) { return (static_cast<std::size_t>(llms) + 3) / 4 * 4; }

}  // namespace

Workspace::Impl::Impl(int llms)
    : max_llms(llms),
      level(kPending),
      pending(kPending),
      spare(kPending),
      keys(kPending),
      children(kPending),
      slot_points(kMaxNodes * padded(llms)),
      slot_columns(4 * kMaxNodes * padded(llms)),
      slot_alive(kMaxNodes * padded(llms)),
      frontier(3 * (kMaxNodes * padded(llms) + 64 * kMaxStages)),
      competence(kMaxNodes * padded(llms) + 32),
      paid(kMaxNodes * padded(llms) + 32),
      lowest(kMaxNodes * padded(llms) + 64 * kMaxStages),
      edges(kMaxNodes * padded(llms)),
      steps(kMaxNodes * kMaxOptions + 1),
      sets(kMaxNodes * kMaxOptions + 1),
      columns(7 * kMaxStages * kMaxOptions),
      option_steps(kMaxStages * kMaxOptions),
      option_relaxed(kMaxStages * kMaxOptions),
      values(kMaxOptions),
      reached(kMaxOptions),
      labels(kMaxLabels) {
  by_quality.reserve(static_cast<std::size_t>(llms));
}

Workspace::Workspace(int max_llms) : impl_(std::make_unique<Impl>(max_llms)) {}
Workspace::~Workspace() = default;
Workspace::Workspace(Workspace&&) noexcept = default;

}  // namespace turnout::assign
