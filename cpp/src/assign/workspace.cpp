#include "assign/internal.hpp"

namespace turnout::assign {

Workspace::Impl::Impl(int max_llms)
    : candidates(static_cast<std::size_t>(max_llms)),
      level(kPending),
      pending(kPending),
      spare(kPending),
      keys(kPending),
      children(kPending),
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
