// Recovery: from a log, from a snapshot and what follows it, from bytes that are torn or damaged anywhere.
#include <cstring>

#include "check.hpp"
#include "state/crc32c.hpp"
#include "states.hpp"

using namespace states;

namespace {

struct Life {
  Data log, snapshot, after;  // all of it; a snapshot in the middle, and the log from there
  Data slots;
};

void append(Data& to, const Data& more) { to.insert(to.end(), more.begin(), more.end()); }

// Decisions, outcomes, epochs, a merge and a note, taken in small batches.
Life live(Memory& m, std::uint64_t seed, int decisions) {
  Life out;
  Philox random(seed);
  std::vector<std::pair<std::uint64_t, int>> open;
  Memory other(config(77));
  add_arms(other, 2);
  other.arm("theirs");
  for (int i = 0; i < decisions; ++i) {
    Ticket t = ticket(random);
    m.open(t);
    open.emplace_back(t.id, t.step_count);
    const auto& [id, steps] = open[random.next() % open.size()];
    m.report(id, static_cast<int>(random.next() % static_cast<std::uint64_t>(steps + 1)) - 1, outcome(random),
             random.next() % 8 != 0);
    if (i % 9 == 4) m.advance(m.epoch() + 1);
    if (i % 11 == 5) {
      Ticket theirs = single(2 % (i % 2 + 1));
      other.open(theirs);
      other.report(theirs.id, -1, scored(1));
      m.merge(other.slot());
      const std::uint64_t note = id;
      m.note(note, std::as_bytes(std::span(&note, 1)));
    }
    if (i % 3 == 2) append(i < decisions / 2 ? out.log : out.after, m.take());
    if (i == decisions / 2) out.snapshot = m.snapshot();
  }
  append(out.after, m.take());
  append(out.log, out.after);
  out.slots = m.slots();
  return out;
}

// A log with other payloads in its records, whose checksums are right.
template <class F>
void each_record(Data& log, F&& f) {
  for (std::size_t at = 0; at + 9 <= log.size();) {
    std::uint32_t length = 0;
    std::memcpy(&length, log.data() + at, 4);
    f(std::span(log).subspan(at + 9, length));
    const std::uint32_t crc = crc32c(std::span(log).subspan(at + 8, length + 1));
    std::memcpy(log.data() + at + 4, &crc, 4);
    at += 9 + length;
  }
}

// The checksum that ends a snapshot or slots.
void seal(Data& bytes) {
  const std::uint32_t crc = crc32c(std::span(bytes).first(bytes.size() - 4));
  std::memcpy(bytes.data() + bytes.size() - 4, &crc, 4);
}

Data recovered(const Data& log) {
  Memory m(config());
  m.apply(log);
  return m.snapshot();
}

}  // namespace

TEST(a_log_gives_back_what_was_learned) {
  Memory m(config());
  add_arms(m);
  const Life life = live(m, 1, 200);
  Memory back(config());
  CHECK(back.apply(life.log) == life.log.size());
  CHECK(back.slots() == life.slots && back.version() == m.version() && back.epoch() == m.epoch());
  CHECK(back.counts().opened == 200 && back.counts().receipts[0] == m.counts().receipts[0]);
  CHECK(back.take().empty());
}

TEST(a_log_twice_or_beside_its_snapshot_changes_nothing) {
  Memory m(config());
  add_arms(m);
  const Life life = live(m, 2, 200);
  Memory back(config());
  back.restore(life.snapshot);
  CHECK(back.snapshot() == life.snapshot);
  CHECK(back.apply(life.log) == life.log.size());  // more than what follows the snapshot
  CHECK(back.slots() == life.slots);
  const Data once = back.snapshot();
  CHECK(back.apply(life.log) == life.log.size() && back.snapshot() == once);
  Memory least(config());
  least.restore(life.snapshot);
  CHECK(least.apply(life.after) == life.after.size() && least.snapshot() == once);
}

TEST(a_recovered_memory_goes_on) {
  Memory m(config());
  add_arms(m);
  const Life life = live(m, 3, 60);
  Ticket before = single(1);
  m.open(before);
  Config next = config();
  next.ticket_prefix = 999;
  Memory back(next);
  add_arms(back, 1);
  Data log = life.log;
  append(log, m.take());
  CHECK(back.apply(log) == log.size());
  Ticket t = single(back.arm("llm-1"));
  back.open(t);
  CHECK(t.id >> 40 == 999 && back.report(before.id, -1, scored(1)) == Receipt::accepted);
  CHECK(m.report(before.id, -1, scored(1)) == Receipt::accepted);
  CHECK(back.slots() == m.slots());
  append(log, back.take());
  Memory third(config());
  CHECK(third.apply(log) == log.size() && third.slots() == back.slots());
  CHECK(third.counts().opened == back.counts().opened && third.report(t.id, -1, scored(1)) == Receipt::accepted);
}

