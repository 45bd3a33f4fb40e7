#include "assign/internal.hpp"

namespace turnout::assign {

namespace {

// Columns are read in fours.
std::size_t padded(int llms) { return (static_cast<std::size_t>(llms) + 3) / 4 * 4; }

}  // namespace

Workspace::Impl::Impl(int max_llms)
    : level(kPending),
      pending(kPending),
      spare(kPending),
      keys(kPending),
      children(kPending),
      slot_points(kMaxNodes * padded(max_llms)),
      slot_columns(4 * kMaxNodes * padded(max_llms)),
      slot_alive(kMaxNodes * padded(max_llms)),
      frontier(2 * (kMaxNodes * padded(max_llms) + 32 * kMaxStages)),
      competence(kMaxNodes * padded(max_llms) + 32),
      edges(kMaxNodes * padded(max_llms)),
      steps(kMaxNodes * kMaxOptions + 1),
      sets(kMaxNodes * kMaxOptions + 1),
      columns(7 * kMaxStages * kMaxOptions),
      option_steps(kMaxStages * kMaxOptions),
      option_relaxed(kMaxStages * kMaxOptions),
      values(kMaxOptions),
      reached(kMaxOptions),
      labels(kMaxLabels) {
  by_quality.reserve(static_cast<std::size_t>(max_llms));
}

Workspace::Workspace(int max_llms) : impl_(std::make_unique<Impl>(max_llms)) {}
Workspace::~Workspace() = default;
Workspace::Workspace(Workspace&&) noexcept = default;

}  // namespace turnout::assign
