// a8: placements against brute force over every order, device and slot.
#include "turnout/plan/placement.hpp"

#include <cmath>

#include "check.hpp"
#include "dags.hpp"

using namespace turnout;
using plan::Dag;
using plan::Edge;
using plan::PlacementScore;

namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

struct Instance {
  Dag dag;
  int devices = 0;
  std::vector<double> seconds, cost, memory, capacity, data, latency, seconds_per_unit, cost_per_unit;
  std::vector<std::int32_t> slots;
  double deadline = kNever;

  plan::PlacementProblem problem() const {
    return {dag,  devices, seconds,          cost,          memory,  capacity, slots,
            data, latency, seconds_per_unit, cost_per_unit, deadline};
  }
};

std::size_t at(int i) { return static_cast<std::size_t>(i); }

void fill(std::vector<double>& values, int n, Philox& rng, double scale) {
  for (int i = 0; i < n; ++i) values.push_back(scale * rng.uniform());
}

// Dear devices are fast. Some pairs are not allowed, some devices have few slots and little memory.
Instance random_instance(std::uint64_t seed, int nodes, int devices, bool limited) {
  Philox rng(seed, 7);
  Instance x;
  x.devices = devices;
  const auto g = dags::random(seed, nodes, 2 * nodes, nodes);
  x.dag.assign(nodes, g.edges);
  for (int v = 0; v < nodes; ++v)
    for (int d = 0; d < devices; ++d) {
      const double work = 1 + 4 * rng.uniform();
      x.seconds.push_back(d > 0 && rng.uniform() < 0.15 ? kNever : work / (d + 1));
      x.cost.push_back(work * (0.5 + d) * (0.5 + rng.uniform()));
    }
  fill(x.memory, nodes, rng, 2);
  fill(x.capacity, devices, rng, 6);
  fill(x.data, static_cast<int>(g.edges.size()), rng, 1);
  for (int a = 0; a < devices; ++a)
    for (int b = 0; b < devices; ++b) {
      x.latency.push_back(a == b ? 0 : 0.5 * rng.uniform());
      x.seconds_per_unit.push_back(a == b ? 0 : 0.5 * rng.uniform());
      x.cost_per_unit.push_back(a == b ? 0 : rng.uniform());
    }
  for (int d = 0; d < devices && limited; ++d) x.slots.push_back(dags::below(rng, 3));
  x.deadline = 3 + 9 * rng.uniform();
  return x;
}

// Every topological order, device and slot, one task at a time. Takes no part of the code under test.
struct BruteForce {
  const Instance& x;
  std::vector<int> device;
  std::vector<double> end;
  std::vector<std::vector<double>> free;
  PlacementScore best{kNever, kNever, kNever, kNever};

  explicit BruteForce(const Instance& instance)
      : x(instance), device(at(x.dag.nodes()), -1), end(at(x.dag.nodes())), free(at(x.devices)) {
    for (int d = 0; d < x.devices; ++d) free[at(d)].assign(at(slots(d)), 0);
    visit(0);
  }
  bool limited(int d) const { return !x.slots.empty() && x.slots[at(d)] > 0; }
  int slots(int d) const { return limited(d) ? x.slots[at(d)] : 1; }

  static double beyond(double value, double limit) { return value > limit * (1 + 1e-9) + 1e-9 ? value - limit : 0; }
  // In billionths: where all devices are full, sums that should be equal differ in their last bits.
  static double whole(double value) { return std::round(value * 1e9) * 1e-9; }

  PlacementScore score() const {
    PlacementScore s;
    std::vector<double> used(at(x.devices));
    for (int v = 0; v < x.dag.nodes(); ++v) {
      used[at(device[at(v)])] += x.memory[at(v)];
      s.cost += x.cost[at(v * x.devices + device[at(v)])];
      s.seconds = std::max(s.seconds, end[at(v)]);
      for (std::size_t k = 0; k < x.dag.parents(v).size(); ++k)
        s.cost += x.data[at(x.dag.parent_edges(v)[k])] *
                  x.cost_per_unit[at(device[at(x.dag.parents(v)[k])] * x.devices + device[at(v)])];
    }
    for (int d = 0; d < x.devices; ++d) s.memory_over += beyond(used[at(d)], x.capacity[at(d)]);
    s.memory_over = whole(s.memory_over);
    s.seconds_over = whole(beyond(s.seconds, x.deadline));
    return s;
  }

