// Replicas: whatever the order, duplication or partition of what they send, the same evidence has the same bits. And
// outcomes that come late, twice or in another order, across restarts and epochs, leave what immediate ones leave.
#include <algorithm>
#include <memory>

#include "check.hpp"
#include "states.hpp"

using namespace states;

namespace {

using MemoryPointer = std::unique_ptr<Memory>;

std::uint64_t below(Philox& random, std::uint64_t n) { return random.next() % n; }

MemoryPointer replica(std::uint64_t id, Philox& random) {
  auto m = std::make_unique<Memory>(config(id));
  std::vector<std::string> names;  // each knows its arms by other numbers
  for (int i = 0; i < kArms; ++i) names.push_back("llm-" + std::to_string(i));
  for (std::size_t i = names.size(); i > 1; --i) std::swap(names[i - 1], names[below(random, i)]);
  for (const std::string& name : names) m->arm(name);
  return m;
}

void decide(Memory& m, Philox& random) {
  Ticket t = ticket(random);
  m.open(t);
  m.report(t.id, -1, outcome(random));
}

Totals totals(Memory& m, const std::string& arm) {
  Totals t;
  m.totals(m.arm(arm), t);
  return t;
}

bool same(const Totals& a, const Totals& b) {
  return a.weight == b.weight && a.precision == b.precision && a.moment == b.moment && a.score == b.score &&
         a.prior == b.prior && a.usd == b.usd && a.usd_expected == b.usd_expected && a.usd_count == b.usd_count &&
         std::equal(a.failures, a.failures + kFailures, b.failures);
}

}  // namespace

// 10,000 schedules: each is a run of decisions, epochs and messages that are sent, kept, sent again or lost.
TEST(any_schedule_of_merges_ends_in_the_same_bits) {
  for (std::uint64_t seed = 0; seed < 10000; ++seed) {
    Philox random(seed);
    const std::uint64_t n = 2 + below(random, 3);
    std::vector<MemoryPointer> replicas;
    for (std::uint64_t i = 1; i <= n; ++i) replicas.push_back(replica(i, random));
    std::vector<Data> wire;
    for (int step = 0; step < 24; ++step) {
      Memory& m = *replicas[below(random, n)];
      switch (below(random, 5)) {
        case 0:
          m.advance(m.epoch() + 1 + static_cast<std::uint32_t>(below(random, 2)));
          break;
        case 1:
          wire.push_back(below(random, 2) == 0 ? m.slot() : m.slots());
          break;
        case 2:
          if (!wire.empty()) m.merge(wire[below(random, wire.size())]);  // stays on the wire
          break;
        default:
          decide(m, random);
      }
    }
    std::vector<Data> last;
    for (const MemoryPointer& m : replicas) last.push_back(m->slot());
    for (const MemoryPointer& m : replicas) {
      for (std::size_t i = last.size(); i > 1; --i) std::swap(last[i - 1], last[below(random, i)]);
      for (const Data& slot : last) m->merge(slot);
    }
    const Data expected = replicas[0]->slots();
    for (const MemoryPointer& m : replicas) {
      CHECK(m->slots() == expected && m->version() == replicas[0]->version());
      CHECK(!m->merge(expected));  // idempotent
      const std::string arm = "llm-" + std::to_string(below(random, kArms));
      CHECK(same(totals(*m, arm), totals(*replicas[0], arm)));
    }
    Memory reader(config(99));
    CHECK(reader.merge(expected) == (replicas[0]->version() > 0) && reader.slots() == expected);
  }
}

TEST(a_merge_is_commutative_and_associative) {
  Philox random(3);
  std::vector<MemoryPointer> replicas;
  for (std::uint64_t i = 1; i <= 3; ++i) replicas.push_back(replica(i, random));

  for (int i = 0; i < 30; ++i) {
    decide(*replicas[below(random, 3)], random);
    if (i == 10) replicas[1]->merge(replicas[0]->slots());
    if (i == 20) replicas[2]->merge(replicas[1]->slots());
  }
  const Data x = replicas[0]->slots(), y = replicas[1]->slots(), z = replicas[2]->slots();
  const auto merged = [&](std::initializer_list<const Data*> all) {
    Memory m(config(50));
    for (const Data* one : all) m.merge(*one);
    return m.slots();
  };
  const Data xy = merged({&x, &y}), yz = merged({&y, &z});
  CHECK(xy == merged({&y, &x}));
  CHECK(merged({&xy, &z}) == merged({&x, &yz}));
  CHECK(merged({&x, &x, &y, &z, &x}) == merged({&z, &y, &x}));
}

TEST(totals_are_the_sum_over_replicas) {
  Philox random(4);
  const MemoryPointer one = replica(1, random), two = replica(2, random);
  for (Memory* m : {one.get(), two.get()}) {
    Ticket t = single(m->arm("llm-2"));
    m->open(t);
    m->report(t.id, -1, scored(1, 0.002));
  }
  two->advance(1);
  const std::uint64_t before = one->version(one->arm("llm-2"));
  CHECK(one->merge(two->slot()));
  const Totals t = totals(*one, "llm-2");
  CHECK(t.weight == 1.5 && t.moment[0] == 0.75 && t.usd_count == 1.5);  // of epoch 0, seen from epoch 1
  CHECK(one->epoch() == 0 && one->version() == 3 && one->version(one->arm("llm-2")) != before);
}

