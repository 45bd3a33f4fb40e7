#include "turnout/state/feedback.hpp"

#include <optional>
#include <unordered_map>

#include "state/impl.hpp"
#include "state/log_head.hpp"
#include "state/observe.hpp"
#include "state/outcome_bytes.hpp"

namespace turnout::state {
namespace {

// Where a ticket lies, and how its part numbered the arms.
struct Seen {
  const std::byte* ticket = nullptr;
  std::size_t map = 0;
  std::uint64_t answered = 0;
};

// An outcome of a whole plan.
struct Row {
  const std::byte* ticket;
  std::size_t map;
  bool learned;
  Outcome outcome;
};

class FeedbackReader {
 public:
  Feedback read(std::span<const Bytes> parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) part(parts[i], static_cast<int>(i));
    fill();
    out_.tickets = seen_.size();
    for (const auto& [id, seen] : seen_) out_.unanswered += !whole_plan(seen);
    return std::move(out_);
  }

 private:
  void part(Bytes bytes, int i) {
    RecordReader in(bytes);
    Record record;
    std::size_t read = 0;
    begun_ = false;
    maps_.emplace_back();
    while (in.next(record) && one(record, i)) read = in.read();
    out_.read.push_back(read);
  }

  bool one(const Record& r, int i) {
    if (r.type == RecordType::head) return head(r.payload, i);
    if (!begun_) return false;
    if (r.type == RecordType::arm) return arm(r.payload);
    Reader in(r.payload);
    in.number<std::uint64_t>();
    if (r.type == RecordType::ticket) return ticket(in.bytes(in.left()));
    if (r.type == RecordType::outcome) return outcome(r.payload);
    if (r.type == RecordType::note) return note(in);
    return in.ok() && (r.type == RecordType::merge || r.type == RecordType::epoch);
  }

  bool head(Bytes payload, int i) {
    LogHead h;
    if (!decode(payload, h)) return false;
    const std::string path = "parts[" + std::to_string(i) + "]";
    check_integer(h.format, kFormat, kFormat, (path + ".format").c_str());
    check_integer(h.dim, space_ ? out_.dim : 1, space_ ? out_.dim : kMaxContext, (path + ".dim").c_str());
    if (space_ && *space_ != h.space)
      refuse(path + ".space", "expected '" + *space_ + "', got '" + std::string(h.space) + "'");
    space_ = std::string(h.space);
    out_.dim = static_cast<int>(h.dim);
    begun_ = true;
    return true;
  }

  bool arm(Bytes payload) {
    std::uint32_t number = 0;
    std::string_view name;
    if (!decode_arm(payload, number, name)) return false;
    const auto [known, added] = numbers_.try_emplace(std::string(name), static_cast<std::int32_t>(numbers_.size()));
    if (added) out_.arm_names.push_back(known->first);
    name_arm(number, known->second);
    return true;
  }

  // A later run may number its arms otherwise; tickets that were read keep their map.
  void name_arm(std::size_t number, std::int32_t arm) {
    if (number < maps_.back().size() && maps_.back()[number] >= 0 && maps_.back()[number] != arm)
      maps_.push_back(maps_.back());
    std::vector<std::int32_t>& map = maps_.back();
    if (number >= map.size()) map.resize(number + 1, -1);
    map[number] = arm;
  }

  bool ticket(Bytes bytes) {
    if (!sound(bytes, out_.dim, maps_.back())) return false;
    seen_.try_emplace(TicketView(bytes.data()).id(), Seen{bytes.data(), maps_.size() - 1, 0});
    return true;
  }

  bool note(Reader& in) {
    const auto id = in.number<std::uint64_t>();
    if (!in.ok()) return false;
    out_.notes.emplace_back(id, in.bytes(in.left()));
    return true;
  }

  bool outcome(Bytes payload) {
    OutcomeRecord r;
    if (!decode(payload, r) || r.node < -1 || r.node >= kMaxNodes) return false;
    const auto at = seen_.find(r.ticket);
    if (at == seen_.end()) {
      ++out_.orphans;
      return true;
    }
    Seen& seen = at->second;
    const TicketView view(seen.ticket);
    const int node = node_of(view, r.node);
    if ((seen.answered & bit_of(node)) != 0) return true;
    seen.answered |= bit_of(node);
    if (node < 0 || view.steps() == 1) rows_.push_back({seen.ticket, seen.map, r.learn, r.outcome});
    return true;
  }

