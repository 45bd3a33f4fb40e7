#include "router/workspace.hpp"

#include "router/tables.hpp"

namespace turnout {

Router::Workspace::Workspace(const Router& router)
    : owner(&router),
      vectors(static_cast<std::size_t>(router.dim())),
      difficulty(router.snapshot().difficulty->workspace()),
      assign(static_cast<int>(router.snapshot().catalog.llms.size())) {
  const std::size_t llms = router.snapshot().catalog.llms.size();
  if (router.snapshot().capability) capability = router.snapshot().capability->workspace();
  quality.resize(llms);
  output_scale.resize(llms);
  slowdown.resize(llms);
  prior.resize(llms);
  usd_ratio.resize(llms);
  for (auto* matrix : {&usd, &usd_bound, &seconds, &seconds_bound}) matrix->resize(kMaxNodes * llms);
  allowed.resize(kMaxNodes * llms);
  stages.reserve(kMaxStages);
  choices.reserve(kMaxStages);
  slots.reserve(kMaxNodes);
  stage_of.reserve(kMaxNodes);
  usable.resize(llms);
  masks.resize(router.snapshot().catalog.operators.size());
}

std::unique_ptr<Router::Workspace, void (*)(Router::Workspace*)> Router::workspace() const {
  return {new Workspace(*this), [](Workspace* ws) { delete ws; }};
}

}  // namespace turnout
