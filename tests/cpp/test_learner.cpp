// The router beside what was learned: nothing without outcomes, corrections with them, draws as stated, tickets that
// come back, and no allocation once warm.
#include <atomic>
#include <cmath>
#include <thread>

#include "allocations.hpp"
#include "snapshot.hpp"
#include "turnout/router.hpp"
#include "turnout/router/note.hpp"
#include "turnout/state/feedback.hpp"

using namespace turnout;
using trace::Decision;

namespace {

const Router& router() {
  static const Router r(planted::snapshot());
  return r;
}

struct School {
  std::shared_ptr<state::Memory> memory;
  std::shared_ptr<Learner> learner;
  Attachment attached;

  explicit School(const LearnerConfig& config = {}) {
    state::Config c;
    c.dim = config.features.dim(router().snapshot().difficulty->tables());
    c.space = "planted";
    c.replica = 7;
    memory = std::make_shared<state::Memory>(c);
    learner = std::make_shared<Learner>(memory, config);
    attached = attach(learner, router());
  }
  Request ask(std::string_view text = "prove it") const {
    Request request;
    request.text = text;
    request.value_usd = 1;
    request.learning = &attached;
    return request;
  }
};

Decision route(const Request& request) {
  const auto ws = router().workspace();
  Decision out;
  router().route(request, *ws, out);
  return out;
}

state::Outcome score(double s) {
  state::Outcome o;
  o.score = s;
  return o;
}

}  // namespace

TEST(offline_without_outcomes) {
  School school;
  for (const char* text : {"prove it", "a", "", "what is this"}) {
    Request plain = school.ask(text);
    plain.learning = nullptr;
    const Decision with = route(school.ask(text));
    CHECK(trace::equal(with, route(plain)));
    CHECK(with.candidate_count == 0 && with.propensity() == 1 && !with.learning);
  }
}

TEST(outcomes_move_what_they_are_about) {
  School school;
  const Decision before = route(school.ask());
  for (int i = 0; i < 60; ++i) {
    const Decision d = route(school.ask());
    for (int n = 0; n < d.node_count; ++n)
      CHECK(
          school.learner->report(d.ticket, n, score(d.nodes[n].llm == before.nodes[0].llm ? 0 : d.nodes[n].quality)) ==
          state::Receipt::accepted);
  }
  const Decision after = route(school.ask());
  CHECK(after.state_version == school.memory->version() && after.learning);
  for (const auto& a : before.alternatives)
    for (const auto& b : after.alternatives)
      if (&a - before.alternatives < before.alternative_count && &b - after.alternatives < after.alternative_count &&
          a.llm == b.llm && a.llm == before.nodes[0].llm)
        CHECK(b.quality < a.quality);
}

TEST(draws_are_as_stated) {
  LearnerConfig config;
  config.epsilon = 0.5;
  config.temperature = 0.5;
  School school(config);
  Request request = school.ask();
  double first = 0;
  int counts[kMaxCandidates] = {};
  constexpr int kDraws = 4000;
  Decision d;
  const auto ws = router().workspace();
  for (int i = 0; i < kDraws; ++i) {
    router().route(request, *ws, d);
    double sum = 0;
    for (int k = 0; k < d.candidate_count; ++k) sum += d.candidates[k].probability;
    CHECK(std::abs(sum - 1) < 1e-12);
    CHECK(d.draw == static_cast<std::uint64_t>(i));
    if (i == 0) first = d.candidates[0].probability;
    CHECK(first == d.candidates[0].probability);
    ++counts[d.chosen];
    CHECK(d.has(trace::Reason::explored) == (d.chosen > 0));
    if (d.chosen > 0) CHECK(d.node_count == 1 && d.nodes[0].llm == d.candidates[d.chosen].llm);
  }
  CHECK(d.candidate_count > 1);
  for (int k = 0; k < d.candidate_count; ++k) {
    const double p = d.candidates[k].probability;
    CHECK(std::abs(counts[k] - kDraws * p) < 5 * std::sqrt(kDraws * p * (1 - p)) + 1);
  }
}

TEST(a_batch_draws_what_its_rows_would) {
  LearnerConfig config;
  config.epsilon = 0.5;
  config.temperature = 0.5;
  School alone(config), together(config);
  const std::vector<std::string_view> texts(150, "prove it");
  std::vector<Decision> rows(texts.size());
  const auto ws = router().workspace();
  Request common = together.ask();
  common.text = {};
  common.draw = static_cast<std::int64_t>(together.learner->draws(texts.size()));
  router().route_batch(texts, common, *ws, rows.data());
  for (const Decision& row : rows) CHECK(trace::equal(row, route(alone.ask())));
}

TEST(notes_ask_the_same_again) {
  for (const Notes notes : {Notes::vectors, Notes::texts}) {
    LearnerConfig config;
    config.epsilon = 0.5;
    config.notes = notes;
    School school(config);
    Constraints rules;
    rules.denied.assign(router().snapshot().catalog.llms.size(), 0);
    rules.denied[0] = 1;
    Request request = school.ask();
    request.constraints = &rules;
    request.budget = Usd(0.5);
    const Decision d = route(request);
    const auto log = school.memory->take();
    CHECK(!log.empty());
    const std::span<const std::byte> part(log);
    const auto found = state::read_log({&part, 1}).notes;
    CHECK(found.size() == 1 && found[0].first == d.ticket);
    const Note note = read_note(found[0].second);
    CHECK(trace::equal(note.decision, d) && note.is_text == (notes == Notes::texts) && note.constraints);
    Request again = request_of(note);
    again.learning = &school.attached;
    Decision anew;
    const auto ws = router().workspace();
    router().decide(again, *ws, anew);
    anew.from_vector = d.from_vector;
    anew.kept_tokens = d.kept_tokens;
    CHECK(trace::equal(anew, d));
    for (std::size_t n = 0; n < found[0].second.size(); n += 7)
      CHECK(!check::message_of<Error>([&] { read_note(found[0].second.subspan(0, n)); }).empty());
  }
}

TEST(warm_decisions_allocate_nothing) {
  LearnerConfig config;
  config.epsilon = 0.3;
  School school(config);
  const auto ws = router().workspace();
  Decision d;
  const Request request = school.ask();
  for (int i = 0; i < 50; ++i) {
    router().route(request, *ws, d);
    school.learner->report(d.ticket, -1, score(0.5));
  }
  router().route(request, *ws, d);
  set_allocation_counter(allocations::count);
  const long before = allocations::count(), engines_before = engine_allocations();
  for (int i = 0; i < 50; ++i) router().route(request, *ws, d);
  CHECK(allocations::count() - before == engine_allocations() - engines_before);
  set_allocation_counter(nullptr);
}

TEST(many_threads_route_and_report) {
  School school;
  std::atomic<int> accepted{0};
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      const auto ws = router().workspace();
      Decision d;
      for (int i = 0; i < 200; ++i) {
        router().route(school.ask(), *ws, d);
        accepted += school.learner->report(d.ticket, 0, score(i % 2)) == state::Receipt::accepted;
      }
    });
  threads.clear();
  CHECK(accepted == 1600 && school.memory->version() == 1600);
}

TEST(wrong_settings_are_refused) {
  for (double LearnerConfig::* field :
       {&LearnerConfig::ridge, &LearnerConfig::temperature, &LearnerConfig::usd_prior}) {
    LearnerConfig config;
    config.*field = 0;
    CHECK(check::message_of<Error>([&] { School{config}; }).starts_with("learning."));
  }
}