  void visit(int placed) {
    if (placed == x.dag.nodes()) {
      if (score() < best) best = score();
      return;
    }
    for (int v = 0; v < x.dag.nodes(); ++v) {
      bool ready = device[at(v)] < 0;
      for (const int p : x.dag.parents(v)) ready = ready && device[at(p)] >= 0;
      for (int d = 0; ready && d < x.devices; ++d)
        if (x.seconds[at(v * x.devices + d)] < kNever) try_device(v, d, placed);
      if (ready && x.slots.empty()) return;  // then the order does not matter
    }
  }

  void try_device(int v, int d, int placed) {
    double start = 0;
    for (std::size_t k = 0; k < x.dag.parents(v).size(); ++k) {
      const int p = x.dag.parents(v)[k];
      const auto pair = at(device[at(p)] * x.devices + d);
      start = std::max(start,
                       end[at(p)] + x.latency[pair] + x.data[at(x.dag.parent_edges(v)[k])] * x.seconds_per_unit[pair]);
    }
    device[at(v)] = d;
    for (int s = 0; s < slots(d); ++s) {
      double& slot = free[at(d)][at(s)];
      const double before = slot;
      end[at(v)] = (limited(d) ? std::max(start, slot) : start) + x.seconds[at(v * x.devices + d)];
      slot = end[at(v)];
      visit(placed + 1);
      slot = before;
    }
    device[at(v)] = -1;
  }
};

// What the placement says of itself, from its tasks alone.
bool consistent(const Instance& x, const plan::Placement& p) {
  double end = 0;
  for (int v = 0; v < x.dag.nodes(); ++v) {
    const auto& t = p.tasks[at(v)];
    if (std::abs(t.end - t.start - x.seconds[at(v * x.devices + t.device)]) > 1e-9) return false;
    end = std::max(end, t.end);
    for (std::size_t k = 0; k < x.dag.parents(v).size(); ++k) {
      const auto& parent = p.tasks[at(x.dag.parents(v)[k])];
      const auto pair = at(parent.device * x.devices + t.device);
      const double transfer =
          x.latency.empty() ? 0 : x.latency[pair] + x.data[at(x.dag.parent_edges(v)[k])] * x.seconds_per_unit[pair];
      if (t.start < parent.end + transfer - 1e-9) return false;
    }
    for (int w = 0; w < v; ++w) {
      const auto& other = p.tasks[at(w)];
      if (other.device == t.device && other.slot == t.slot && t.start < other.end - 1e-9 && other.start < t.end - 1e-9)
        return false;
    }
    if (!x.slots.empty() && x.slots[at(t.device)] > 0 && t.slot >= x.slots[at(t.device)]) return false;
  }
  return std::abs(end - p.score.seconds) <= 1e-9;
}

void check_against_brute_force(const Instance& x, int& feasible) {
  const auto got = plan::place(x.problem(), 100000000);
  const PlacementScore want = BruteForce(x).best;
  CHECK(got.optimal && consistent(x, got));
  CHECK_NEAR(got.score.memory_over, want.memory_over, 1e-8);
  CHECK_NEAR(got.score.seconds_over, want.seconds_over, 1e-8);
  CHECK_NEAR(got.score.cost, want.cost, 1e-8);
  CHECK(got.score.feasible() == want.feasible() && got.lower_bound <= got.score.cost);
  if (got.score.feasible()) CHECK(got.score.seconds <= x.deadline * (1 + 1e-9));
  feasible += got.score.feasible();
}

}  // namespace

// a8, T: 6 operators x 3 devices.
TEST(placements_equal_brute_force) {
  int feasible = 0;
  for (std::uint64_t seed = 0; seed < 150; ++seed)
    check_against_brute_force(random_instance(seed, 6, 3, false), feasible);
  CHECK(feasible > 20 && feasible < 130);
}

