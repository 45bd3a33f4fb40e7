// Loops inside C++ for `turnout bench`, where a call from Python would cost more than what it measures. Each returns
// (microseconds of an operation, float64[samples]; heap allocations of all samples, -1 where nothing counts; an answer
// to compare).
#include <chrono>
#include <thread>

#include "turnout/budget.hpp"
#include "turnout/router/learner.hpp"
#include "turnout/telemetry.hpp"

#include "dag.hpp"
#include "graph.hpp"

namespace turnout::python {
namespace {

using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

long allocated() {
  const auto counter = allocation_counter();
  return counter == nullptr ? 0 : counter();
}

long since(long before) { return allocation_counter() == nullptr ? -1 : allocated() - before; }

// Fills `us` with the time of f(sample) / operations; returns the allocations.
template <class F>
long timed(std::span<double> us, int operations, const F& f) {
  const long before = allocated();
  for (std::size_t i = 0; i < us.size(); ++i) {
    const auto start = Clock::now();
    f(static_cast<int>(i));
    us[i] = microseconds_since(start) / operations;
  }
  return since(before);
}

std::span<double> span_of_mutable(Array<double>& a) { return {a.mutable_data(), static_cast<std::size_t>(a.size())}; }

py::tuple time_shortest_path(const PyGraph& self, graph::Node source, graph::Node goal, int samples) {
  Array<double> us(samples);
  const auto out = span_of_mutable(us);
  graph::Path path;
  const long made = self.search([&](const graph::ToolGraph& g, graph::Workspace& ws) {
    const auto search = [&](int) { graph::shortest_path(g, {&source, 1}, {&goal, 1}, ws, path); };
    search(0);
    return timed(out, 1, search);
  });
  return py::make_tuple(us, made, path.cost);
}

// Each inner node of the cheapest path fails in turn and comes back. A sample is masking it + a new path, from the node
// before it or from the source; the answer is how many of these differ from a search from scratch.
py::tuple time_replan(PyGraph& self, graph::Node source, graph::Node goal, bool from_source) {
  graph::Replanner replanner(self.graph, source, goal);
  graph::Workspace ws;
  graph::Path path, p, fresh;
  graph::ToolGraph& g = self.graph;
  replanner.replan(path);
  p = fresh = path;
  p.nodes.reserve(2 * path.nodes.size()), p.edges.reserve(2 * path.nodes.size());
  const std::size_t failures = path.nodes.size() < 3 ? 0 : path.nodes.size() - 2;
  Array<double> us(static_cast<py::ssize_t>(failures));
  double* const out = us.mutable_data();
  long made = 0;
  int differing = 0;
  for (int pass = 0; pass < 2; ++pass)  // the first warms up
    for (std::size_t i = 1; i <= failures; ++i) {
      const graph::Node start = from_source ? source : path.nodes[i - 1];
      replanner.move_start(start);
      replanner.replan(p);
      const long before = allocated();
      const auto begin = Clock::now();
      g.mask_node(path.nodes[i]);
      replanner.replan(p);
      out[i - 1] = microseconds_since(begin);
      if (pass == 1) made = made < 0 || since(before) < 0 ? -1 : made + since(before);
      graph::shortest_path(g, {&start, 1}, {&goal, 1}, ws, fresh);
      differing += p != fresh;
      g.mask_node(path.nodes[i], false);
      replanner.replan(p);
    }
  return py::make_tuple(us, made, differing);
}

py::tuple time_measure(int nodes, const py::object& edges, const py::object& seconds, int samples) {
  const auto list = edges_of(edges);
  const auto s = column<double>(seconds, "seconds");
  Array<double> us(samples);
  plan::Dag dag;
  plan::MeasureWorkspace ws;
  plan::DagMetrics metrics;
  const auto work = [&](int) {
    dag.assign(nodes, list);
    plan::measure(dag, s, {}, ws, metrics);
  };
  work(0);
  const long made = timed(span_of_mutable(us), 1, work);
  return py::make_tuple(us, made, metrics_tuple(metrics));
}

// A path of `depth` accounts from a root, with limits.
budget::AccountId open_path(budget::Ledger& ledger, int depth) {
  budget::AccountId account = budget::kNoAccount;
  for (int i = 0; i < depth; ++i)
    account = ledger.open(account, {.usd = Usd(1e6), .tokens = 1e15, .seconds = Seconds(1e10), .calls = 1e12}, 0);
  return account;
}

void reserve_and_commit(budget::Ledger& ledger, budget::AccountId account, int operations, double& now) {
  budget::ReservationId id;
  for (int i = 0; i < operations; ++i) {
    if (ledger.reserve(account, {Usd(0.01), 2000, Seconds(1), 1}, now += 1e-6, 60, id))
      throw Error(ErrorKind::input, "budget", "a reservation was refused");
    ledger.commit(id, {Usd(0.004), 1500, Seconds(0.5), 1}, now);
  }
}

// Wall time / operations of all threads on one account. The answer: (operations, nano-USD spent by the account).
py::tuple time_reserve_commit(int depth, int threads, int samples, int operations) {
  budget::Ledger ledger;
  const auto account = open_path(ledger, depth);
  Array<double> us(samples);
  std::vector<double> now(static_cast<std::size_t>(threads));
  const long made = timed(span_of_mutable(us), threads * operations, [&](int) {
    std::vector<std::thread> others;
    for (std::size_t t = 1; t < now.size(); ++t)
      others.emplace_back([&, t] { reserve_and_commit(ledger, account, operations, now[t]); });
    reserve_and_commit(ledger, account, operations, now[0]);
    for (auto& other : others) other.join();
  });
  const auto state = ledger.state(account, now[0]);
  return py::make_tuple(us, made, py::make_tuple(std::int64_t{samples} * threads * operations, state.spent[0]));
}

// Updates of one arm, 1 of 50 a failure. The answer: how many the arm has seen.
py::tuple time_record(int samples, int operations) {
  telemetry::Telemetry t(1, {});
  double now = 0;
  int i = 0;
  const auto work = [&](int) {
    for (int k = 0; k < operations; ++k, ++i)
      t.record(0,
               i % 50 == 0 ? telemetry::Outcome{false, 0.1, 1, 0, 0, telemetry::Kind::error}
                           : telemetry::Outcome{true, 0.5 + 0.001 * (i % 997), 1, 0.001, 300, telemetry::Kind::none},
               now += 0.001);
  };
  work(0);
  Array<double> us(samples);
  const long made = timed(span_of_mutable(us), operations, work);
  return py::make_tuple(us, made, t.read(0, now).updates);
}

// Tickets of one call each, d = 32, as a router with 16 LLMs opens them.
class Decisions {
 public:
  explicit Decisions(state::Memory& memory) : memory_(memory) {
    for (int i = 0; i < kArms; ++i) memory.arm("llm-" + std::to_string(i));
    ticket_.dim = memory.config().dim;
    ticket_.candidate_count = ticket_.step_count = 1;
    ticket_.value_usd = 0.01;
    for (int k = 0; k < ticket_.dim; ++k) ticket_.context[k] = static_cast<float>(rng_.uniform());
  }
  std::uint64_t open() {
    const auto arm = static_cast<std::int32_t>(rng_.next() % kArms);
    ticket_.context[1 + rng_.next() % 31] = static_cast<float>(rng_.uniform());
    ticket_.prior = 0.25 + 0.5 * rng_.uniform();
    ticket_.candidates[0] = {arm, 1, ticket_.prior, 0.001, 1};
    ticket_.steps[0] = {arm, ticket_.prior, 0.001, ticket_.prior};
    memory_.open(ticket_);
    return ticket_.id;
  }
  state::Outcome outcome() {
    state::Outcome o;
    o.score = rng_.uniform() < ticket_.prior;
    o.usd = 0.0011;
    return o;
  }