TEST(arms_that_are_numbered_otherwise_keep_their_evidence) {
  Memory m(config());
  add_arms(m);
  const Life life = live(m, 4, 60);
  Ticket t = single(0);
  m.open(t);
  const Data later = m.take();
  m.report(t.id, -1, scored(1));
  for (const bool from_snapshot : {false, true}) {
    Memory back(config());
    for (const char* name : {"llm-3", "new", "llm-1", "llm-0"}) back.arm(name);
    if (from_snapshot) back.restore(life.snapshot);
    CHECK(back.apply(life.log) == life.log.size() && back.slots() == life.slots);
    CHECK(back.apply(later) == later.size() && back.report(t.id, -1, scored(1)) == Receipt::accepted);
    CHECK(back.slots() == m.slots() && back.arm("llm-0") == 3);
  }
}

TEST(a_log_cut_at_any_byte_gives_back_its_whole_records) {
  Memory m(config());
  add_arms(m);
  const Life life = live(m, 5, 12);
  Memory step(config());
  std::size_t whole = 0;
  int records = 0;
  for (std::size_t n = 0; n <= life.log.size(); ++n) {
    const Data cut(life.log.begin(), life.log.begin() + static_cast<std::ptrdiff_t>(n));
    Memory back(config());
    const std::size_t read = back.apply(cut);
    CHECK(read <= n && read >= whole);
    records += read != whole;
    whole = read;
    if (read < n) continue;
    CHECK(back.apply(life.log) == life.log.size());  // and goes on where it was cut
    CHECK(back.slots() == life.slots);
  }
  CHECK(records >= 24 && whole == life.log.size());
}

TEST(a_flipped_bit_anywhere_stops_the_log_there) {
  Memory m(config());
  add_arms(m);
  const Life life = live(m, 6, 12);
  for (std::size_t at = 0; at < life.log.size(); ++at) {
    Data damaged = life.log;
    damaged[at] ^= static_cast<std::byte>(1u << (at % 8));
    Memory back(config());
    const std::size_t read = back.apply(damaged);
    CHECK(read <= at);
    const Data good(life.log.begin(), life.log.begin() + static_cast<std::ptrdiff_t>(read));
    CHECK(back.snapshot() == recovered(good));
  }
}

// Whole checksums, wrong contents: what no accident makes.
TEST(records_that_no_memory_wrote_stop_the_log) {
  Memory m(config());
  add_arms(m);
  const Life life = live(m, 7, 12);
  Philox random(8);
  for (int round = 0; round < 20000; ++round) {
    Data log = life.log;
    each_record(log, [&](std::span<std::byte> payload) {
      if (random.next() % 4 == 0 && !payload.empty())
        payload[random.next() % payload.size()] = static_cast<std::byte>(random.next());
    });
    Memory back(config());
    try {
      CHECK(back.apply(log) <= log.size());
      const Data snapshot = back.snapshot();
      Memory again(config());
      again.restore(snapshot);
      CHECK(again.snapshot() == snapshot);
    } catch (const Error& e) {
      CHECK(e.path.starts_with("log."));  // the head, of another memory
    }
  }
}

TEST(random_bytes_are_no_log_no_snapshot_and_no_slot) {
  Philox random(9);
  for (int round = 0; round < 2000; ++round) {
    Data bytes(random.next() % 200);
    for (std::byte& b : bytes) b = static_cast<std::byte>(random.next() % (round % 2 == 0 ? 256 : 4));
    Memory m(config());
    CHECK(m.apply(bytes) == 0);
    CHECK_ERROR(m.restore(bytes), ErrorKind::input, "snapshot");
    CHECK_ERROR(m.merge(bytes), ErrorKind::input, "slots");
    CHECK(m.version() == 0 && m.counts().opened == 0);
  }
}

TEST(snapshots_and_slots_that_are_cut_or_flipped_are_refused_whole) {
  Memory m(config());
  add_arms(m);
  const Life life = live(m, 10, 8);
  for (const bool slots : {true, false}) {
    const Data& good = slots ? life.slots : life.snapshot;
    Memory back(config(5));
    Memory mine(config());
    const Data empty = mine.snapshot();
    const auto refused = [&](const Data& bytes) {
      try {
        slots ? static_cast<void>(back.merge(bytes)) : mine.restore(bytes);
        return false;
      } catch (const Error& e) {
        return e.kind == ErrorKind::input;
      }
    };
    for (std::size_t n = 0; n < good.size(); ++n) {
      Data bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(n));
      CHECK(refused(bytes));
      bytes = good;
      bytes[n] ^= static_cast<std::byte>(1u << (n % 8));
      CHECK(refused(bytes));
    }
    CHECK(back.version() == 0 && back.arms() == 0 && mine.snapshot() == empty);
    CHECK(!refused(good));
  }
}

