#include <thread>

#include "allocations.hpp"
#include "check.hpp"
#include "tool_graphs.hpp"

using namespace tool_graphs;
using graph::Path;
using graph::PheromoneConfig;
using graph::Pheromones;

namespace {

const double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<double> flat(const ToolGraph& g) { return std::vector<double>(static_cast<std::size_t>(g.nodes()), 1.0); }

std::vector<double> snapshot(const Pheromones& p, int task) {
  std::vector<double> out;
  for (Edge e = 0; e < p.edges(); ++e) out.push_back(p.at(task, e));
  return out;
}

std::string refusal(const std::function<void(PheromoneConfig&)>& spoil) {
  PheromoneConfig c;
  spoil(c);
  return check::message_of<Error>([&] { Pheromones(4, 1, c); });
}

bool points_to(const std::string& message, const std::string& path) { return message.rfind(path + ": ", 0) == 0; }

}  // namespace

TEST(a_step_is_taken_in_proportion_to_pheromone_and_desirability) {
  Arrays a;
  a.nodes = 4;
  for (Node v = 1; v <= 3; ++v) a.add(0, v, 1);
  for (Node v = 1; v <= 2; ++v) a.add(v, 3, 1);
  const ToolGraph g = a.build();
  PheromoneConfig c;
  c.pheromone_power = 2;
  Pheromones p(g.edges(), 2, c);
  p.set(0, 0, 3);
  p.set(1, 0, 1);
  p.set(0, 1, 1);
  p.set(1, 1, 2);
  const std::vector<double> weights = {0.75, 0.25}, eta = {1, 1, 2, 0.5};
  // tau = 2.5, 1.25, 1; attraction = 6.25, 3.125, 0.5.
  const double expected[] = {6.25 / 9.875, 3.125 / 9.875, 0.5 / 9.875};
  Philox rng(1);
  Pheromones::Workspace ws;
  Path path;
  int counts[3] = {};
  constexpr int kWalks = 40000;
  for (int i = 0; i < kWalks; ++i) {
    CHECK(p.walk(g, 0, 3, weights, eta, rng, ws, path));
    ++counts[path.edges[0]];
  }
  for (int e = 0; e < 3; ++e) CHECK_NEAR(counts[e] / double(kWalks), expected[e], 0.01);
}

TEST(walks_repeat_with_their_seed_and_keep_to_what_is_there) {
  ToolGraph g = layered(8, 6, 3, 2).build();
  const auto eta = flat(g);
  const std::vector<double> weights = {1};
  Pheromones p(g.edges(), 1);
  Pheromones::Workspace ws;
  Path a, b;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    g.mask_node(1 + static_cast<Node>(seed % 40), seed % 2 == 0);
    Philox one(seed), two(seed);
    const bool found = p.walk(g, 0, g.nodes() - 1, weights, eta, one, ws, a);
    CHECK(p.walk(g, 0, g.nodes() - 1, weights, eta, two, ws, b) == found && a == b && found == a.found());
    double cost = 0;
    for (std::size_t i = 0; i < a.edges.size(); ++i) {
      CHECK(g.source(a.edges[i]) == a.nodes[i] && g.target(a.edges[i]) == a.nodes[i + 1]);
      cost += g.cost(a.edges[i]);
    }
    CHECK(!found || (cost == a.cost && cost < graph::kInfinity));
  }
}

TEST(warm_walks_of_many_tasks_allocate_nothing) {
  const ToolGraph g = layered(5, 4, 3, 1).build();
  const auto eta = flat(g);
  const std::vector<double> weights(20, 0.05);
  Pheromones p(g.edges(), 20);
  Pheromones::Workspace ws;
  Philox rng(1);
  Path path;
  for (int i = 0; i < 100; ++i) p.walk(g, 0, g.nodes() - 1, weights, eta, rng, ws, path);
  const long before = allocations::count();
  for (int i = 0; i < 100; ++i) p.walk(g, 0, g.nodes() - 1, weights, eta, rng, ws, path);
  p.update(path.edges, weights, 1, true);
  CHECK(allocations::count() == before);
}

TEST(a_closed_gate_leaves_every_bit) {
  Pheromones p(5, 2);
  const std::vector<double> weights = {0.5, 0.5};
  p.update(std::vector<Edge>{1, 3}, weights, 2, true);
  const auto before = snapshot(p, 0), other = snapshot(p, 1);
  p.update(std::vector<Edge>{0, 4}, weights, 1, false);
  CHECK(snapshot(p, 0) == before && snapshot(p, 1) == other && before != std::vector<double>(5, 1.0));
}

TEST(tasks_learn_apart) {
  Pheromones p(3, 2);
  p.update(std::vector<Edge>{2}, std::vector<double>{1, 0}, 1, true);
  const double deposit = 1 / (1 + 1e-6);
  CHECK(snapshot(p, 0) == (std::vector<double>{0.9, 0.9, 0.9 + deposit}));
  CHECK(snapshot(p, 1) == (std::vector<double>{1, 1, 1}));
}

TEST(pheromones_stay_within_their_bounds) {
  PheromoneConfig c;
  c.least = 0.5;
  c.most = 2;
  Pheromones p(2, 1, c);
  for (int i = 0; i < 20; ++i) p.update(std::vector<Edge>{1}, std::vector<double>{1}, 0, true);
  CHECK(snapshot(p, 0) == (std::vector<double>{0.5, 2}));
}

