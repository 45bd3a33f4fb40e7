// Microseconds of assign::solve() on generated plans of 12 slots x 16 LLMs, one thread, warm: no limit that binds, a
// budget that binds, budget and seconds that bind. Says how often the label cap was hit and how far the bound was then.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "pool_plans.hpp"

namespace {

using namespace plans;

constexpr int kLlms = 16, kSlots = 12, kPasses = 5;

enum class Bind { nothing, budget, both };

struct Result {
  std::vector<double> us;
  int statuses[5] = {};
  double labels = 0, worst_gap = 0;
  int wrong = 0;

  void add(const Problem& p, const Solution& s);
};

double at(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

double once(const Problem& p, assign::Workspace& ws, Solution& out) {
  const auto start = std::chrono::steady_clock::now();
  assign::solve(p, ws, out);
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

bool is_wrong(const Problem& p, const Solution& s) {
  Solution again = s;
  assign::evaluate(p, again);
  return again.utility != s.utility || s.status == assign::Status::infeasible || !within(p, s);
}

void Result::add(const Problem& p, const Solution& s) {
  ++statuses[static_cast<int>(s.status)];
  labels += s.labels;
  worst_gap = std::max(worst_gap, s.utility > 0 ? s.gap / s.utility : 0);
  wrong += is_wrong(p, s);
}

bool make(Instance& x, Random& r, Bind bind, assign::Workspace& ws) {
  if (bind == Bind::nothing) return true;
  if (bind == Bind::budget) return bind_budget(x, r, ws);
  if (!bind_seconds(x, r, ws)) return false;
  const Seconds limit = x.max_seconds;
  x.max_seconds = Seconds::unlimited();
  if (!bind_budget(x, r, ws)) return false;
  x.max_seconds = limit;
  Solution s;
  assign::solve(x.problem(), ws, s);
  return s.status != assign::Status::infeasible;
}

std::vector<Instance> generate(Bind bind, bool fixed, int n, assign::Workspace& ws) {
  std::vector<Instance> instances;
  for (std::uint64_t seed = 0; static_cast<int>(instances.size()) < n; ++seed) {
    Random r(seed);
    Instance x = fixed ? router_plan(r) : pool_plan(r, kLlms, kSlots);
    if (make(x, r, bind, ws)) instances.push_back(x);
  }
  return instances;
}

// Every instance in turn, so that no call is the repeat of the one before; of the passes the best counts, which is
// what the call takes and not what the machine adds.
Result run(Bind bind, bool fixed, int n) {
  Result result;
  assign::Workspace ws(kLlms);
  std::vector<Instance> instances = generate(bind, fixed, n, ws);
  Instance current;  // as in a router: the matrices have just been written
  result.us.assign(instances.size(), 1e300);
  for (int pass = 0; pass < kPasses; ++pass)
    for (std::size_t i = 0; i < instances.size(); ++i) {
      const Problem p = (current = instances[i]).problem();
      Solution s;
      result.us[i] = std::min(result.us[i], once(p, ws, s));
      if (pass == 0) result.add(p, s);
    }
  return result;
}

int report(const char* name, const Result& r) {
  const double n = static_cast<double>(r.us.size());
  std::printf(
      "%-16s p50 %7.2f us  p90 %7.2f  p99 %7.2f  max %8.2f | unlimited_best %.3f exact %.3f label_cap %.4f | labels "
      "%.1f, worst gap %.2g of utility | wrong %d\n",
      name, at(r.us, 0.5), at(r.us, 0.9), at(r.us, 0.99), at(r.us, 1), r.statuses[0] / n, r.statuses[1] / n,
      r.statuses[2] / n, r.labels / n, r.worst_gap, r.wrong);
  return r.wrong;
}

}  // namespace

int main(int argc, char** argv) {
  const int n = argc > 1 ? std::atoi(argv[1]) : 5000;
  int bad = 0;
  for (const bool fixed : {true, false}) {
    std::printf(fixed ? "router's plans: 3, 3, 2, 2, 2 slots, dearer LLMs are better\n"
                      : "varied plans: 4 to 6 stages of 1 to 3 slots\n");
    bad += report("  not binding", run(Bind::nothing, fixed, n));
    bad += report("  budget", run(Bind::budget, fixed, n));
    bad += report("  budget, seconds", run(Bind::both, fixed, n));
  }
  return bad == 0 ? 0 : 1;
}