TEST(snapshots_whose_checksum_is_right_are_still_checked) {
  Memory m(config());
  add_arms(m);
  const Life life = live(m, 11, 8);
  Philox random(12);
  int taken = 0;
  for (int round = 0; round < 30000; ++round) {
    Data bytes = round % 2 == 0 ? life.snapshot : life.slots;
    for (int i = 0; i < 2; ++i) bytes[random.next() % (bytes.size() - 4)] = static_cast<std::byte>(random.next());
    seal(bytes);
    Memory back(config(round % 2 == 0 ? 1 : 5));
    add_arms(back);
    const Data before = back.snapshot();
    try {
      round % 2 == 0 ? back.restore(bytes) : static_cast<void>(back.merge(bytes));
      ++taken;
      Totals totals;  // what it holds can be used
      for (int arm = 0; arm < back.arms(); ++arm) back.totals(arm, totals);
      back.advance(back.epoch() < 4000000000u ? back.epoch() + 100 : back.epoch());
      Ticket t = single(0);
      back.open(t);
      CHECK(back.report(t.id, -1, scored(1, 1e7)) == Receipt::accepted);
    } catch (const Error& e) {
      // What was refused changed nothing; a run may also have counted so far that it opens no more.
      CHECK(e.kind == ErrorKind::input && (e.path == "ticket" || back.snapshot() == before));
    }
  }
  CHECK(taken > 1000);
}

TEST(bytes_of_another_memory_are_refused_with_both_values) {
  Memory m(config());
  add_arms(m);
  const Life life = live(m, 13, 20);
  const auto refusal = [&](auto&& change, auto&& use) {
    Config c = config();
    change(c);
    Memory other(c);
    return check::message_of<Error>([&] { use(other); });
  };
  const auto restore = [&](Memory& o) { o.restore(life.snapshot); };
  const auto apply = [&](Memory& o) { o.apply(life.log); };
  const auto merge = [&](Memory& o) { o.merge(life.slots); };
  const auto dim = [](Config& c) { c.dim = 4; };
  const auto space = [](Config& c) { c.space = "other"; };
  const auto replica = [](Config& c) { c.replica = 9; };
  CHECK(refusal(dim, restore) == "snapshot.dim: expected 4, got 3");
  CHECK(refusal(dim, apply) == "log.dim: expected 4, got 3");
  CHECK(refusal(dim, merge) == "slots.dim: expected 4, got 3");
  CHECK(refusal(space, restore) == "snapshot.space: expected 'other', got 'toy'");
  CHECK(refusal(space, apply) == "log.space: expected 'other', got 'toy'");
  CHECK(refusal(space, merge) == "slots.space: expected 'other', got 'toy'");
  CHECK(refusal(replica, restore) == "snapshot.replica: expected 9, got 1");
  CHECK(refusal(replica, apply) == "log.replica: expected 9, got 1");
  CHECK_ERROR(m.restore(life.snapshot), ErrorKind::input, "snapshot");  // it is in use
}

TEST(a_log_without_room_loses_records_and_says_so) {
  Config c = config();
  c.log_bytes = 4096;
  Memory m(c);
  add_arms(m);
  for (int i = 0; i < 200; ++i) {
    Ticket t = single(i % kArms);
    m.open(t);
    m.report(t.id, -1, scored(1));
  }
  const Counts counts = m.counts();
  CHECK(counts.lost_records > 300 && counts.pending_bytes <= 4096 && counts.receipts[0] == 200);
  const Data log = m.take();
  Memory part(c);
  CHECK(part.apply(log) == log.size() && part.counts().opened < 30);
  Memory back(c);
  back.restore(m.snapshot());
  CHECK(back.slots() == m.slots() && back.counts().lost_records == counts.lost_records);
  Ticket t = single(1);
  m.open(t);
  m.report(t.id, -1, scored(0));
  CHECK(back.apply(m.take()) > 0 && back.slots() == m.slots());
}

TEST(epochs_may_be_kept_otherwise_after_a_restart) {
  Memory m(config());
  add_arms(m);
  std::vector<std::uint64_t> ids;
  for (int i = 0; i < 3; ++i) {
    Ticket t = single(1);
    m.open(t);
    m.report(t.id, -1, scored(1));
    Ticket late = single(1);
    m.open(late);
    ids.push_back(late.id);
    m.advance(m.epoch() + 1);
  }
  Config fewer = config(), more = config();
  fewer.epochs = 1;
  more.epochs = 8;
  Memory less(fewer), kept(more);
  less.restore(m.snapshot());
  kept.restore(m.snapshot());
  CHECK(less.report(ids[2], -1, scored(1)) == Receipt::expired);  // epoch 2 is folded, now it is 3
  CHECK(less.version() == m.version() + 1);
  CHECK(kept.report(ids[0], -1, scored(1)) == Receipt::expired);  // folded when it was written
  CHECK(kept.report(ids[1], -1, scored(1)) == Receipt::accepted);
}
