// Nanoseconds of a telemetry update from C++, one thread, everything but the clock included; of reading, of threads
// that update one arm or one each, and heap allocations. Fails when an answer is wrong.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <thread>
#include <vector>

#include "allocations.hpp"
#include "turnout/telemetry.hpp"

using namespace turnout::telemetry;

namespace {

constexpr int kCalls = 20000, kRounds = 151, kArms = 25;

template <class F>
double ns_each(int calls, F&& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() / calls;
}

template <class F>
void report(const char* name, int calls, F&& f) {
  double ns[kRounds];
  for (double& x : ns) x = ns_each(calls, f);
  std::sort(ns, ns + kRounds);
  std::printf("  %-46s median %7.1f ns, best %7.1f\n", name, ns[kRounds / 2], ns[0]);
}

Config config() {
  Config c;
  c.arms.resize(kArms);
  for (ArmConfig& arm : c.arms) arm = {16, {10000, 1e6, 60}};
  return c;
}

Outcome outcome(int i) {
  if (i % 50 == 0) return {false, 0.1, 1, 0, 0, Kind::error};
  return {true, 0.5 + 0.001 * (i % 997), 1, 0.001, 300, Kind::none};
}

void record_some(Telemetry& t, double& now, int calls, int arms) {
  for (int i = 0; i < calls; ++i) t.record(i % arms, outcome(i), now += 0.001);
}

double threads(Telemetry& t, int count, bool shared) {
  return ns_each(count * kCalls, [&] {
    std::vector<std::thread> all;
    for (int k = 0; k < count; ++k)
      all.emplace_back([&, k] {
        for (int i = 0; i < kCalls; ++i) t.record(shared ? 0 : k, outcome(i), 1e4 + 0.001 * i);
      });
    for (auto& thread : all) thread.join();
  });
}

}  // namespace

int main() {
  double now = 0;
  Telemetry plain(1, {}), full(kArms, config());
  record_some(full, now, 1000, kArms);
  std::printf("telemetry, one thread, %d calls a round\n", kCalls);
  const long before = allocations::count();
  report("record, one arm", kCalls, [&] { record_some(plain, now, kCalls, 1); });
  report("record, 25 arms with rate limits", kCalls, [&] { record_some(full, now, kCalls, kArms); });
  report("begin and end", kCalls, [&] {
    for (int i = 0; i < kCalls; ++i) full.begin(3, now), full.end(3, now);
  });
  volatile bool sink = false;
  report("admits", kCalls, [&] {
    for (int i = 0; i < kCalls; ++i) sink = full.admits(3, now);
  });
  ArmState states[kArms];
  report("read, 25 arms", kCalls / 100, [&] {
    for (int i = 0; i < kCalls / 100; ++i) full.read(now += 1e-3, states);
  });
  report("version, 25 arms", kCalls / 100, [&] {
    for (int i = 0; i < kCalls / 100; ++i) sink = full.version() != 0;
  });
  const long allocated = allocations::count() - before;
  std::printf("  heap allocations: %ld\n", allocated);
  Telemetry one(1, {}), two(2, {});
  const double shared = threads(one, 2, true), apart = threads(two, 2, false);
  std::printf("  two threads: %.1f ns an update of one arm, %.1f of one each (in all)\n", shared, apart);
  const bool right = plain.read(0, now).updates == std::uint64_t(kRounds) * kCalls && one.version() == 2 * kCalls &&
                     one.sketch(0).count() == 2 * (kCalls - kCalls / 50) && allocated == 0;
  std::printf("  %s\n", right ? "answers are right" : "WRONG");
  return right ? 0 : 1;
}
