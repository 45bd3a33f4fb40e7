#include "turnout/router.hpp"

#include <algorithm>
#include <chrono>
#include <string>

#include "router/checks.hpp"
#include "router/stages.hpp"

namespace turnout {
namespace {

using trace::Decision;

// Writes the time since the last lap under a stage.
class Laps {
 public:
  explicit Laps(Decision& out) : out_(out), last_(Clock::now()) {}
  void lap(trace::Stage stage) {
    const auto now = Clock::now();
    out_.nanoseconds[stage] = std::chrono::duration_cast<std::chrono::nanoseconds>(now - last_).count();
    last_ = now;
  }

 private:
  using Clock = std::chrono::steady_clock;
  Decision& out_;
  Clock::time_point last_;
};

const capability::Filter& filter_of(const Request& in) {
  static const capability::Filter everything;
  return in.constraints ? in.constraints->filter : everything;
}

// The names that a reader of decisions needs.
void add_names(const Snapshot& s, trace::Names& names) {
  names.llms.clear(), names.capabilities.clear(), names.operators.clear(), names.roles.clear(),
      names.cut_points.clear();
  for (const auto& llm : s.catalog.llms) names.llms.push_back(llm.id);
  for (const auto& capability : s.catalog.capabilities) names.capabilities.push_back(capability.id);
  for (const auto& oper : s.catalog.operators) {
    names.operators.push_back(oper.id);
    names.roles.emplace_back();
    for (const auto& slot : oper.slots) names.roles.back().push_back(slot.role);
  }
  if (s.operators.depth_rule == operators::DepthRule::cut_points) names.cut_points = s.operators.cut_points;
}

template <class Room>
std::string dims_of(const Room& room) {
  const std::string dims = std::to_string(room.dim()) + " dimensions";
  return room.lexical() == 0 ? dims : dims + ", of which " + std::to_string(room.lexical()) + " are lexical scores";
}

// What a search without hits means: the filter let none pass, or those that passed were not relevant enough.
void note_withheld(const Snapshot& s, const Request& in, Decision& out) {
  if (out.tool_count == 0 && s.capability->passing(filter_of(in)) > 0)
    out.reasons |= trace::bit(trace::Reason::tools_withheld);
}

void check_snapshot(const Snapshot& s) {
  s.catalog.validate();
  operators::validate(s.operators, s.catalog.operators);
  if (s.embedder && dims_of(*s.embedder) != dims_of(*s.difficulty))
    throw Error(ErrorKind::config, "embedder",
                "'" + s.embedder->name() + "' gives " + dims_of(*s.embedder) + ", the difficulty network takes " +
                    dims_of(*s.difficulty));
  if (s.capability && s.capability->dim() != s.difficulty->unit_dim())
    throw Error(ErrorKind::config, "capability",
                "the index has " + std::to_string(s.capability->dim()) + " dimensions, expected " +
                    std::to_string(s.difficulty->unit_dim()));
  if (s.capability && s.capability->size() != static_cast<std::int64_t>(s.catalog.capabilities.size()))
    throw Error(ErrorKind::config, "capability",
                "the index holds " + std::to_string(s.capability->size()) + " vectors, the catalog " +
                    std::to_string(s.catalog.capabilities.size()) + " capabilities");
  for (std::size_t i = 0; i < s.catalog.llms.size(); ++i) {
    const auto given = s.catalog.llms[i].skill.size();
    if (given != 0 && given != static_cast<std::size_t>(s.difficulty->skills()))
      throw Error(ErrorKind::config, "pool.llms[" + std::to_string(i) + "].skill",
                  "expected " + std::to_string(s.difficulty->skills()) + " numbers, got " + std::to_string(given));
  }
}

}  // namespace

Router::Router(Snapshot snapshot) : snapshot_(std::move(snapshot)), tickets_(1) {
  if (!snapshot_.difficulty) throw Error(ErrorKind::config, "difficulty", "expected a model");
  check_snapshot(snapshot_);
  add_names(snapshot_, snapshot_.names);
  tables_ = make_tables(snapshot_);
}

Router::~Router() = default;

void Router::begin(const Request& in, Decision& out) const {
  out.ticket = tickets_.fetch_add(1, std::memory_order_relaxed);
  std::fill(std::begin(out.nanoseconds), std::end(out.nanoseconds), 0);
  out.reasons = 0;
  out.seed = in.sample ? in.seed : 0;
  out.value_usd = in.value_usd;
  out.usd_per_second = in.usd_per_second;
  out.budget = in.budget;
  out.max_seconds = in.max_seconds;
  out.statistic = in.statistic;
  out.max_calls = in.max_calls;
  out.max_tokens = in.max_tokens;
  out.on_account = false;
  out.pressure = 1;
  out.reservation = 0;
  out.from_vector = in.vector != nullptr;
  out.in_tokens = in.in_tokens;
  out.kept_tokens = 0;
  out.tool_count = 0;
  out.state_version = 0;
  out.draw = 0;
  if (out.from_vector && in.in_tokens < 0) out.reasons |= trace::bit(trace::Reason::no_in_tokens);
}

void Router::route(const Request& in, Workspace& ws, Decision& out) const {
  decide(in, ws, out);
  remember(in, ws, out);
}

void Router::decide(const Request& in, Workspace& ws, Decision& out) const {
  check_request(in, snapshot_, ws.owner == this);
  begin(in, out);
  Laps laps(out);
  const float* x = in.vector;
  if (x != nullptr) {
    check_vector(x, unit_dim(), dim(), in.row);
  } else {
    check_text(in.text, in.row);
    stages::embed(snapshot_, in, ws.embed, ws.vectors.data(), out);
    x = ws.vectors.data();
  }
  ws.x = x;
  laps.lap(trace::embed);

  difficulty::Assessment assessment;
  if (out.has(trace::Reason::no_text))
    assessment = snapshot_.difficulty->mean();
  else
    snapshot_.difficulty->assess(x, ws.difficulty, assessment);
  laps.lap(trace::difficulty);

  if (snapshot_.capability && in.tools > 0 && !out.has(trace::Reason::no_text)) {
    out.tool_count = snapshot_.capability->search(x, in.tools, filter_of(in), ws.capability, out.tools);
    note_withheld(snapshot_, in, out);
  }
  laps.lap(trace::capability);

  finish(in, ws, assessment, out);
}

void Router::finish(const Request& in, Workspace& ws, const difficulty::Assessment& a, Decision& out) const {
  Laps laps(out);
  stages::Context context(snapshot_, *tables_, in, ws, out);
  difficulty::Assessment assessment = a;
  stages::assess(context, assessment);
  predict(assessment, ws.quality.data());
  stages::learned(context, assessment);
  stages::conditions(context);
  stages::rules(context);
  stages::allocate(context);
  laps.lap(trace::operators);
  stages::assign(context);
  laps.lap(trace::assign);
  stages::plan(context);
  stages::rank_alternatives(context);
  stages::explore(context);
  laps.lap(trace::plan);
}

void Router::remember(const Request& in, Workspace& ws, Decision& out) const {
  stages::Context context(snapshot_, *tables_, in, ws, out);
  stages::remember(context);
}

void Router::route_batch(std::span<const std::string_view> texts, const Request& common, Workspace& ws,
                         Decision* out) const {
  const std::size_t width = static_cast<std::size_t>(dim());
  check_request(common, snapshot_, ws.owner == this);
  const int first = std::max(0, common.row);
  for (std::size_t i = 0; i < texts.size(); ++i) check_text(texts[i], first + static_cast<int>(i));
  for (std::size_t start = 0; start < texts.size(); start += kMaxBatch) {
    const std::size_t n = std::min<std::size_t>(kMaxBatch, texts.size() - start);
    if (ws.vectors.size() < n * width) ws.vectors.resize(n * width);
    Request in = common;
    in.vector = nullptr;
    for (std::size_t i = 0; i < n; ++i) {
      in.text = texts[start + i];
      begin(in, out[start + i]);
      stages::embed(snapshot_, in, ws.embed, ws.vectors.data() + i * width, out[start + i]);
    }
    in = common;
    if (common.draw >= 0) in.draw = common.draw + static_cast<std::int64_t>(start);
    chunk(ws.vectors.data(), static_cast<int>(n), texts.data() + start, in, ws, out + start);
  }
}

void Router::route_batch(const float* vectors, int n, const Request& common, Workspace& ws, Decision* out) const {
  check_request(common, snapshot_, ws.owner == this);
  Request in = common;
  const int first = std::max(0, common.row);
  for (int i = 0; i < n; ++i)
    check_vector(vectors + static_cast<std::ptrdiff_t>(i) * dim(), unit_dim(), dim(), first + i);
  for (int start = 0; start < n; start += kMaxBatch) {
    const float* rows = vectors + static_cast<std::ptrdiff_t>(start) * dim();
    const int count = std::min(kMaxBatch, n - start);
    in.vector = rows;
    for (int i = 0; i < count; ++i) begin(in, out[start + i]);
    if (common.draw >= 0) in.draw = common.draw + start;
    chunk(rows, count, nullptr, in, ws, out + start);
  }
}

// The rows without their lexical scores, one after the other.
const float* Router::unit_vectors(const float* x, int n, Workspace& ws) const {
  const int width = dim(), unit = unit_dim();
  if (unit == width) return x;
  ws.units.resize(static_cast<std::size_t>(n) * static_cast<std::size_t>(unit));
  for (int i = 0; i < n; ++i) std::copy_n(x + i * width, unit, ws.units.data() + i * unit);
  return ws.units.data();
}

void Router::chunk(const float* x, int n, const std::string_view* texts, const Request& common, Workspace& ws,
                   Decision* out) const {
  ws.assessments.resize(static_cast<std::size_t>(n));
  snapshot_.difficulty->assess(x, n, ws.difficulty, ws.assessments.data());
  const bool tools = snapshot_.capability && common.tools > 0;
  if (tools) {
    ws.hits.resize(static_cast<std::size_t>(n * common.tools));
    ws.hit_counts.resize(static_cast<std::size_t>(n));
    snapshot_.capability->search(unit_vectors(x, n, ws), n, common.tools, filter_of(common), ws.capability,
                                 ws.hits.data(), ws.hit_counts.data());
  }
  for (int i = 0; i < n; ++i) {
    const bool empty = out[i].has(trace::Reason::no_text);
    if (tools && !empty) {
      out[i].tool_count = ws.hit_counts[static_cast<std::size_t>(i)];
      std::copy_n(ws.hits.data() + i * common.tools, out[i].tool_count, out[i].tools);
      note_withheld(snapshot_, common, out[i]);
    }
    Request in = common;
    if (common.draw >= 0) in.draw = common.draw + i;
    if (texts != nullptr) in.text = texts[i];
    ws.x = x + static_cast<std::ptrdiff_t>(i) * dim();
    finish(in, ws, empty ? snapshot_.difficulty->mean() : ws.assessments[static_cast<std::size_t>(i)], out[i]);
    remember(in, ws, out[i]);
  }
}

}  // namespace turnout
