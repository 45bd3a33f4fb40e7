// Nanoseconds of the next step after 0 to 3 answers, for pools of 6 and 25 LLMs and each depth, of a vote, and heap
// allocations. Fails when a step is not the one that it must be.
#include "turnout/belief.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

#include "allocations.hpp"
#include "turnout/core/rng.hpp"

using namespace turnout;
using namespace turnout::belief;

namespace {

constexpr int kCalls = 200, kRounds = 51;
int failures = 0;

// Abler LLMs cost more.
std::vector<Llm> pool(int n) {
  Philox rng(7);
  std::vector<Llm> llms;
  for (int i = 0; i < n; ++i)
    llms.push_back({0.3 + 0.5 * (i + rng.uniform()) / n, 1e-5 * (1 + i * i * (0.5 + rng.uniform())), 1, true, 1});
  return llms;
}

template <class F>
void report(const char* name, F&& f) {
  double ns[kRounds];
  for (double& x : ns) {
    const auto start = std::chrono::steady_clock::now();
    for (int i = 0; i < kCalls; ++i) f();
    x = std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / kCalls;
  }
  std::sort(ns, ns + kRounds);
  std::printf("  %-36s median %9.1f ns, best %9.1f\n", name, ns[kRounds / 2], ns[0]);
}

void steps(int llms, int answers, int depth) {
  const std::vector<Llm> all = pool(llms);
  std::vector<Answer> said;
  for (int i = 0; i < answers; ++i) said.push_back({i, i % 2});
  Question q;
  q.llms = all;
  q.answers = said;
  q.value_usd = 0.01;
  q.depth = depth;
  char name[64];
  std::snprintf(name, sizeof name, "%d LLMs, %d answers, depth %d", llms, answers, depth);
  const Step expected = next(q);
  const long before = allocations::count();
  report(name, [&] {
    const Step s = next(q);
    failures += s.llm != expected.llm || s.voi != expected.voi;
  });
  failures += allocations::count() != before;
  failures += expected.votes != answers || (answers == 0 && expected.llm < 0);
}

}  // namespace

int main() {
  std::printf("next step, best of %d rounds of %d\n", kRounds, kCalls);
  for (const int llms : {6, 25})
    for (const int answers : {0, 1, 2, 3})
      for (const int depth : {1, 2}) steps(llms, answers, depth);
  const std::vector<std::int32_t> votes = {0, 1, 1, 2, 1};
  double scores[3];
  report("plurality of 5 votes", [&] { failures += consensus::vote({votes, {}, {}}, scores).answer != 1; });
  std::printf("  %s\n", failures == 0 ? "answers are right, and nothing is allocated" : "WRONG");
  return failures == 0 ? 0 : 1;
}