  static bool whole_plan(const Seen& seen) {
    const int node = node_of(TicketView(seen.ticket), -1);
    return (seen.answered & bit_of(node)) != 0;
  }

  // Columns are filled when their length is known: pages that are written once take a third of the time.
  void fill() {
    const auto each = [&](auto& out, std::size_t width, auto&& values) {
      out.resize(rows_.size() * width);
      for (std::size_t i = 0; i < rows_.size(); ++i) values(rows_[i], out.data() + i * width);
    };
    const auto of_ticket = [&](auto& out, auto&& value) {
      each(out, 1, [&](const Row& r, auto* at) { *at = value(TicketView(r.ticket)); });
    };
    const auto of_outcome = [&](auto& out, auto&& value) {
      each(out, 1, [&](const Row& r, auto* at) { *at = value(r.outcome); });
    };
    const auto of_candidates = [&](auto& out, auto padding, auto&& value) {
      each(out, kMaxCandidates, [&](const Row& r, auto* at) {
        const TicketView t(r.ticket);
        for (int i = 0; i < kMaxCandidates; ++i) at[i] = i < t.candidates() ? value(r, t.candidate(i)) : padding;
      });
    };
    of_ticket(out_.ticket, [](const TicketView& t) { return t.id(); });
    of_ticket(out_.state_version, [](const TicketView& t) { return t.state_version(); });
    of_ticket(out_.epoch, [](const TicketView& t) { return t.epoch(); });
    of_ticket(out_.chosen, [](const TicketView& t) { return t.chosen(); });
    of_ticket(out_.candidate_count, [](const TicketView& t) { return t.candidates(); });
    of_ticket(out_.prior, [](const TicketView& t) { return t.prior() / kShareScale; });
    of_ticket(out_.value_usd, [](const TicketView& t) { return t.value_usd(); });
    of_ticket(out_.usd_per_second, [](const TicketView& t) { return t.usd_per_second(); });
    of_outcome(out_.failure, [](const Outcome& o) { return static_cast<std::int32_t>(o.failure); });
    of_outcome(out_.score, [](const Outcome& o) { return o.score; });
    of_outcome(out_.usd, [](const Outcome& o) { return o.usd; });
    of_outcome(out_.in_tokens, [](const Outcome& o) { return o.in_tokens; });
    of_outcome(out_.out_tokens, [](const Outcome& o) { return o.out_tokens; });
    of_outcome(out_.seconds, [](const Outcome& o) { return o.seconds; });
    each(out_.learned, 1, [](const Row& r, std::uint8_t* at) { *at = r.learned; });
    of_candidates(out_.probabilities, 0.0, [](const Row&, const CandidateView& c) { return c.probability; });
    of_candidates(out_.predicted_quality, 0.0, [](const Row&, const CandidateView& c) -> double { return c.quality; });
    of_candidates(out_.predicted_usd, 0.0, [](const Row&, const CandidateView& c) -> double { return c.usd; });
    of_candidates(out_.predicted_seconds, 0.0, [](const Row&, const CandidateView& c) -> double { return c.seconds; });
    of_candidates(out_.arms, std::int32_t{-1}, [&](const Row& r, const CandidateView& c) {
      return c.arm < 0 ? -1 : maps_[r.map][static_cast<std::size_t>(c.arm)];
    });
    each(out_.context, static_cast<std::size_t>(out_.dim), [&](const Row& r, float* at) { context(r, at); });
  }

  void context(const Row& r, float* out) const {
    std::int32_t x[kMaxContext];
    TicketView(r.ticket).context({x, static_cast<std::size_t>(out_.dim)});
    for (int i = 0; i < out_.dim; ++i) out[i] = static_cast<float>(x[i] / kContextScale);
  }

  std::vector<Row> rows_;
  Feedback out_;
  std::optional<std::string> space_;
  bool begun_ = false;
  std::vector<std::vector<std::int32_t>> maps_;  // from a log's numbers to ours; the last one holds now
  std::unordered_map<std::string, std::int32_t> numbers_;
  std::unordered_map<std::uint64_t, Seen> seen_;
};

}  // namespace

Feedback read_log(std::span<const std::span<const std::byte>> parts) { return FeedbackReader().read(parts); }

}  // namespace turnout::state