TEST(placements_with_few_slots_equal_brute_force) {
  int feasible = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed)
    check_against_brute_force(random_instance(seed, 5, 2, true), feasible);
  for (std::uint64_t seed = 100; seed < 110; ++seed)
    check_against_brute_force(random_instance(seed, 6, 3, true), feasible);
  CHECK(feasible > 10 && feasible < 65);
}

TEST(a_deadline_that_cannot_be_kept_is_said) {
  Instance x;
  x.dag.assign(2, std::vector<Edge>{{0, 1}});
  x.devices = 2;
  x.seconds = {4, 1, 4, 1};
  x.cost = {1, 5, 1, 5};
  const auto loose = plan::place(x.problem());
  CHECK(loose.score.feasible() && loose.score.cost == 2 && loose.score.seconds == 8 && loose.optimal);
  x.deadline = 5;
  CHECK(plan::place(x.problem()).score.cost == 6);
  x.deadline = 1;
  const auto least = plan::place(x.problem());
  CHECK(!least.score.feasible() && least.score.seconds_over == 1 && least.score.cost == 10 && least.optimal);
}

TEST(memory_comes_before_the_deadline) {
  Instance x;
  x.dag.assign(2, {});
  x.devices = 2;
  x.seconds = {1, 9, 1, 9};
  x.cost = {1, 1, 1, 1};
  x.memory = {2, 2};
  x.capacity = {3, 3};
  x.deadline = 5;
  const auto p = plan::place(x.problem());
  CHECK(p.score.memory_over == 0 && p.score.seconds_over == 4 && p.tasks[0].device != p.tasks[1].device);
}

TEST(the_search_stops_at_its_limit_and_says_so) {
  const Instance x = random_instance(3, 20, 6, false);
  const auto none = plan::place(x.problem(), 0), few = plan::place(x.problem(), 50);
  CHECK(!none.optimal && none.nodes == 0 && consistent(x, none));
  CHECK(!few.optimal && few.nodes == 51 && few.score <= none.score && few.lower_bound <= few.score.cost);
}

TEST(large_dags_are_placed_by_list) {
  const Instance x = random_instance(4, 1000, 8, true);
  const auto p = plan::place(x.problem());
  CHECK(!p.optimal && consistent(x, p));
}

TEST(limits_of_tasks_and_devices) {
  Instance x;
  x.dag.assign(plan::kMaxPlacedTasks + 1, {});
  x.devices = 1;
  CHECK_ERROR(plan::place(x.problem()), ErrorKind::input, "nodes");
  x.dag.assign(1, {});
  x.devices = plan::kMaxDevices + 1;
  CHECK_ERROR(plan::place(x.problem()), ErrorKind::input, "devices");
}

TEST(empty_dags_and_wrong_problems) {
  Instance x;
  x.devices = 1;
  CHECK(plan::place(x.problem()).optimal);
  x = random_instance(1, 3, 2, true);
  const auto path = [&](const auto& spoil) {
    Instance bad = x;
    spoil(bad);
    try {
      plan::place(bad.problem());
    } catch (const Error& e) {
      return e.path;
    }
    return std::string();
  };
  CHECK(path([](Instance& b) { b.seconds.pop_back(); }) == "seconds");
  CHECK(path([](Instance& b) { b.seconds[2] = b.seconds[3] = kNever; }) == "seconds[1]");
  CHECK(path([](Instance& b) { b.seconds[2] = -1; }) == "seconds[1][0]");
  CHECK(path([](Instance& b) { b.cost[1] = kNever; }) == "cost[0][1]");
  CHECK(path([](Instance& b) { b.slots[1] = -1; }) == "slots[1]");
  CHECK(path([](Instance& b) { b.latency.pop_back(); }) == "latency");
  CHECK(path([](Instance& b) { b.capacity[0] = NAN; }) == "capacity[0]");
  CHECK(path([](Instance& b) { b.deadline = -1; }) == "deadline");
  CHECK(path([](Instance& b) { b.devices = 0; }) == "devices");
}
