// One memory: what an outcome adds to the evidence, which outcomes count, epochs, tickets, bad input, allocations.
#include <cstdlib>

#include "allocations.hpp"
#include "check.hpp"
#include "state/crc32c.hpp"
#include "states.hpp"

using namespace states;

namespace {

std::uint64_t opened(Memory& m, Ticket t) {
  m.open(t);
  return t.id;
}

Totals totals(const Memory& m, int arm) {
  Totals t;
  m.totals(arm, t);
  return t;
}

}  // namespace

TEST(a_score_adds_its_residual_against_the_prior) {
  Memory m(config());
  add_arms(m);
  Ticket t = single(2, 1.5f, 0.25);
  t.context[1] = -0.5f;
  CHECK(m.report(opened(m, t), -1, scored(1, 0.002)) == Receipt::accepted);
  const Totals got = totals(m, 2);
  CHECK(got.weight == 1 && got.score == 1 && got.prior == 0.25);
  CHECK(got.moment == (std::vector<double>{1.5 * 0.75, -0.5 * 0.75, 0}));
  CHECK(got.precision == (std::vector<double>{2.25, -0.75, 0, 0.25, 0, 0}));
  CHECK(got.usd == 0.002 && got.usd_expected == 0.001 && got.usd_count == 1);
  CHECK(totals(m, 1).weight == 0 && totals(m, 1).precision.size() == 6);
}

TEST(a_plan_shares_its_outcome_among_its_distinct_arms) {
  Memory m(config());
  add_arms(m);
  Ticket t = single(0);
  t.prior = 0.5;
  t.step_count = 4;
  t.steps[0] = {0, 0.5, 0.001};
  t.steps[1] = {1, 0.5, 0.002};
  t.steps[2] = {0, 0.5, 0.001};
  t.steps[3] = {-1, 0, 0};  // no LLM runs it
  m.open(t);
  m.report(t.id, -1, scored(1, 0.008));
  CHECK(totals(m, 0).weight == 0.5 && totals(m, 1).weight == 0.5);
  CHECK(totals(m, 0).moment[0] == 0.25);
  CHECK(totals(m, 0).usd == 0.004 && totals(m, 0).usd_expected == 0.002 && totals(m, 1).usd == 0.004);
  CHECK(m.report(t.id, 1, scored(0)) == Receipt::accepted);  // a node counts in full, beside the plan
  CHECK(totals(m, 1).weight == 1.5);
  CHECK(m.report(t.id, 3, scored(0)) == Receipt::accepted && m.version() == 2);
}

TEST(a_failure_is_counted_and_says_nothing_of_quality) {
  Memory m(config());
  add_arms(m);
  CHECK(m.report(opened(m, single(1)), 0, failed(Failure::timeout)) == Receipt::accepted);
  const Totals got = totals(m, 1);
  CHECK(got.weight == 0 && got.failures[static_cast<int>(Failure::timeout)] == 1);
  Outcome both = scored(1);
  both.failure = Failure::refused;
  const std::uint64_t id = opened(m, single(1));
  CHECK_ERROR(m.report(id, 0, both), ErrorKind::input, "outcome.score");
  CHECK(m.report(id, 0, failed(Failure::refused)) == Receipt::accepted);
}

TEST(an_outcome_counts_once_a_node) {
  Memory m(config());
  add_arms(m);
  const std::uint64_t id = opened(m, single(1));
  CHECK(m.report(id, -1, scored(1)) == Receipt::accepted);
  CHECK(m.report(id, 0, scored(0)) == Receipt::duplicate);  // the plan has one node
  CHECK(m.report(id, -1, scored(1)) == Receipt::duplicate);
  CHECK(m.report(id + 1, -1, scored(1)) == Receipt::unknown);
  CHECK(m.report(0, -1, scored(1)) == Receipt::unknown);
  const Counts c = m.counts();
  CHECK(c.receipts[0] == 1 && c.receipts[1] == 2 && c.receipts[3] == 2 && c.opened == 1 && c.open == 1);
  CHECK(totals(m, 1).weight == 1 && m.version() == 1);
}

TEST(an_outcome_that_is_not_to_be_learned_changes_no_evidence) {
  Memory m(config());
  add_arms(m);
  const std::uint64_t id = opened(m, single(1));
  const Data before = m.slots();
  CHECK(m.report(id, -1, scored(1), false) == Receipt::accepted);
  CHECK(m.slots() == before && m.version() == 0 && m.version(1) == 0);
  CHECK(m.report(id, -1, scored(1)) == Receipt::duplicate);
}

TEST(tickets_are_bounded_and_the_oldest_is_forgotten) {
  Config c = config();
  c.tickets = 5;
  Memory m(c);
  add_arms(m);
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 1000; ++i) ids.push_back(opened(m, single(i % kArms)));
  CHECK(m.counts().open == 5 && m.counts().forgotten == 995);
  CHECK(m.report(ids[994], -1, scored(1)) == Receipt::expired);
  for (int i = 995; i < 1000; ++i)
    CHECK(m.report(ids[static_cast<std::size_t>(i)], -1, scored(1)) == Receipt::accepted);
}

