// a14: the cheapest configuration. a17: merged DAGs, and the dynamic programme over what devices hold.
#include "turnout/plan/merge.hpp"

#include <cmath>
#include <map>
#include <set>

#include "turnout/plan/epochs.hpp"
#include "turnout/plan/slo.hpp"

#include "allocations.hpp"
#include "check.hpp"
#include "dags.hpp"

using namespace turnout;
using plan::QueryNode;
using Query = std::vector<QueryNode>;

namespace {

std::size_t at(int i) { return static_cast<std::size_t>(i); }

const Query kRag = {{"embed", "q1", {}}, {"search", "k=8", {0}}, {"rerank", "", {0, 1}}, {"answer", "short", {2}}};

// What a node computes, written out: equal exactly where the results are.
std::string expression(const Query& query, int node) {
  const QueryNode& n = query[at(node)];
  std::string text = n.operator_name + "|" + n.inputs + "(";
  for (const int after : n.after) text += expression(query, after) + ",";
  return text + ")";
}

Query random_query(Philox& rng, int n) {
  Query query;
  for (int i = 0; i < n; ++i) {
    QueryNode node{
        std::string(1, static_cast<char>('a' + dags::below(rng, 3))), std::to_string(dags::below(rng, 2)), {}};
    for (int k = dags::below(rng, 3); k > 0 && i > 0; --k) node.after.push_back(dags::below(rng, i));
    query.push_back(node);
  }
  return query;
}

std::string refusal(const std::vector<Query>& queries) {
  return check::message_of<Error>([&] { plan::merge(queries); });
}

}  // namespace

// a17, T.
TEST(identical_queries_are_done_once) {
  const std::vector<Query> queries(1000, kRag);
  const auto m = plan::merge(queries);
  CHECK(m.nodes.size() == kRag.size() && m.of.size() == 1000 && m.nodes == kRag);
  for (const int uses : m.uses) CHECK(uses == 1000);
}

// a17, T: also where all hashes collide.
TEST(one_node_for_each_distinct_computation) {
  Philox rng(17);
  for (const std::uint64_t mask : {~std::uint64_t{0}, std::uint64_t{3}, std::uint64_t{0}})
    for (int trial = 0; trial < 40; ++trial) {
      std::vector<Query> queries;
      for (int q = 0; q < 5; ++q) queries.push_back(random_query(rng, 1 + dags::below(rng, 7)));
      const auto m = plan::merge(queries, mask);
      std::map<std::string, int> node_of;
      std::size_t total = 0;
      for (std::size_t q = 0; q < queries.size(); ++q)
        for (int i = 0; i < static_cast<int>(queries[q].size()); ++i, ++total) {
          const int merged = m.of[q][at(i)];
          const auto found = node_of.emplace(expression(queries[q], i), merged).first;
          CHECK(found->second == merged && expression(m.nodes, merged) == found->first);
          for (const int after : m.nodes[at(merged)].after) CHECK(after < merged);
        }
      CHECK(node_of.size() == m.nodes.size());
      std::size_t uses = 0;
      for (const int u : m.uses) uses += at(u);
      CHECK(uses == total);
    }
}

TEST(what_must_not_be_shared_is_not) {
  Query sampled = kRag;
  sampled[3].shared = false;
  const auto m = plan::merge(std::vector<Query>{sampled, sampled, kRag});
  CHECK(m.nodes.size() == 6 && m.of[0][3] != m.of[1][3] && m.of[0][2] == m.of[1][2]);
}

TEST(the_order_of_inputs_matters_and_one_may_be_used_twice) {
  const Query query = {{"x", "", {}}, {"y", "", {}}, {"join", "", {0, 1}}, {"join", "", {1, 0}}, {"join", "", {0, 0}}};
  CHECK(plan::merge(std::vector<Query>{query}).nodes.size() == 5);
}

TEST(wrong_queries_are_named) {
  CHECK(refusal({kRag, {{"a", "", {0, 7}}, {"b", "", {0}}}}) == "queries[1].nodes[0].after[1]: there is no node 7");
  CHECK(refusal({{{"a", "", {1}}, {"b", "", {0}}}}) == "queries[0]: nodes depend on each other: 0 -> 1 -> 0");
  CHECK(refusal({{{"a", "", {0}}}}) == "queries[0]: 0 cannot depend on itself");
  CHECK(refusal(std::vector<Query>(plan::kMaxQueries + 1)).rfind("queries: expected at most 65536", 0) == 0);
}