TEST(an_arm_of_a_replica_that_lost_what_it_sent_has_another_version) {
  Memory one(config(1));
  add_arms(one);
  std::vector<std::uint64_t> versions = {one.version(2)};
  for (int life = 0; life < 3; ++life) {  // one outcome of arm 2; then another one; then none
    Memory two(config(2));
    add_arms(two);
    const auto learn = [&](int arm, double score) {
      Ticket t = single(arm);
      two.open(t);
      two.report(t.id, -1, scored(score, 0.002));
    };
    if (life < 2) learn(2, life);
    for (int i = 0; i < 2 * life; ++i) learn(1, 1);
    CHECK(one.merge(two.slot()));
    CHECK(std::find(versions.begin(), versions.end(), one.version(2)) == versions.end());
    versions.push_back(one.version(2));
  }
}

TEST(ones_own_number_in_other_hands_is_refused) {
  Philox random(5);
  const MemoryPointer one = replica(1, random), twin = replica(1, random), two = replica(2, random);
  decide(*one, random);
  decide(*twin, random);
  decide(*twin, random);
  decide(*two, random);
  two->merge(twin->slot());
  const Data before = one->snapshot();
  CHECK_ERROR(one->merge(twin->slot()), ErrorKind::input, "slots.replica");
  CHECK_ERROR(one->merge(two->slots()), ErrorKind::input, "slots.replica");
  CHECK(one->snapshot() == before);
  CHECK(!twin->merge(one->slot()));  // an older state of itself
}

TEST(more_arms_than_there_can_be_are_refused_whole) {
  Memory one(config(1)), two(config(2));
  for (int i = 0; i < kMaxArms; ++i) one.arm("mine-" + std::to_string(i));
  two.arm("theirs");
  Ticket t = single(0);
  two.open(t);
  two.report(t.id, -1, scored(1));
  CHECK_ERROR(one.merge(two.slot()), ErrorKind::input, "slots");
  CHECK(one.version() == 0 && one.arms() == kMaxArms);
}

namespace {

struct Sent {
  std::uint64_t ticket;
  int node;
  Outcome outcome;
};

// Continues in a new process: from a snapshot, from the log, or from both.
MemoryPointer restarted(Memory& m, Data& log, Data& snapshot, Philox& random) {
  const Data more = m.take();
  log.insert(log.end(), more.begin(), more.end());
  Config c = config();
  c.ticket_prefix = static_cast<std::uint32_t>(200 + below(random, 1000000));
  auto back = std::make_unique<Memory>(c);
  add_arms(*back);
  if (below(random, 2) == 0) snapshot = m.snapshot();
  if (!snapshot.empty()) back->restore(snapshot);
  back->apply(log);
  return back;
}

}  // namespace

// The same decisions twice: one memory hears of each at once, the other late, in any order, more than once and across
// restarts, but within the epochs that are kept.
TEST(late_repeated_and_shuffled_outcomes_leave_what_immediate_ones_leave) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Philox random(seed), shuffle(seed + 1000000);
    MemoryPointer immediate = std::make_unique<Memory>(config()), late = std::make_unique<Memory>(config());
    add_arms(*immediate);
    add_arms(*late);
    std::vector<Sent> waiting, old;
    Data log, snapshot;
    const auto hear = [&](const Sent& s) { CHECK(late->report(s.ticket, s.node, s.outcome) == Receipt::accepted); };
    for (std::uint32_t epoch = 0; epoch < 5; ++epoch) {
      std::vector<Sent> fresh;
      for (int i = 0; i < 8; ++i) {
        const Ticket t = ticket(random);
        Ticket here = t, there = t;
        immediate->open(here);
        late->open(there);
        for (int node = t.step_count == 1 ? 0 : -1; node < t.step_count; ++node) {
          const Outcome o = outcome(random);
          CHECK(immediate->report(here.id, node, o) == Receipt::accepted);
          fresh.push_back({there.id, node, o});
        }
      }
      // Those of the epochs before, or now: what is left of an epoch is heard before it is folded.
      waiting.insert(waiting.end(), fresh.begin(), fresh.end());
      for (std::size_t i = waiting.size(); i > 1; --i) std::swap(waiting[i - 1], waiting[below(shuffle, i)]);
      const std::size_t some = epoch % 2 == 1 ? waiting.size() : below(shuffle, waiting.size());
      for (std::size_t i = 0; i < some; ++i) {
        hear(waiting.back());
        old.push_back(waiting.back());
        waiting.pop_back();
        const Sent& again = old[below(shuffle, old.size())];
        const Receipt receipt = late->report(again.ticket, again.node, again.outcome);
        CHECK(receipt == Receipt::duplicate);
      }
      if (below(shuffle, 2) == 0) late = restarted(*late, log, snapshot, shuffle);
      immediate->advance(epoch + 1);
      late->advance(epoch + 1);
    }
    for (const Sent& s : waiting) hear(s);
    CHECK(late->slots() == immediate->slots() && late->version() == immediate->version());
    CHECK(restarted(*late, log, snapshot, shuffle)->slots() == immediate->slots());
  }
}
