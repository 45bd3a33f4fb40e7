// The picture: the best plan without limits; if it breaks them, multipliers for a bound and a good plan, then labels.
#include <string>

#include "assign/answer.hpp"

namespace turnout::assign {
namespace {

using Impl = Workspace::Impl;

void answer_nothing(const Problem& problem, Solution& out) {
  out = Solution();
  std::fill(out.llm, out.llm + kMaxNodes, std::int16_t{-1});
  std::fill(out.skipped, out.skipped + problem.stages.size(), true);
}

void check_size(const Problem& p, const Impl& w) {
  const auto most = [](const char* what, std::size_t limit, std::size_t got) {
    if (got > limit)
      throw Error(ErrorKind::input, what, "expected at most " + std::to_string(limit) + ", got " + std::to_string(got));
  };
  most("llms", static_cast<std::size_t>(w.max_llms), static_cast<std::size_t>(p.llms));
  most("slots", kMaxNodes, static_cast<std::size_t>(p.slots));
  most("stages", kMaxStages, p.stages.size());
}

}  // namespace

void solve(const Problem& problem, Workspace& ws, Solution& out) {
  Impl& w = ws.impl();
  check_size(problem, w);
  answer_nothing(problem, out);
  begin(w, problem);
  if (w.sketched)
    solve_by_slots(problem, ws, out);
  else
    solve_by_options(problem, ws, out);
}

}  // namespace turnout::assign