TEST(a_late_outcome_counts_in_the_epoch_of_its_ticket) {
  Memory m(config());
  add_arms(m);
  const std::uint64_t early = opened(m, single(1));
  m.advance(2);
  CHECK(m.report(early, -1, scored(1)) == Receipt::accepted);
  CHECK(totals(m, 1).weight == 0.75 * 0.75);
  const std::uint64_t late = opened(m, single(1));
  m.advance(3);  // epochs 1 to 3 are kept apart
  const std::uint64_t third = opened(m, single(1));
  CHECK(m.report(late, -1, scored(1)) == Receipt::accepted);
  CHECK(totals(m, 1).weight == 0.75 * 0.75 * 0.75 + 0.75);
  m.advance(1);
  CHECK(m.epoch() == 3);
  m.advance(6);
  CHECK(m.report(third, -1, scored(1)) == Receipt::expired);
}

TEST(folding_rounds_halves_to_even) {
  Config c = config();
  c.epochs = 1;
  c.discount = 0.5;
  Memory m(c);
  add_arms(m);
  const auto nano = [&](double n) { m.report(opened(m, single(0)), -1, scored(kUnknown, n * 1e-9)); };
  nano(5);
  m.advance(1);
  nano(1);
  m.advance(2);  // 2.5 -> 2, and 1
  CHECK(totals(m, 0).usd == 0.5 * 3 / 1e9);
  nano(0);
  m.advance(3);  // 1.5 -> 2
  CHECK(totals(m, 0).usd == 0.5 * 2 / 1e9);
}

TEST(versions_change_with_the_evidence) {
  Memory m(config());
  add_arms(m);
  const std::uint64_t one = m.version(1), two = m.version(2);
  m.report(opened(m, single(1)), -1, scored(1));
  CHECK(m.version() == 1 && m.version(1) != one && m.version(2) == two);
  m.advance(1);
  CHECK(m.version() == 2 && m.version(2) != two);  // discounted evidence is other evidence
}

TEST(sums_without_room_refuse_and_change_nothing) {
  Memory m(config());
  add_arms(m);
  int accepted = 0;
  std::uint64_t id = 0;
  Data before;
  try {
    for (;; ++accepted) {
      id = opened(m, single(0));
      before = m.slots();
      m.report(id, -1, scored(kUnknown, 1e7));
    }
  } catch (const Error& e) {
    CHECK(e.path == "outcome");
  }
  CHECK(accepted == 461);  // of 10^16 nano-USD each in 2^62
  CHECK(m.slots() == before && m.counts().refused == 1);
  CHECK(m.report(id, -1, scored(1)) == Receipt::accepted);
  m.advance(1);
  CHECK(m.report(opened(m, single(0)), -1, scored(kUnknown, 1e7)) == Receipt::accepted);
}

TEST(a_base_without_room_is_halved) {
  Config c = config();
  c.epochs = 1;
  c.discount = 1;
  Memory m(c);
  add_arms(m);
  for (std::uint32_t epoch = 1; epoch <= 2; ++epoch) {
    for (int i = 0; i < 300; ++i) m.report(opened(m, single(0)), -1, scored(kUnknown, 1e7));
    m.advance(epoch);
  }
  CHECK(totals(m, 0).usd == 150e7 + 300e7 && totals(m, 0).usd_count == 150 + 300);
}

TEST(features_and_scores_are_cut_and_rounded_as_stated) {
  Memory m(config());
  add_arms(m);
  Ticket t = single(0, 100.0f, 0);
  t.context[1] = 2.5f / 4096;   // to even: 2
  t.context[2] = -1.5f / 4096;  // to even: -2
  m.report(opened(m, t), -1, scored(1));
  const Totals got = totals(m, 0);
  CHECK(got.moment == (std::vector<double>{32727.0 / 4096, 2.0 / 4096, -2.0 / 4096}));
}

TEST(crc32c_is_the_published_one_by_either_way) {
  const std::string nine = "123456789";
  const auto bytes = std::as_bytes(std::span(nine));
  CHECK(crc32c(bytes) == 0xE3069283u && crc32c_by_table(bytes) == 0xE3069283u);
  const Data zeros(32);
  CHECK(crc32c(zeros) == 0x8A9136AAu);  // RFC 3720, B.4
  Philox random(1);
  Data data(300);
  for (std::byte& b : data) b = static_cast<std::byte>(random.next());
  for (std::size_t n = 0; n < data.size(); ++n) {
    const std::span part(data.data() + n / 3, n - n / 3);
    CHECK(crc32c(part, 7) == crc32c_by_table(part, 7));
  }
}