 private:
  static constexpr int kArms = 16;
  state::Memory& memory_;
  state::Ticket ticket_;
  Philox rng_{7};
};

state::Config of_bench(std::uint64_t replica) {
  state::Config c;
  c.dim = 32;
  c.space = "bench";
  c.replica = replica;
  return c;
}

// A sample reports the outcomes of `operations` tickets; the answer: how many were accepted.
py::tuple time_feedback(int samples, int operations) {
  Array<double> us(samples);
  const auto out = span_of_mutable(us);
  const auto memory = std::make_shared<state::Memory>(of_bench(1));
  Learner learner(memory, {});
  Decisions decisions(*memory);
  learner.surprise().grow(memory->arms());
  std::vector<std::uint64_t> tickets(static_cast<std::size_t>(operations));
  const state::Outcome outcome = decisions.outcome();
  long made = 0;
  for (int s = -1; s < samples; ++s) {  // the first one warms up
    for (auto& ticket : tickets) ticket = decisions.open();
    memory->take();
    double ignored = 0;
    const std::span<double> one = s < 0 ? std::span(&ignored, 1) : out.subspan(static_cast<std::size_t>(s), 1);
    const long counted = timed(one, operations, [&](int) {
      for (const auto ticket : tickets) learner.report(ticket, -1, outcome);
    });
    made = s < 0 || counted < 0 ? std::min(counted, 0L) : made + counted;
  }
  return py::make_tuple(us, made, memory->counts().receipts[0]);
}

// The log of so many decisions and their outcomes, in parts as a service flushes them.
py::list feedback_log(std::uint64_t replica, int outcomes) {
  state::Memory memory(of_bench(replica));
  Decisions decisions(memory);
  py::list parts;
  for (int i = 0; i < outcomes; ++i) {
    memory.report(decisions.open(), -1, decisions.outcome());
    if (i % 4096 != 4095 && i != outcomes - 1) continue;
    const auto part = memory.take();
    parts.append(py::bytes(reinterpret_cast<const char*>(part.data()), part.size()));
  }
  return parts;
}

}  // namespace

void bind_timing(py::module_& m) {
  m.def("time_shortest_path", time_shortest_path, py::arg("graph"), py::arg("source"), py::arg("goal"),
        py::arg("samples"));
  m.def("time_replan", time_replan, py::arg("graph"), py::arg("source"), py::arg("goal"), py::arg("from_source"));
  m.def("time_dag_measure", time_measure, py::arg("nodes"), py::arg("edges"), py::arg("seconds"), py::arg("samples"));
  m.def("time_reserve_commit", time_reserve_commit, py::arg("depth"), py::arg("threads"), py::arg("samples"),
        py::arg("operations"));
  m.def("time_feedback", time_feedback, py::arg("samples"), py::arg("operations"));
  m.def("feedback_log", feedback_log, py::arg("replica"), py::arg("outcomes"));
  m.def("time_telemetry_record", time_record, py::arg("samples"), py::arg("operations"));
}

}  // namespace turnout::python
