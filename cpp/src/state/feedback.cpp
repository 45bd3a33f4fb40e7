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

  // Columns are filled when their length is known, so that each page is written once.
  void fill() {
    const std::size_t n = rows_.size(), wide = n * kMaxCandidates;
    const auto resize = [](std::size_t size, auto&... columns) { (columns.resize(size), ...); };
    resize(n, out_.ticket, out_.state_version, out_.epoch, out_.chosen, out_.candidate_count, out_.failure,
           out_.learned, out_.prior, out_.value_usd, out_.usd_per_second, out_.score, out_.usd, out_.in_tokens,
           out_.out_tokens, out_.seconds);
    resize(wide, out_.probabilities, out_.predicted_quality, out_.predicted_usd, out_.predicted_seconds);
    out_.arms.resize(wide, -1);
    out_.context.resize(n * static_cast<std::size_t>(out_.dim));
    for (std::size_t i = 0; i < n; ++i) {
      decision(i, TicketView(rows_[i].ticket));
      outcome(i, rows_[i]);
      candidates(i, TicketView(rows_[i].ticket), maps_[rows_[i].map]);
    }
  }

  void decision(std::size_t i, const TicketView& t) {
    out_.ticket[i] = t.id();
    out_.state_version[i] = t.state_version();
    out_.epoch[i] = t.epoch();
    out_.chosen[i] = t.chosen();
    out_.candidate_count[i] = t.candidates();
    out_.prior[i] = t.prior() / kShareScale;
    out_.value_usd[i] = t.value_usd();
    out_.usd_per_second[i] = t.usd_per_second();
    std::int32_t x[kMaxContext];
    const auto dim = static_cast<std::size_t>(out_.dim);
    t.context({x, dim});
    for (std::size_t j = 0; j < dim; ++j) out_.context[i * dim + j] = static_cast<float>(x[j] / kContextScale);
  }

  void outcome(std::size_t i, const Row& r) {
    out_.failure[i] = static_cast<std::int32_t>(r.outcome.failure);
    out_.learned[i] = r.learned;
    out_.score[i] = r.outcome.score;
    out_.usd[i] = r.outcome.usd;
    out_.in_tokens[i] = r.outcome.in_tokens;
    out_.out_tokens[i] = r.outcome.out_tokens;
    out_.seconds[i] = r.outcome.seconds;
  }

  void candidates(std::size_t i, const TicketView& t, const std::vector<std::int32_t>& map) {
    for (int j = 0; j < t.candidates(); ++j) {
      const CandidateView c = t.candidate(j);
      const std::size_t at = i * kMaxCandidates + static_cast<std::size_t>(j);
      if (c.arm >= 0) out_.arms[at] = map[static_cast<std::size_t>(c.arm)];
      out_.probabilities[at] = c.probability;
      out_.predicted_quality[at] = c.quality;
      out_.predicted_usd[at] = c.usd;
      out_.predicted_seconds[at] = c.seconds;
    }
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
