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

class FeedbackReader {
 public:
  Feedback read(std::span<const Bytes> parts) {
    for (std::size_t i = 0; i < parts.size(); ++i) part(parts[i], static_cast<int>(i));
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
    if (node < 0 || view.steps() == 1) row(view, maps_[seen.map], r);
    return true;
  }

  static bool whole_plan(const Seen& seen) {
    const int node = node_of(TicketView(seen.ticket), -1);
    return (seen.answered & bit_of(node)) != 0;
  }

  void row(const TicketView& t, const std::vector<std::int32_t>& map, const OutcomeRecord& r) {
    out_.ticket.push_back(t.id());
    out_.state_version.push_back(t.state_version());
    out_.epoch.push_back(t.epoch());
    out_.chosen.push_back(t.chosen());
    out_.candidate_count.push_back(t.candidates());
    out_.failure.push_back(static_cast<std::int32_t>(r.outcome.failure));
    out_.learned.push_back(r.learn);
    out_.prior.push_back(t.prior() / kShareScale);
    out_.value_usd.push_back(t.value_usd());
    out_.usd_per_second.push_back(t.usd_per_second());
    out_.score.push_back(r.outcome.score);
    out_.usd.push_back(r.outcome.usd);
    out_.in_tokens.push_back(r.outcome.in_tokens);
    out_.out_tokens.push_back(r.outcome.out_tokens);
    out_.seconds.push_back(r.outcome.seconds);
    context(t);
    for (int i = 0; i < kMaxCandidates; ++i) candidate(t, i, map);
  }

  void context(const TicketView& t) {
    std::int16_t x[kMaxContext];
    t.context({x, static_cast<std::size_t>(out_.dim)});
    for (int i = 0; i < out_.dim; ++i) out_.context.push_back(static_cast<float>(x[i] / kContextScale));
  }

  void candidate(const TicketView& t, int i, const std::vector<std::int32_t>& map) {
    const CandidateView c = i < t.candidates() ? t.candidate(i) : CandidateView{-1, 0, 0, 0, 0};
    out_.arms.push_back(c.arm < 0 ? -1 : map[static_cast<std::size_t>(c.arm)]);
    out_.probabilities.push_back(c.probability);
    out_.predicted_quality.push_back(c.quality);
    out_.predicted_usd.push_back(c.usd);
    out_.predicted_seconds.push_back(c.seconds);
  }

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
