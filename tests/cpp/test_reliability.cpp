// a6: reliability against Monte Carlo and full enumeration; best paths against brute force.
#include "turnout/plan/reliability.hpp"

#include <cmath>

#include "check.hpp"
#include "dags.hpp"

using namespace turnout;
using plan::Dag;
using plan::Edge;
using plan::ReliabilityMethod;

namespace {

struct Model {
  Dag dag;
  std::vector<double> p, q;
};

Model model(int nodes, const std::vector<Edge>& edges, Philox& rng) {
  Model m;
  m.dag.assign(nodes, edges);
  for (int i = 0; i < nodes; ++i) {
    m.p.push_back(0.5 + 0.5 * rng.uniform());
    m.q.push_back(rng.uniform());
  }
  return m;
}

Model random_model(std::uint64_t seed, int nodes, int edges) {
  Philox rng(seed, 1);
  return model(nodes, dags::random(seed, nodes, edges, nodes).edges, rng);
}

// A random tree: each node but the first has one parent among those before.
Model random_tree(std::uint64_t seed, int nodes) {
  Philox rng(seed, 2);
  std::vector<Edge> edges;
  for (int i = 1; i < nodes; ++i) edges.push_back({dags::below(rng, i), i});
  return model(nodes, edges, rng);
}

// P(task succeeds) of each, then P(every sink does), by all 2^V outcomes.
std::vector<double> enumerated(const Model& m) {
  const int n = m.dag.nodes();
  std::vector<double> out(static_cast<std::size_t>(n) + 1);
  for (unsigned state = 0; state < 1u << n; ++state) {
    double chance = 1;
    bool sinks = true;
    for (int v = 0; v < n; ++v) {
      bool parents = true;
      for (const int p : m.dag.parents(v)) parents = parents && (state >> p & 1u);
      const double success = parents ? m.p[static_cast<std::size_t>(v)] : m.q[static_cast<std::size_t>(v)];
      chance *= (state >> v & 1u) ? success : 1 - success;
      sinks = sinks && ((state >> v & 1u) || !m.dag.children(v).empty());
    }
    for (int v = 0; v < n; ++v) out[static_cast<std::size_t>(v)] += (state >> v & 1u) ? chance : 0;
    out.back() += sinks ? chance : 0;
  }
  return out;
}

std::vector<double> sampled(const Model& m, int samples, Philox& rng) {
  std::vector<double> out(static_cast<std::size_t>(m.dag.nodes()) + 1);
  std::vector<char> state(out.size());
  for (int i = 0; i < samples; ++i) {
    bool sinks = true;
    for (const int v : m.dag.order()) {
      bool parents = true;
      for (const int p : m.dag.parents(v)) parents = parents && state[static_cast<std::size_t>(p)];
      const auto k = static_cast<std::size_t>(v);
      state[k] = rng.uniform() < (parents ? m.p[k] : m.q[k]);
      out[k] += state[k];
      sinks = sinks && (state[k] || !m.dag.children(v).empty());
    }
    out.back() += sinks;
  }
  for (double& x : out) x /= samples;
  return out;
}

}  // namespace

// a6, T.
TEST(trees_equal_a_million_samples_within_three_sigma) {
  for (std::uint64_t seed = 0; seed < 3; ++seed) {
    const Model m = random_tree(seed, 12);
    const auto r = plan::reliability(m.dag, m.p, m.q);
    CHECK(r.method == ReliabilityMethod::tree && r.lower == r.upper);
    Philox rng(seed, 3);
    auto want = r.lower;
    want.push_back(r.sinks_lower);
    const auto got = sampled(m, 1000000, rng);
    for (std::size_t i = 0; i < want.size(); ++i)
      CHECK_NEAR(got[i], want[i], 3 * std::sqrt(want[i] * (1 - want[i]) / 1e6) + 1e-12);
  }
}

TEST(dags_equal_a_million_samples_within_three_sigma) {
  const Model m = random_model(11, 30, 45);
  const auto r = plan::reliability(m.dag, m.p, m.q);
  CHECK(r.method == ReliabilityMethod::frontier);
  Philox rng(4);
  const auto got = sampled(m, 1000000, rng);
  for (std::size_t i = 0; i < r.lower.size(); ++i)
    CHECK_NEAR(got[i], r.lower[i], 3 * std::sqrt(r.lower[i] * (1 - r.lower[i]) / 1e6) + 1e-12);
}