// ---- epochs

namespace {

struct Instance {
  plan::Dag dag;
  int devices = 0;
  std::vector<double> run, load, cached, transfer;
  std::vector<std::int32_t> model;
  plan::EpochProblem problem() const { return {dag, devices, run, model, load, cached, transfer}; }
};

Instance random_instance(std::uint64_t seed, int nodes, int edges, int devices) {
  Philox rng(seed, 9);
  Instance x;
  x.devices = devices;
  x.dag.assign(nodes, dags::random(seed, nodes, edges, nodes).edges);
  for (int v = 0; v < nodes; ++v) {
    double least = 1e9;
    for (int d = 0; d < devices; ++d) {
      x.run.push_back(d > 0 && rng.uniform() < 0.1 ? INFINITY : 1 + rng.uniform());
      least = std::min(least, x.run.back());
    }
    x.cached.push_back(least * rng.uniform());
    x.model.push_back(dags::below(rng, 3));
  }
  for (int i = 0; i < 3 * devices; ++i) x.load.push_back(3 * rng.uniform());
  for (int a = 0; a < devices; ++a)
    for (int b = 0; b < devices; ++b) x.transfer.push_back(a == b ? 0 : rng.uniform());
  return x;
}

// Every order on every device, by plain recursion; a way that costs as much as the best is given up.
struct BruteForce {
  const Instance& x;
  std::vector<int> device, last;
  double best = INFINITY;

  explicit BruteForce(const Instance& instance) : x(instance), device(at(x.dag.nodes()), -1), last(at(x.devices), -1) {
    visit(0, 0);
  }

  double cost(int v, int d) const {
    double c = x.run[at(v * x.devices + d)];
    if (last[at(d)] < 0 || x.model[at(last[at(d)])] != x.model[at(v)]) c += x.load[at(x.model[at(v)] * x.devices + d)];
    for (const int p : x.dag.parents(v)) {
      c += x.transfer[at(device[at(p)] * x.devices + d)];
      if (p == last[at(d)]) c -= x.cached[at(v)];
    }
    return c;
  }

  void visit(int done, double spent) {
    if (spent >= best) return;
    if (done == x.dag.nodes()) {
      best = spent;
      return;
    }
    for (int v = 0; v < x.dag.nodes(); ++v) {
      bool ready = device[at(v)] < 0;
      for (const int p : x.dag.parents(v)) ready = ready && device[at(p)] >= 0;
      for (int d = 0; ready && d < x.devices; ++d) {
        if (x.run[at(v * x.devices + d)] == INFINITY) continue;
        const double c = cost(v, d);
        const int before = last[at(d)];
        device[at(v)] = d;
        last[at(d)] = v;
        visit(done + 1, spent + c);
        device[at(v)] = -1;
        last[at(d)] = before;
      }
    }
  }
};

}  // namespace

// a17, T.
TEST(epoch_plans_cost_at_most_a_twentieth_more_than_brute_force) {
  int exact = 0;
  for (std::uint64_t seed = 0; seed < 80; ++seed) {
    const int n = seed < 70 ? 1 + static_cast<int>(seed % 7) : 10;
    const Instance x = random_instance(seed, n, n == 10 ? 40 : n, 2 + static_cast<int>(seed % 2));
    const double want = BruteForce(x).best;
    const auto got = plan::plan_epochs(x.problem()), all = plan::plan_epochs(x.problem(), plan::kMaxBeam);
    CHECK(got.cost <= 1.05 * want + 1e-9);
    CHECK(all.exact);
    CHECK_NEAR(all.cost, want, 1e-9);
    exact += got.exact;
  }
  CHECK(exact > 40);
}

TEST(steps_of_epoch_plans_hold_together) {
  const Instance x = random_instance(5, 40, 80, 3);
  const auto p = plan::plan_epochs(x.problem(), 16);
  CHECK(!p.exact && p.steps.size() == 40);
  std::vector<int> epoch(40, -1);
  double sum = 0;
  for (const auto& step : p.steps) {
    for (const int parent : x.dag.parents(step.task)) CHECK(epoch[at(parent)] >= 0 && epoch[at(parent)] < step.epoch);
    epoch[at(step.task)] = step.epoch;
    sum += step.cost;
  }
  CHECK_NEAR(sum, p.cost, 1e-9);
}

