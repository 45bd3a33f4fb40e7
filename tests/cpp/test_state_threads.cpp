// Threads open, report, take, merge, advance and make snapshots at once. What it hunts: an outcome that counts twice or
// is lost, a snapshot that holds half an outcome, sums that are written while a snapshot reads them.
#include <atomic>
#include <thread>

#include "check.hpp"
#include "states.hpp"

using namespace states;

namespace {

#ifdef __SANITIZE_THREAD__
constexpr int kDecisions = 1500;
#else
constexpr int kDecisions = 40000;
#endif
constexpr int kWriters = 3;

Config roomy() {
  Config c = config();
  c.tickets = std::size_t{1} << 17;  // none is forgotten before its outcome
  c.epochs = 64;                     // nothing expires
  c.discount = 1;
  c.log_bytes = std::size_t{64} << 20;
  return c;
}

// Every outcome of a writer is the same, so each whole number of them shows in any sum.
bool torn(const Totals& t) {
  return t.precision[0] != 2.25 * t.weight || t.moment[0] != 0.75 * t.weight || t.usd_count != t.weight;
}

}  // namespace

TEST(nothing_is_lost_or_torn_between_threads) {
  Memory m(roomy());
  add_arms(m);
  std::atomic<int> writing{kWriters}, wrong{0};
  Data log;
  std::vector<std::thread> all;
  for (int k = 0; k < kWriters; ++k)
    all.emplace_back([&, k] {
      for (int i = 0; i < kDecisions; ++i) {
        Ticket t = single(k, 1.5f);
        m.open(t);
        wrong += m.report(t.id, -1, scored(1, 0.001)) != Receipt::accepted;
        wrong += m.report(t.id, 0, scored(1, 0.001)) != Receipt::duplicate;
        if (i % 500 == 0) m.note(t.id, {});
      }
      --writing;
    });
  all.emplace_back([&] {  // a store: takes, and makes snapshots
    while (writing > 0) {
      const Data more = m.take();
      log.insert(log.end(), more.begin(), more.end());
      Memory back(roomy());
      back.restore(m.snapshot());
      Totals t;
      for (int arm = 0; arm < kArms; ++arm) back.totals(arm, t), wrong += torn(t);
    }
  });
  all.emplace_back([&] {  // a router: reads, while epochs pass and arms come
    Totals t;
    for (std::uint32_t i = 0; writing > 0; ++i) {
      for (int arm = 0; arm < kArms; ++arm) m.totals(arm, t), wrong += torn(t);
      if (i < 60 && i % 3 == 0) m.advance(i);
      m.arm("new-" + std::to_string(i % 100));
      wrong += m.arm_name(0) != "llm-0" || m.counts().lost_records != 0;
    }
  });
  all.emplace_back([&] {  // another replica
    Memory other(config(2));
    other.arm("theirs");
    while (writing > 0) {
      Ticket t = single(0);
      other.open(t);
      other.report(t.id, -1, scored(1));
      m.merge(other.slots());
      other.merge(m.slot());
    }
  });
  for (std::thread& thread : all) thread.join();
  CHECK(wrong == 0);
  Totals t;
  for (int k = 0; k < kWriters; ++k) {
    m.totals(k, t);
    CHECK(t.weight == kDecisions && !torn(t));
  }
  const Counts counts = m.counts();
  CHECK(counts.opened == std::uint64_t{kWriters} * kDecisions && counts.receipts[0] == counts.opened);
  CHECK(counts.receipts[1] == counts.opened && counts.forgotten == 0);
  const Data more = m.take();
  log.insert(log.end(), more.begin(), more.end());
  Memory back(roomy());
  CHECK(back.apply(log) == log.size() && back.slots() == m.slots());
}
