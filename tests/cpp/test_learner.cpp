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

TEST(a_decision_without_a_plan_is_the_offline_one) {
  School school;
  Constraints nobody;
  nobody.denied.assign(router().snapshot().catalog.llms.size(), 1);
  Request request = school.ask();
  request.constraints = &nobody;
  Request plain = request;
  plain.learning = nullptr;
  const Decision with = route(request);
  CHECK(with.node_count == 0 && trace::equal(with, route(plain)));
}

TEST(telemetry_without_outcomes_gives_the_offline_decision) {
  School school;
  std::vector<trace::Condition> sick(router().snapshot().catalog.llms.size());
  for (auto& c : sick) c.health = 0.7;
  Request request = school.ask();
  request.conditions = sick;
  Request plain = request;
  plain.learning = nullptr;
  const Decision with = route(request);
  CHECK(trace::equal(with, route(plain)));
  CHECK(with.prior > with.quality);  // what the outcome model says of an LLM that is well
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

TEST(a_worth_too_small_to_weigh_by_draws_nothing) {
  LearnerConfig config;
  config.epsilon = 0.5;
  School school(config);
  Request request = school.ask();
  request.value_usd = std::numeric_limits<double>::denorm_min();
  CHECK(route(request).propensity() == 1);
}

// A plan that begins with an operator of several slots, where the one of single calls is disabled.
TEST(no_draw_uses_a_disabled_operator) {
  LearnerConfig config;
  config.epsilon = 1;
  config.temperature = 1e3;
  School school(config);
  const auto& operators = router().snapshot().catalog.operators;
  int several = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Constraints rules;
    for (const auto& oper : operators) rules.disabled.push_back(oper.slots.size() == 1);
    Request request = school.ask();
    request.constraints = &rules;
    const Decision d = route(request);
    several += d.feasible();
    for (const auto& node : d.plan_nodes()) CHECK(rules.disabled[node.oper] == 0);
  }
  CHECK(several == 200);
}

TEST(a_share_of_what_was_spent_bounds_draws_and_is_noted) {
  LearnerConfig config;
  config.epsilon = 1;
  config.temperature = 1e3;
  config.budget_share = 0.3;
  config.notes = Notes::vectors;
  School school(config);
  std::vector<Decision> decisions;
  for (int i = 0; i < 200; ++i) decisions.push_back(route(school.ask()));
  bool same = true;
  for (const Decision& d : decisions) same &= d.candidate_count == decisions[0].candidate_count;
  CHECK(!same);  // the list depends on what was spent
  const auto log = school.memory->take();
  const std::span<const std::byte> part(log);
  School anew(config);
  const auto ws = router().workspace();
  std::size_t i = 0;
  for (const auto& [ticket, bytes] : state::read_log({&part, 1}).notes) {
    const Note note = read_note(bytes);
    Request request = request_of(note, router().dim());
    request.learning = &anew.attached;
    Decision again;
    router().decide(request, *ws, again);
    CHECK(again.candidate_count == decisions[i].candidate_count && again.chosen == decisions[i].chosen);
    CHECK(again.propensity() == decisions[i++].propensity());
  }
  CHECK(i == decisions.size());
}

TEST(probes_come_back_when_every_llm_is_dead) {
  School school;
  const auto answer = [&](const Decision& d) { school.learner->report(d.ticket, -1, score(0)); };
  const auto conditions = [&](std::vector<trace::Condition>& of) {
    of.assign(school.attached.arms.size(), {});
    return school.learner->suspend(school.attached.arms, true, of);
  };
  std::vector<trace::Condition> now;
  Constraints rules;
  rules.allowed.assign(school.attached.arms.size(), 0);
  rules.allowed[0] = 1;
  Request request = school.ask();
  request.constraints = &rules;
  request.max_calls = 1;
  for (int i = 0; i < 200 && !school.learner->suspends(); ++i) answer(route(request));
  CHECK(school.learner->suspends());
  for (int i = 0; i < 99; ++i) {
    CHECK(conditions(now));
    request.conditions = now;
    CHECK(route(request).node_count == 0);
  }
  route(request);
  CHECK(!conditions(now));  // a probe is due
}

TEST(a_model_is_of_the_version_that_it_says) {
  constexpr int kOutcomes = 20000;
  School live, later;
  std::vector<std::uint64_t> tickets, again;
  const auto outcome = [](int i) { return score((i * 37 % 11) / 10.0); };
  Request request = live.ask();
  request.max_calls = 1;
  const auto ws = router().workspace();
  Decision d;
  for (int i = 0; i < kOutcomes; ++i) {
    request.learning = &live.attached;
    router().route(request, *ws, d);
    tickets.push_back(d.ticket);
    request.learning = &later.attached;
    router().route(request, *ws, d);
    again.push_back(d.ticket);
  }
  // One outcome for each look at the model at most, at any moment of it.
  std::atomic<int> looks{0};
  std::atomic<bool> done{false};
  std::jthread reporter([&] {
    for (int i = 0; i < kOutcomes; ++i) {
      const int before = looks;
      live.learner->report(tickets[static_cast<std::size_t>(i)], 0, outcome(i));
      while (looks == before) std::this_thread::yield();
    }
    done = true;
  });
  std::vector<std::shared_ptr<const Learner::Model>> seen;
  for (; !done; ++looks) {
    auto model = live.learner->model();
    if (seen.empty() || seen.back()->version != model->version) seen.push_back(std::move(model));
  }
  int reported = 0;
  for (const auto& model : seen) {
    for (; later.memory->version() < model->version; ++reported)
      later.learner->report(again[static_cast<std::size_t>(reported)], 0, outcome(reported));
    const auto expected = later.learner->model();
    CHECK(model->version == expected->version && model->arms.size() == expected->arms.size());
    for (std::size_t m = 0; m < model->arms.size(); ++m) {
      CHECK((model->arms[m] == nullptr) == (expected->arms[m] == nullptr));
      if (model->arms[m]) CHECK(model->arms[m]->weight == expected->arms[m]->weight);
    }
  }
}

TEST(a_learner_without_a_router_takes_outcomes) {
  School school;
  const Decision d = route(school.ask());
  Learner other(school.memory, {});
  CHECK(other.report(d.ticket, 0, score(1)) == state::Receipt::accepted);
}

TEST(the_longest_text_is_noted) {
  LearnerConfig config;
  config.notes = Notes::texts;
  School school(config);
  const std::string text(kMaxTextBytes, 'a');
  CHECK(route(school.ask(text)).ticket != 0);
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
    Request again = request_of(note, router().dim());
    again.learning = &school.attached;
    Decision anew;
    const auto ws = router().workspace();
    router().decide(again, *ws, anew);
    anew.from_vector = d.from_vector;
    anew.kept_tokens = d.kept_tokens;
    CHECK(trace::equal(anew, d));
    CHECK(notes == Notes::texts || check::message_of<Error>([&] { request_of(note, 3); }).starts_with("note: "));
    CHECK(note.names.roles.size() == router().snapshot().catalog.operators.size());
    for (std::size_t i = 0; i + 4 <= 600; ++i) {  // a huge number anywhere: an error, or another decision
      std::vector<std::byte> broken(found[0].second.begin(), found[0].second.end());
      std::fill_n(broken.begin() + static_cast<std::ptrdiff_t>(i), 4, std::byte{0xff});
      try {
        const Note other = read_note(broken);
        trace::check_names(other.decision, other.names);
      } catch (const Error&) {
      }
    }
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