TEST(trees_and_dags_equal_full_enumeration) {
  for (std::uint64_t seed = 0; seed < 120; ++seed) {
    const int n = 1 + static_cast<int>(seed % 11);
    const Model m = seed % 3 == 0 ? random_tree(seed, n) : random_model(seed, n, 2 * n);
    const auto r = plan::reliability(m.dag, m.p, m.q);
    const auto want = enumerated(m);
    double all = 1;
    for (int v = 0; v < n; ++v) {
      const auto k = static_cast<std::size_t>(v);
      CHECK_NEAR(r.lower[k], want[k], 1e-12);
      CHECK(r.lower[k] == r.upper[k]);
      all *= m.p[k];
    }
    CHECK_NEAR(r.sinks_lower, want.back(), 1e-12);
    CHECK(r.sinks_lower == r.sinks_upper && r.all == all);
  }
}

TEST(bounds_hold_and_are_asked_for) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Model m = random_model(seed, 11, 40);
    if (seed % 2 == 0)  // success never hurts: the tighter bounds
      for (std::size_t i = 0; i < m.q.size(); ++i) m.q[i] *= m.p[i];
    const auto r = plan::reliability(m.dag, m.p, m.q, {}, {1, true});
    CHECK(r.method == ReliabilityMethod::bounds);
    const auto want = enumerated(m);
    for (std::size_t i = 0; i < r.lower.size(); ++i)
      CHECK(r.lower[i] <= want[i] + 1e-12 && want[i] <= r.upper[i] + 1e-12);
    CHECK(r.sinks_lower <= want.back() + 1e-12 && want.back() <= r.sinks_upper + 1e-12);
    CHECK_ERROR(plan::reliability(m.dag, m.p, m.q, {}, {1, false}), ErrorKind::input, "max_width");
  }
}

TEST(wide_joins_and_long_ladders_have_narrow_frontiers) {
  Philox rng(6);
  std::vector<Edge> star, ladder;
  for (int i = 0; i < 2000; ++i) star.push_back({i, 2000});
  const auto join = model(2001, star, rng);
  const auto r = plan::reliability(join.dag, join.p, join.q);
  CHECK(r.width == 3 && r.method == ReliabilityMethod::frontier);
  double all = 1;
  for (int i = 0; i < 2000; ++i) all *= join.p[static_cast<std::size_t>(i)];
  CHECK_NEAR(r.lower[2000], join.p[2000] * all + join.q[2000] * (1 - all), 1e-12);
  for (int i = 0; i + 3 < 2000; i += 2)
    for (const int a : {i, i + 1})
      for (const int b : {i + 2, i + 3}) ladder.push_back({a, b});
  const auto rungs = model(2000, ladder, rng);
  CHECK(plan::reliability(rungs.dag, rungs.p, rungs.q).width <= 5);
}

TEST(too_many_joins_are_not_ordered) {
  std::vector<Edge> star;
  for (int i = 0; i < 5000; ++i) star.push_back({i, 5000});
  Philox rng(8);
  const Model m = model(5001, star, rng);
  CHECK_ERROR(plan::reliability(m.dag, m.p, m.q), ErrorKind::input, "max_width");
  CHECK(plan::reliability(m.dag, m.p, m.q, {}, {16, true}).method == ReliabilityMethod::bounds);
}

TEST(a_tree_of_the_largest_size) {
  const Model m = random_tree(1, plan::kMaxTasks);
  const auto r = plan::reliability(m.dag, m.p, m.q);
  CHECK(r.lower.size() == static_cast<std::size_t>(plan::kMaxTasks) && r.sinks_lower >= 0);
}

TEST(retries_are_more_attempts) {
  CHECK(plan::with_retries(0.5, 0) == 0.5 && plan::with_retries(0.5, 2) == 0.875 && plan::with_retries(0, 9) == 0);
  Model m = random_model(3, 8, 14);
  const std::vector<std::int32_t> retries = {0, 1, 2, 3, 0, 1, 2, 3};
  const auto r = plan::reliability(m.dag, m.p, m.q, retries);
  for (std::size_t i = 0; i < retries.size(); ++i) {
    m.p[i] = plan::with_retries(m.p[i], retries[i]);
    m.q[i] = plan::with_retries(m.q[i], retries[i]);
  }
  CHECK(r.lower == plan::reliability(m.dag, m.p, m.q).lower);
}

TEST(wrong_models_are_named) {
  const Model m = random_model(3, 3, 3);
  const std::vector<double> bad = {0.5, 2, 0.5}, few = {1, 1};
  const std::vector<std::int32_t> retries = {0, -1, 0};
  CHECK_ERROR(plan::reliability(m.dag, bad, m.q), ErrorKind::input, "p[1]");
  CHECK_ERROR(plan::reliability(m.dag, m.p, few), ErrorKind::input, "q");
  CHECK_ERROR(plan::reliability(m.dag, m.p, m.q, retries), ErrorKind::input, "retries[1]");
  CHECK_ERROR(plan::reliability(m.dag, m.p, m.q, {}, {23, false}), ErrorKind::input, "max_width");
}