TEST(walks_converge_to_the_planted_best_path) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    const ToolGraph g = layered(5, 4, 4, seed).build();
    const auto eta = flat(g);
    const std::vector<double> weights = {0, 1};
    PheromoneConfig c;
    c.evaporation = 0.02;
    c.least = 0.05;
    Pheromones p(g.edges(), 2, c);
    Pheromones::Workspace ws;
    Philox rng(seed);
    Path path;
    const std::vector<Node> planted = {1, 5, 9, 13, 17};  // an outcome is good where the walk meets these
    const auto missed = [&] {
      int count = 0;
      for (std::size_t i = 0; i < planted.size(); ++i) count += path.nodes[i + 1] != planted[i];
      return count;
    };
    for (int i = 0; i < 5000; ++i) {
      CHECK(p.walk(g, 0, g.nodes() - 1, weights, eta, rng, ws, path));
      p.update(path.edges, weights, 0.1 + missed() * missed(), missed() <= 3);
    }
    int exact = 0;
    for (int i = 0; i < 200; ++i) exact += p.walk(g, 0, g.nodes() - 1, weights, eta, rng, ws, path) && missed() == 0;
    CHECK(exact >= 180);
    CHECK(snapshot(p, 0) == std::vector<double>(static_cast<std::size_t>(g.edges()), 1.0));
  }
}

// Under ThreadSanitizer: walks read while updates write.
TEST(walks_go_on_while_pheromones_are_updated) {
  const ToolGraph g = layered(5, 4, 3, 3).build();
  const auto eta = flat(g);
  const std::vector<double> weights = {0.5, 0.5};
  Pheromones p(g.edges(), 2);
  std::atomic<int> found{0};
  const auto read = [&](std::uint64_t seed) {
    Philox rng(seed);
    Pheromones::Workspace ws;
    Path path;
    for (int i = 0; i < 2000; ++i) found += p.walk(g, 0, g.nodes() - 1, weights, eta, rng, ws, path);
  };
  const auto write = [&](Edge e) {
    for (int i = 0; i < 2000; ++i) p.update({&e, 1}, weights, i % 7, i % 3 != 0);
  };
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < 2; ++i) threads.emplace_back(read, i);
  for (Edge e = 0; e < 2; ++e) threads.emplace_back(write, e);
  for (auto& t : threads) t.join();
  CHECK(found == 4000);
  for (const double tau : snapshot(p, 0)) CHECK(tau >= p.config().least && tau <= p.config().most);
}

TEST(desirability_adds_ability_idleness_and_speed) {
  const double ability[] = {0.5, 1}, load[] = {2, 0.5}, seconds[] = {4, 0.25};
  double out[2];
  graph::desirability({ability, load, seconds}, 2, 1, 0.5, out);
  CHECK(out[0] == 2 * 0.5 + 1 / 2.0 + 0.5 / 4 && out[1] == 2 + 2 + 2);
  const double idle[] = {1, 0};
  CHECK_ERROR(graph::desirability({ability, idle, seconds}, 1, 1, 1, out), ErrorKind::input, "load[1]");
  CHECK_ERROR(graph::desirability({ability, load, idle}, 1, 1, 1, out), ErrorKind::input, "seconds[1]");
  CHECK_ERROR(graph::desirability({ability, load, seconds}, 0, 0, 0, out), ErrorKind::input, "desirability[0]");
}

TEST(wrong_configurations_and_calls_are_refused) {
  CHECK(refusal([](PheromoneConfig&) {}).empty());
  CHECK(points_to(refusal([](PheromoneConfig& c) { c.evaporation = 1.1; }), "pheromones.evaporation"));
  CHECK(points_to(refusal([](PheromoneConfig& c) { c.deposit = 0; }), "pheromones.deposit"));
  CHECK(points_to(refusal([](PheromoneConfig& c) { c.cost_floor = 0; }), "pheromones.cost_floor"));
  CHECK(points_to(refusal([](PheromoneConfig& c) { c.pheromone_power = kNan; }), "pheromones.pheromone_power"));
  CHECK(points_to(refusal([](PheromoneConfig& c) { c.desirability_power = 9; }), "pheromones.desirability_power"));
  CHECK(points_to(refusal([](PheromoneConfig& c) { c.least = 0; }), "pheromones.least"));
  CHECK(points_to(refusal([](PheromoneConfig& c) { c.most = 1e-7; }), "pheromones.most"));
  CHECK(points_to(refusal([](PheromoneConfig& c) { c.initial = 1e7; }), "pheromones.initial"));
  CHECK_ERROR(Pheromones(4, 0), ErrorKind::config, "pheromones.tasks");
  const ToolGraph g = layered(2, 2, 1, 1).build();
  Pheromones p(g.edges(), 2);
  Pheromones::Workspace ws;
  Path path;
  Philox rng(1);
  auto eta = flat(g);
  const std::vector<double> fine = {1, 0}, wrong = {1, kNan}, zeros = {0, 0};
  CHECK_ERROR(p.walk(g, 0, 9, fine, eta, rng, ws, path), ErrorKind::input, "goal");
  CHECK_ERROR(p.walk(g, 0, 5, wrong, eta, rng, ws, path), ErrorKind::input, "task_weights[1]");
  CHECK_ERROR(p.walk(g, 0, 5, zeros, eta, rng, ws, path), ErrorKind::input, "task_weights");
  CHECK_ERROR(p.update(std::vector<Edge>{0, 99}, fine, 1, true), ErrorKind::input, "path[1]");
  CHECK_ERROR(p.update(std::vector<Edge>{0}, fine, -1, true), ErrorKind::input, "cost");
  eta[2] = 0;
  CHECK_ERROR(p.walk(g, 0, 5, fine, eta, rng, ws, path), ErrorKind::input, "eta[2]");
  CHECK(snapshot(p, 0) == std::vector<double>(static_cast<std::size_t>(g.edges()), 1.0));
}