TEST(bad_tickets_are_refused_with_the_path) {
  Memory m(config());
  add_arms(m);
  const auto path = [&](auto&& change) {
    Ticket t = single(0);
    change(t);
    try {
      m.open(t);
    } catch (const Error& e) {
      return e.path;
    }
    return std::string("nothing");
  };
  CHECK(path([](Ticket& t) { t.dim = 2; }) == "ticket.dim");
  CHECK(path([](Ticket& t) { t.context[2] = NAN; }) == "context[2]");
  CHECK(path([](Ticket& t) { t.context[0] = INFINITY; }) == "context[0]");
  CHECK(path([](Ticket& t) { t.prior = -0.1; }) == "ticket.prior");
  CHECK(path([](Ticket& t) { t.chosen = 1; }) == "ticket.chosen");
  CHECK(path([](Ticket& t) { t.candidate_count = kMaxCandidates + 1; }) == "ticket.candidate_count");
  CHECK(path([](Ticket& t) { t.step_count = kMaxNodes + 1; }) == "ticket.step_count");
  CHECK(path([](Ticket& t) { t.candidates[0].arm = kArms; }) == "candidates[0].arm");
  CHECK(path([](Ticket& t) { t.candidates[0].probability = 1.5; }) == "candidates[0].probability");
  CHECK(path([](Ticket& t) { t.candidates[0].usd = NAN; }) == "candidates[0].usd");
  CHECK(path([](Ticket& t) { t.steps[0].arm = -2; }) == "steps[0].arm");
  CHECK(path([](Ticket& t) { t.steps[0].prior = NAN; }) == "steps[0].prior");
  CHECK(path([](Ticket& t) { t.steps[0].usd = -1; }) == "steps[0].usd");
  CHECK(path([](Ticket& t) { t.value_usd = INFINITY; }) == "ticket.value_usd");
  CHECK(m.counts().opened == 0 && m.take().empty());
}

TEST(bad_outcomes_and_arms_are_refused_with_the_path) {
  Memory m(config());
  add_arms(m);
  const std::uint64_t id = opened(m, single(0));
  CHECK_ERROR(m.report(id, 1, scored(1)), ErrorKind::input, "node");
  CHECK_ERROR(m.report(id, -2, scored(1)), ErrorKind::input, "node");
  CHECK_ERROR(m.report(id, 0, scored(1.5)), ErrorKind::input, "outcome.score");
  CHECK_ERROR(m.report(id, 0, scored(INFINITY)), ErrorKind::input, "outcome.score");
  CHECK_ERROR(m.report(id, 0, scored(1, -1)), ErrorKind::input, "outcome.usd");
  CHECK(m.version() == 0 && m.report(id, 0, scored(1)) == Receipt::accepted);
  CHECK_ERROR(m.arm(""), ErrorKind::input, "arm");
  CHECK_ERROR(m.arm(std::string(257, 'a')), ErrorKind::input, "arm");
  CHECK_ERROR(m.arm_name(kArms), ErrorKind::input, "arm");
  CHECK_ERROR(m.version(-1), ErrorKind::input, "arm");
  for (int i = kArms; i < kMaxArms; ++i) m.arm("more-" + std::to_string(i));
  CHECK_ERROR(m.arm("one too many"), ErrorKind::input, "arm");
  CHECK(m.arm("llm-2") == 2 && m.arms() == kMaxArms);
}

TEST(bad_configurations_are_refused_with_the_path) {
  const auto path = [&](auto&& change) {
    Config c = config();
    change(c);
    try {
      Memory m(c);
    } catch (const Error& e) {
      return e.kind == ErrorKind::config ? e.path : "another kind";
    }
    return std::string("nothing");
  };
  CHECK(path([](Config& c) { c.dim = 0; }) == "memory.dim");
  CHECK(path([](Config& c) { c.dim = kMaxContext + 1; }) == "memory.dim");
  CHECK(path([](Config& c) { c.space = std::string(257, 's'); }) == "memory.space");
  CHECK(path([](Config& c) { c.replica = 0; }) == "memory.replica");
  CHECK(path([](Config& c) { c.ticket_prefix = 1u << 24; }) == "memory.ticket_prefix");
  CHECK(path([](Config& c) { c.tickets = 0; }) == "memory.tickets");
  CHECK(path([](Config& c) { c.discount = 1.01; }) == "memory.discount");
  CHECK(path([](Config& c) { c.discount = NAN; }) == "memory.discount");
  CHECK(path([](Config& c) { c.epochs = 65; }) == "memory.epochs");
  CHECK(path([](Config& c) { c.log_bytes = 100; }) == "memory.log_bytes");
}

TEST(warm_opens_and_reports_allocate_nothing) {
  Config c = config(1, 32);
  c.tickets = 1000;
  Memory m(c);
  add_arms(m);
  Philox random(5);
  const Ticket t = ticket(random, 32);
  const auto use = [&](int n) {
    for (int i = 0; i < n; ++i) {
      const std::uint64_t id = opened(m, t);
      m.report(id, -1, scored(1, 0.001));
      if (i % 500 == 0) m.note(id, {});
    }
  };
  use(3000);
  m.take();
  const long before = allocations::count();
  use(2000);
  CHECK(allocations::count() == before);
}