// ---- paths

namespace {

struct Walk {
  double success = -1;
  std::vector<int> nodes;
};

// Every path from every source, by plain recursion.
void walk(const Dag& dag, const plan::PathColumns& c, const plan::PathLimits& limits, std::vector<int> nodes,
          Walk& best) {
  double success = 1, cost = 0, seconds = 0, held = 0;
  for (const int v : nodes) {
    const auto k = static_cast<std::size_t>(v);
    success *= c.success[k];
    cost += c.cost[k];
    seconds += c.seconds[k];
    held += c.needs[k];
    if (cost > limits.cost || seconds > limits.seconds || held > limits.capacity) return;
    held -= c.releases[k];
  }
  if (dag.children(nodes.back()).empty() && success > best.success) best = {success, nodes};
  for (const int child : dag.children(nodes.back())) {
    nodes.push_back(child);
    walk(dag, c, limits, nodes, best);
    nodes.pop_back();
  }
}

}  // namespace

// a6, T.
TEST(best_paths_equal_brute_force) {
  int none = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const int n = 1 + static_cast<int>(seed % 12);
    Philox rng(seed, 5);
    Dag dag;
    dag.assign(n, dags::random(seed, n, 3 * n, n).edges);
    std::vector<double> success, cost, seconds, needs, releases;
    for (int i = 0; i < n; ++i) {
      success.push_back(rng.uniform());
      cost.push_back(rng.uniform());
      seconds.push_back(rng.uniform());
      needs.push_back(rng.uniform());
      releases.push_back(needs.back() * rng.uniform());
    }
    const plan::PathColumns columns{success, cost, seconds, needs, releases};
    const plan::PathLimits limits{seed % 2 ? 1.5 : INFINITY, seed % 3 ? 2.0 : INFINITY, seed % 5 ? 1.2 : INFINITY};
    Walk want;
    for (int v = 0; v < n; ++v)
      if (dag.parents(v).empty()) walk(dag, columns, limits, {v}, want);
    const auto got = plan::best_path(dag, columns, limits);
    CHECK(got.found == (want.success >= 0));
    none += !got.found;
    if (!got.found) continue;
    CHECK_NEAR(got.success, want.success, 1e-12);
    CHECK(got.nodes == want.nodes);
  }
  CHECK(none > 5);
}

TEST(too_many_labels_are_refused) {
  std::vector<Edge> edges;
  std::vector<double> success = {1}, cost = {0};
  for (int k = 0; k < 18; ++k) {  // a choice of two ways at each step: dear and sure, or cheap and not
    const int start = 3 * k;
    for (const int way : {start + 1, start + 2}) {
      edges.push_back({start, way});
      edges.push_back({way, start + 3});
    }
    success.insert(success.end(), {std::exp(-std::ldexp(1, k - 18)), 1, 1});
    cost.insert(cost.end(), {0, std::ldexp(1, k), 0});
  }
  Dag dag;
  dag.assign(55, edges);
  CHECK(plan::best_path(dag, {success, cost, {}, {}, {}}).nodes.size() == 37);
  CHECK_ERROR(plan::best_path(dag, {success, cost, {}, {}, {}}, {1e6, INFINITY, INFINITY}), ErrorKind::input, "limits");
}

TEST(ends_of_paths_can_be_given) {
  Dag dag;
  dag.assign(4, std::vector<Edge>{{0, 1}, {0, 2}, {1, 3}, {2, 3}});
  const std::vector<double> success = {0.9, 0.5, 0.8, 1};
  CHECK(plan::best_path(dag, {success, {}, {}, {}, {}}).nodes == (std::vector<int>{0, 2, 3}));
  CHECK(plan::best_path(dag, {success, {}, {}, {}, {}}, {}, 1, 3).nodes == (std::vector<int>{1, 3}));
  CHECK(!plan::best_path(dag, {success, {}, {}, {}, {}}, {}, 1, 2).found);
  CHECK_ERROR(plan::best_path(dag, {success, {}, {}, {}, {}}, {}, 4), ErrorKind::input, "from");
  const std::vector<double> ones(4, 1), twos(4, 2);
  CHECK_ERROR(plan::best_path(dag, {success, {}, {}, ones, twos}), ErrorKind::input, "releases[0]");
}
