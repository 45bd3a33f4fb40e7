#include "turnout/plan.hpp"

#include <cmath>

#include "allocations.hpp"
#include "check.hpp"

using namespace turnout;
using plan::NodeSet;

namespace {

using Sets = std::vector<NodeSet>;
const Sets kDiamond = {0b0, 0b1, 0b1, 0b110};

std::string refusal(const Sets& depends_on) {
  return check::message_of<Error>([&] { plan::validate(depends_on); });
}

std::vector<int> order_of(const Sets& depends_on) {
  std::vector<int> order(depends_on.size());
  plan::topological_order(depends_on, order);
  return order;
}

// Edges only towards lower ranks of a random order, from a fixed generator.
Sets random_dag(Philox& rng, int n) {
  std::vector<int> rank(static_cast<std::size_t>(n));
  for (int i = 0; i < n; ++i) {
    rank[static_cast<std::size_t>(i)] = i;
    std::swap(rank[static_cast<std::size_t>(i)], rank[static_cast<std::size_t>(rng.uniform() * (i + 1))]);
  }
  Sets out(static_cast<std::size_t>(n), 0);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j)
      if (rank[static_cast<std::size_t>(j)] < rank[static_cast<std::size_t>(i)] && rng.uniform() < 0.2)
        out[static_cast<std::size_t>(i)] |= NodeSet{1} << j;
  return out;
}

// The longest chain to a node by plain recursion.
double finish(const Sets& depends_on, const std::vector<double>& seconds, int node) {
  double start = 0;
  for (int j = 0; j < static_cast<int>(depends_on.size()); ++j)
    if ((depends_on[static_cast<std::size_t>(node)] >> j) & 1u) start = std::max(start, finish(depends_on, seconds, j));
  return start + seconds[static_cast<std::size_t>(node)];
}

}  // namespace

TEST(a_diamond) {
  CHECK(refusal(kDiamond).empty());
  const std::vector<double> seconds = {1, 5, 2, 1};
  const auto m = plan::metrics(kDiamond, seconds);
  CHECK(m.nodes == 4 && m.edges == 4 && m.depth == 3 && m.width == 2);
  CHECK(m.critical_path == Seconds(7) && m.critical_nodes == 0b1011);
  CHECK(order_of(kDiamond) == (std::vector<int>{0, 1, 2, 3}));
  CHECK(plan::ready(kDiamond, 0) == 0b1 && plan::ready(kDiamond, 0b1) == 0b110);
  CHECK(plan::ready(kDiamond, 0b101) == 0b10 && plan::ready(kDiamond, 0b1111) == 0);
}

TEST(the_empty_and_the_largest_plan) {
  CHECK(plan::metrics({}, {}).nodes == 0 && plan::ready({}, 0) == 0);
  const Sets many(kMaxNodes, 0);
  const std::vector<double> seconds(kMaxNodes, 1);
  CHECK(plan::metrics(many, seconds).width == kMaxNodes);
  CHECK(plan::ready(many, 0) == ~NodeSet{0} && plan::ready(many, ~NodeSet{0}) == 0);
  CHECK(refusal(Sets(kMaxNodes + 1, 0)) == "plan.nodes: expected at most 32 nodes, got 33");
}

TEST(what_is_no_dag_is_refused) {
  CHECK(refusal({0, 0b100}) == "plan.nodes[1].depends_on: there is no node 2");
  CHECK(refusal({0b1}) == "plan.nodes[0].depends_on: a node cannot depend on itself");
  CHECK(refusal({0b10, 0b100, 0b10}) == "plan: nodes depend on each other: 1 -> 2 -> 1");  // 0 waits, but is not on it
  CHECK(check::message_of<Error>([] { order_of({0b10, 0b1}); }) == "plan: nodes depend on each other: 0 -> 1 -> 0");
}

TEST(done_must_hold_what_its_nodes_depend_on) {
  const auto message = check::message_of<Error>([] { plan::ready(kDiamond, 0b1101); });
  CHECK(message == "done: node 3 depends on node 1, which is not done");
  CHECK(check::message_of<Error>([] { plan::ready(kDiamond, 0b10000); }) == "done: there is no node 4");
}

TEST(wrong_seconds_are_named) {
  const auto message = [](const std::vector<double>& seconds) {
    return check::message_of<Error>([&] { plan::metrics(kDiamond, seconds); });
  };
  CHECK(message({1, 1, 1}).rfind("seconds: ", 0) == 0);
  CHECK(message({1, 1, -1, 1}).rfind("seconds[2]: ", 0) == 0);
  CHECK(message({1, std::nan(""), 1, 1}).rfind("seconds[1]: ", 0) == 0);
}

TEST(random_dags_agree_with_plain_recursion) {
  Philox rng(5);
  for (int trial = 0; trial < 300; ++trial) {
    const int n = 1 + static_cast<int>(rng.uniform() * 12);
    const Sets dag = random_dag(rng, n);
    std::vector<double> seconds;
    for (int i = 0; i < n; ++i) seconds.push_back(rng.uniform());
    double longest = 0;
    for (int i = 0; i < n; ++i) longest = std::max(longest, finish(dag, seconds, i));
    const auto m = plan::metrics(dag, seconds);
    CHECK_NEAR(m.critical_path.value, longest, 1e-12);
    NodeSet done = 0;
    for (const int node : order_of(dag)) {
      CHECK((plan::ready(dag, done) >> node) & 1u);
      done |= NodeSet{1} << node;
    }
  }
}

TEST(measuring_takes_no_memory) {
  const std::vector<double> seconds = {1, 5, 2, 1};
  const long before = allocations::count();
  plan::metrics(kDiamond, seconds);
  plan::ready(kDiamond, 0b1);
  CHECK(allocations::count() == before);
}