TEST(the_default_beam_is_narrow_for_many_tasks) {
  const Instance x = random_instance(6, 300, 600, 8);
  const auto p = plan::plan_epochs(x.problem());
  CHECK(p.steps.size() == 300 && !p.exact && p.states < 300 * 300 * 8 * 20);
}

TEST(wrong_epoch_problems_are_named) {
  Instance x = random_instance(1, 3, 3, 2);
  x.cached[1] = 99;
  CHECK_ERROR(plan::plan_epochs(x.problem()), ErrorKind::input, "cached[1]");
  x.cached.clear();
  x.load.pop_back();
  CHECK_ERROR(plan::plan_epochs(x.problem()), ErrorKind::input, "load");
  x.load.clear();
  x.model[0] = -1;
  CHECK_ERROR(plan::plan_epochs(x.problem()), ErrorKind::input, "model[0]");
  x.model.clear();
  CHECK(plan::plan_epochs(x.problem()).exact);
  CHECK_ERROR(plan::plan_epochs(x.problem(), -1), ErrorKind::input, "beam");
  x.run[2] = x.run[3] = INFINITY;
  CHECK_ERROR(plan::plan_epochs(x.problem()), ErrorKind::input, "run[1]");
}

// ---- service levels

// a14, T.
TEST(the_cheapest_feasible_row) {
  const std::vector<double> quality = {0.9, 0.8, 0.7, 0.8}, seconds = {5, 3, 1, 2}, cost = {9, 4, 1, 4};
  const auto choose = [&](double min_quality, double max_seconds) {
    return plan::choose_configuration(quality, seconds, cost, {min_quality, Seconds(max_seconds)});
  };
  CHECK(choose(0.75, 9).row == 3 && choose(0.75, 9).feasible);  // as good and as cheap as row 1, and faster
  CHECK(choose(0, 9).row == 2 && choose(0.85, 9).row == 0 && choose(0, INFINITY).row == 2);
  const auto none = choose(0.9, 4);
  CHECK(!none.feasible && none.row == 1 && none.seconds_over == 0);  // 11 % worse; row 0 is 25 % late
  CHECK_NEAR(none.quality_short, 0.1, 1e-12);
  const long before = allocations::count();
  choose(0.75, 9);
  CHECK(allocations::count() == before);
}

TEST(rows_equal_a_scan_of_all) {
  Philox rng(14);
  for (int trial = 0; trial < 300; ++trial) {
    std::vector<double> quality, seconds, cost;
    for (int i = 0; i < 20; ++i) {
      quality.push_back(dags::below(rng, 5));
      seconds.push_back(dags::below(rng, 5));
      cost.push_back(dags::below(rng, 5));
    }
    const double least = dags::below(rng, 6), most = 1 + dags::below(rng, 4);
    const auto got = plan::choose_configuration(quality, seconds, cost, {least, Seconds(most)});
    double cheapest = INFINITY, closest = INFINITY;
    for (std::size_t i = 0; i < 20; ++i) {
      if (quality[i] >= least && seconds[i] <= most) cheapest = std::min(cheapest, cost[i]);
      closest = std::min(
          closest, std::max(0.0, least - quality[i]) / std::max(1.0, least) + std::max(0.0, seconds[i] - most) / most);
    }
    CHECK(got.feasible == (cheapest < INFINITY));
    if (got.feasible)
      CHECK(cost[at(got.row)] == cheapest && got.quality_short == 0 && got.seconds_over == 0);
    else
      CHECK_NEAR(got.quality_short / std::max(1.0, least) + got.seconds_over / most, closest, 1e-12);
  }
}

TEST(wrong_tables_are_named) {
  const std::vector<double> one = {1}, two = {1, 1}, bad = {-1};
  CHECK_ERROR(plan::choose_configuration({}, {}, {}, {}), ErrorKind::input, "quality");
  CHECK_ERROR(plan::choose_configuration(one, two, one, {}), ErrorKind::input, "seconds");
  CHECK_ERROR(plan::choose_configuration(one, one, bad, {}), ErrorKind::input, "cost[0]");
  CHECK_ERROR(plan::choose_configuration(one, one, one, {NAN, Seconds(1)}), ErrorKind::input, "min_quality");
  CHECK_ERROR(plan::choose_configuration(one, one, one, {0, Seconds(0)}), ErrorKind::input, "max_seconds");
}
