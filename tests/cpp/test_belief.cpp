// Bayesian decisions and the next step: a1's tests, brute force over hypotheses, limits, refusals, no allocation.
#include "turnout/belief.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "allocations.hpp"
#include "check.hpp"
#include "turnout/core/rng.hpp"

using namespace turnout;
using namespace turnout::belief;

namespace {

using Numbers = std::vector<double>;
using Llms = std::vector<Llm>;
using Answers = std::vector<Answer>;
constexpr double kInf = std::numeric_limits<double>::infinity(), kNan = std::numeric_limits<double>::quiet_NaN();

// Hiring (Bayesian orchestration): to reject a good one costs 40,000, to interview a bad one 2,500, to screen 150.
const Numbers kLoss = {0, 40000, 2500, 0, 150, 150};  // reject, interview, screen; in states bad, good

Numbers distribution(Philox& rng, std::size_t n) {
  Numbers p(n);
  for (double& x : p) x = 0.01 + rng.uniform();
  const double sum = std::accumulate(p.begin(), p.end(), 0.0);
  for (double& x : p) x /= sum;
  return p;
}

Llms random_llms(Philox& rng, int n) {
  Llms llms;
  for (int i = 0; i < n; ++i) llms.push_back({rng.uniform(), 0.01 * rng.uniform(), rng.uniform(), true, 1 + i % 2});
  return llms;
}

Answers random_answers(Philox& rng, int llms, int n) {
  Answers out;
  int classes = 0;
  for (int i = 0; i < n; ++i) {
    Answer a;
    a.llm = static_cast<std::int32_t>(rng.uniform() * llms);
    a.answer = static_cast<std::int32_t>(rng.uniform() * std::min(classes + 1, 5));
    if (rng.uniform() < 0.2) a.score = rng.uniform();
    classes = std::max(classes, a.answer + 1);
    out.push_back(a);
  }
  return out;
}

Numbers posterior(const Llms& llms, const Answers& answers, const AnswerModel& model = {}) {
  int classes = 0;
  for (const Answer& a : answers) classes = std::max(classes, a.answer + 1);
  Numbers out(static_cast<std::size_t>(classes) + 1);
  answer_posterior(llms, answers, model, out);
  return out;
}

Step ask(const Llms& llms, const Answers& answers, double value_usd, int depth = 2, const Left& left = {},
         double wrong_usd = 0) {
  Question q;
  q.llms = llms;
  q.answers = answers;
  q.value_usd = value_usd;
  q.wrong_usd = wrong_usd;
  q.left = left;
  q.depth = depth;
  return next(q);
}

}  // namespace

// States -------------------------------------------------------------------------------------------------------------

TEST(the_action_changes_at_the_analytic_probabilities) {
  const Numbers two(kLoss.begin(), kLoss.begin() + 4);
  const double star = 2500.0 / 42500, low = 150.0 / 40000, high = 1 - 150.0 / 2500;
  const auto action = [](double p, const Numbers& loss) { return act(Numbers{1 - p, p}, loss).action; };
  CHECK(action(star - 1e-9, two) == 0 && action(star + 1e-9, two) == 1);
  CHECK(action(low - 1e-9, kLoss) == 0 && action(low + 1e-9, kLoss) == 2);
  CHECK(action(high - 1e-9, kLoss) == 2 && action(high + 1e-9, kLoss) == 1);
  CHECK_NEAR(act(Numbers{0.5, 0.5}, two).loss, 1250, 1e-9);
  CHECK(act(Numbers{0.5, 0.5}, Numbers{1, 1, 1, 1}).action == 0);  // the first of equal ones
}

TEST(the_order_of_evidence_does_not_matter) {
  Philox rng(1);
  for (int trial = 0; trial < 200; ++trial) {
    Belief forward(Numbers{0.2, 0.3, 0.5}), backward(Numbers{0.2, 0.3, 0.5});
    std::vector<Numbers> evidence(20);
    for (Numbers& e : evidence) e = {4 * rng.uniform() - 2, 4 * rng.uniform() - 2, 4 * rng.uniform() - 2};
    for (const Numbers& e : evidence) forward.update(e, 0.7);
    std::reverse(evidence.begin(), evidence.end());
    std::swap(evidence[3], evidence[11]);
    for (const Numbers& e : evidence) backward.update(e, 0.7);
    Numbers a(3), b(3);
    forward.probabilities(a);
    backward.probabilities(b);
    for (std::size_t s = 0; s < 3; ++s) CHECK_NEAR(a[s], b[s], 1e-12);
  }
}

TEST(one_liar_of_five_does_not_flip_the_median) {
  const Numbers honest = {2, 8, 1, 9, 3, 7, 2, 9};
  for (const double lie : {0.0, 10.0, 1e6}) {
    Numbers ratings = honest;
    ratings.insert(ratings.end(), {lie, 0});
    for (const Aggregate rule : {Aggregate::median, Aggregate::trimmed_mean}) {
      Numbers scratch(10), out(2), p(2);
      log_likelihoods(ratings, rule, 0.2, scratch, out);
      Belief belief(Numbers{0.5, 0.5});
      belief.update(out);
      belief.probabilities(p);
      CHECK(p[1] > 0.6);
    }
  }
  Numbers scratch(2), out(2);
  log_likelihoods(Numbers{2, 7}, Aggregate::median, 0, scratch, out);
  CHECK_NEAR(out[1] - out[0], std::log(7.5 / 2.5), 1e-15);
}

TEST(information_is_never_worth_less_than_nothing) {
  Philox rng(2);
  int idle = 0;
  for (int trial = 0; trial < 5000; ++trial) {
    const std::size_t states = 2 + static_cast<std::size_t>(trial % 3), outcomes = 2, actions = 3;
    const Numbers p = distribution(rng, states);
    Numbers loss(actions * states), likelihood(outcomes * states);
    for (double& l : loss) l = rng.uniform();
    for (std::size_t s = 0; s < states; ++s) likelihood[s] = rng.uniform(), likelihood[states + s] = 1 - likelihood[s];
    const double voi = value_of_information(p, loss, likelihood);
    CHECK(voi >= 0);
    bool changes = false;
    for (std::size_t o = 0; o < outcomes; ++o) {
      Numbers then(states);
      for (std::size_t s = 0; s < states; ++s) then[s] = p[s] * likelihood[o * states + s];
      const double sum = std::accumulate(then.begin(), then.end(), 0.0);
      for (double& x : then) x /= sum;
      changes |= act(then, loss).action != act(p, loss).action;
    }
    if (!changes) CHECK(voi == 0);
    idle += !changes;
  }
  CHECK(idle > 500 && idle < 4900);
  // Perfect information on the hiring: it saves what the best action loses.
  CHECK_NEAR(value_of_information(Numbers{0.5, 0.5}, kLoss, Numbers{1, 0, 0, 1}), 150, 1e-9);
}

TEST(what_is_no_belief_is_refused) {
  CHECK_ERROR(Belief(Numbers{0.5, 0.6}), ErrorKind::input, "prior");
  CHECK_ERROR(Belief(Numbers{0, 1}), ErrorKind::input, "prior[0]");
  CHECK_ERROR(Belief(Numbers{1}), ErrorKind::input, "prior");
  Belief belief(Numbers{0.25, 0.75});
  CHECK_ERROR(belief.update(Numbers{1}), ErrorKind::input, "log_likelihood");
  CHECK_ERROR(belief.update(Numbers{1, kNan}), ErrorKind::input, "log_likelihood[1]");
  CHECK_ERROR(belief.update(Numbers{1, 1}, -1), ErrorKind::input, "alpha");
  Numbers p(2), scratch(2);
  belief.probabilities(p);
  CHECK_NEAR(p[0], 0.25, 1e-15);
  CHECK_ERROR(act(Numbers{0.5, 0.5}, Numbers{1, 2, 3}), ErrorKind::input, "loss");
  CHECK_ERROR(act(Numbers{0.5, 0.5}, Numbers{1, kInf}), ErrorKind::input, "loss[0]");
  CHECK_ERROR(value_of_information(Numbers{0.5, 0.5}, kLoss, Numbers{0.5, 0.5}), ErrorKind::input, "likelihood");
  CHECK_ERROR(log_likelihoods(Numbers{-1, 0}, Aggregate::median, 0, scratch, p), ErrorKind::input, "ratings[0]");
}

// Answers ------------------------------------------------------------------------------------------------------------

TEST(one_answer_is_right_with_its_llms_probability) {
  for (const double p : {0.001, 0.1, 0.5, 0.77, 0.999}) {
    const Numbers found = posterior({{p}}, {{0, 0}});
    CHECK_NEAR(found[0], p, 1e-12);
    CHECK_NEAR(found[0] + found[1], 1, 1e-12);
  }
  CHECK((posterior({{0.5}}, {}) == Numbers{1}));
}

// By hand: two answers, no shift, no trap, four others.
TEST(two_answers_by_bayes_rule) {
  const AnswerModel plain{4, 0, 0, 0, 0, 0};
  const double p = 0.6, r = 0.7, a = p * r, b = (1 - p) * (1 - r) / 4;
  const Numbers alike = posterior({{p}, {r}}, {{0, 0}, {1, 0}}, plain);
  CHECK_NEAR(alike[0], a / (a + b), 1e-12);
  const double first = p * (1 - r) / 4, second = (1 - p) / 4 * r, none = 3 * (1 - p) / 4 * (1 - r) / 4;
  const Numbers differ = posterior({{p}, {r}}, {{0, 0}, {1, 1}}, plain);
  CHECK_NEAR(differ[0], first / (first + second + none), 1e-12);
  CHECK_NEAR(differ[1], second / (first + second + none), 1e-12);
}

TEST(a_trap_and_a_shift_make_agreement_say_less) {
  const auto agreed = [](const AnswerModel& m) { return posterior({{0.5}, {0.5}}, {{0, 0}, {1, 0}}, m)[0]; };
  const double plain = agreed({9, 0, 0, 0}), trap = agreed({9, 0.5, 0, 0}), abler = agreed({9, 0.5, 0.4, 0});
  CHECK(plain > trap && trap > abler && abler > 0.5);
}

TEST(posteriors_do_not_depend_on_the_order_of_answers) {
  Philox rng(3);
  for (int trial = 0; trial < 300; ++trial) {
    const Llms llms = random_llms(rng, 5);
    Answers answers = random_answers(rng, 5, 8);
    answers[0].answer = 0;
    const Numbers before = posterior(llms, answers);
    std::rotate(answers.begin(), answers.begin() + 3, answers.end());
    std::swap(answers[1], answers[6]);
    const Numbers after = posterior(llms, answers);
    for (std::size_t k = 0; k < before.size(); ++k) CHECK_NEAR(before[k], after[k], 1e-12);
    CHECK_NEAR(std::accumulate(after.begin(), after.end(), 0.0), 1, 1e-12);
  }
}

TEST(a_sample_is_one_vote_and_further_samples_are_worth_less) {
  const Llms llms = {{0.6, 0, 0, true, 3}, {0.6}};
  const Numbers once = posterior(llms, {{0, 0, 7}});
  CHECK((posterior(llms, {{0, 0, 7}, {0, 0, 7}, {0, 0, 7}}) == once));
  CHECK((posterior(llms, {{0, 0, 7}, {0, 0, 8, true}}) == once));  // reused: another of this LLM counts
  CHECK((posterior(llms, {{0, 0, 8, true}}) == once));
  const double again = posterior(llms, {{0, 0, 7}, {0, 0, 8}})[0], other = posterior(llms, {{0, 0, 7}, {1, 0, 7}})[0];
  CHECK(again > once[0] && again < other);
  CHECK_ERROR(posterior(llms, {{0, 0, 7}, {0, 1, 7}}), ErrorKind::input, "answers[1].answer");
}

TEST(a_judge_speaks_in_odds) {
  const auto judged = [](double score) { return posterior({{0.5}}, {{0, 0, consensus::kOwnSample, false, score}})[0]; };
  CHECK_NEAR(judged(0.5), 0.5, 1e-12);
  CHECK_NEAR(judged(0.9), 0.9, 1e-12);
  CHECK_NEAR(judged(0), 0.001, 1e-12);  // no score decides alone
  CHECK_NEAR(judged(kNan), 0.5, 1e-12);
}

// The next step ------------------------------------------------------------------------------------------------------

TEST(the_first_call_is_the_one_of_the_largest_utility) {
  const Llms llms = {{0.5, 0.001}, {0.8, 0.01}, {0.7, 0.02}};
  const Step cheap = ask(llms, {}, 0.01, 1), dear = ask(llms, {}, 1, 1);
  CHECK(cheap.llm == 0 && cheap.action == Action::probe && cheap.reason == Reason::unanswered);
  CHECK_NEAR(cheap.voi, 0.005, 1e-12);
  CHECK(dear.llm == 1 && dear.cost == 0.01 && dear.answer == -1 && dear.votes == 0);
  const Step never = ask(llms, {}, 1e-4, 1);
  CHECK(never.action == Action::stop && never.reason == Reason::not_worth_it && never.abstain);
}

TEST(looking_ahead_starts_cheap) {
  Philox rng(6);
  int cheaper = 0;
  for (int trial = 0; trial < 400; ++trial) {
    const Llms llms = {{0.3 + 0.3 * rng.uniform(), 0.001}, {0.5 + 0.2 * rng.uniform(), 0.003}, {0.85, 0.06}};
    const double value = std::exp(3 * rng.uniform() - 1);
    Question q;
    q.llms = llms;
    q.value_usd = value;
    q.model = {9, 0, 0, 0};
    q.depth = 1;
    const double near = next(q).cost;
    q.depth = 3;
    cheaper += next(q).cost < near;
  }
  CHECK(cheaper > 200);
}

TEST(actions_and_reasons) {
  const Llms llms = {{0.6, 0.001}, {0.8, 0.01}, {0.3, 0.001}};
  const Step unsure = ask(llms, {{0, 0}}, 1);
  CHECK(unsure.action == Action::escalate && unsure.llm == 1 && unsure.reason == Reason::unsure);
  CHECK(unsure.answer == 0 && unsure.sigma == 0 && unsure.votes == 1 && !unsure.abstain);
  const Step failed = ask(llms, {{1, consensus::kNoAnswer}}, 1, 1);
  CHECK(failed.action == Action::retry && failed.reason == Reason::call_failed && failed.llm == 0);
  const Step differ = ask({{0.6, 0.001}, {0.6, 0.001}, {0.6, 0.001}}, {{0, 0}, {1, 1}}, 1);
  CHECK(differ.action == Action::probe && differ.reason == Reason::disagreed && differ.sigma == 1 && differ.llm == 2);
  const Step agreed = ask({{0.9, 0.001}, {0.9, 0.001}, {0.2, 0.001}}, {{0, 0}, {1, 0}}, 1);
  CHECK(agreed.action == Action::stop && agreed.reason == Reason::agreed && agreed.voi == 0 && agreed.llm == -1);
  CHECK(ask({{0.9, 0.001}, {0.2, 0.001}}, {{0, 0}}, 1).reason == Reason::confident);
  CHECK(ask(llms, {{0, 0}}, 0.001).reason == Reason::not_worth_it);
  CHECK(ask(llms, {{0, 0}, {1, 1}, {2, 2}}, 1).reason == Reason::no_llm_left);
  CHECK(ask({{0.6, 0.001}, {0.9, 0.01, 0, false}}, {{0, 0}}, 1).reason == Reason::no_llm_left);
}

TEST(equal_calls_go_to_the_cheaper_then_to_the_first) {
  CHECK(ask({{0.5, 0.01}, {0.5, 0.01}}, {}, 1).llm == 0);
  CHECK(ask({{0.5, 0.02}, {0.5, 0.01}}, {}, 1).llm == 1);
  CHECK(ask({{0.7, 1}, {0.7, 1}}, {{0, 0}, {1, 1}}, 1).answer == 0);
  CHECK(ask({{0.7, 1}, {0.71, 1}}, {{0, 0}, {1, 1}}, 1).answer == 1);
}

TEST(abstaining_is_advised_where_a_wrong_answer_costs_more) {
  CHECK(!ask({{0.4, 1}}, {{0, 0}}, 1).abstain);
  CHECK(ask({{0.4, 1}}, {{0, 0}}, 1, 2, {}, 0.7).abstain);
  CHECK(!ask({{0.4, 1}}, {{0, 0}}, 1, 2, {}, 0.6).abstain);
  CHECK(ask({{0.4, 1}}, {}, 0.1).abstain);
}

// Runs end, never beyond what is left.
TEST(no_run_goes_beyond_its_budget) {
  Philox rng(4);
  int refused = 0, ended = 0;
  for (int trial = 0; trial < 400; ++trial) {
    const Llms llms = random_llms(rng, 6);
    const Left all{0.03 * rng.uniform(), 3 * rng.uniform(), 1 + std::floor(4 * rng.uniform())};
    Left left = all;
    Answers answers;
    for (int step = 0; step <= 12; ++step) {
      const Step s = ask(llms, answers, 0.5, 1 + trial % 2, left);
      CHECK(s.voi >= 0 && s.posterior >= 0 && s.posterior <= 1 + 1e-12);
      if (s.llm < 0) {
        refused += s.reason == Reason::no_budget;
        ++ended;
        break;
      }
      const Llm& m = llms[static_cast<std::size_t>(s.llm)];
      left = {left.usd - m.usd, left.seconds - m.seconds, left.calls - 1};
      CHECK(left.usd >= 0 && left.seconds >= 0 && left.calls >= 0);
      const int classes = s.votes == 0 ? 0 : 1 + std::max_element(answers.begin(), answers.end(), [](auto& a, auto& b) {
                                                   return a.answer < b.answer;
                                                 })->answer;
      answers.push_back({s.llm, static_cast<std::int32_t>(rng.uniform() * std::min(classes + 1, 10))});
    }
  }
  CHECK(ended == 400 && refused > 100);
}

TEST(looking_ahead_is_never_worth_less_and_steps_repeat) {
  Philox rng(5);
  for (int trial = 0; trial < 400; ++trial) {
    const Llms llms = random_llms(rng, 1 + trial % 9);
    const Answers answers = random_answers(rng, static_cast<int>(llms.size()), trial % 5);
    const Step one = ask(llms, answers, 0.1, 1), two = ask(llms, answers, 0.1, 2), again = ask(llms, answers, 0.1, 2);
    CHECK(two.voi - two.cost >= one.voi - one.cost - 1e-12);
    CHECK(two.llm == again.llm && two.voi == again.voi && two.posterior == again.posterior);
  }
}

TEST(what_is_no_question_is_refused) {
  const Llms llms = {{0.5, 0.1}};
  CHECK_ERROR(ask({{1.5}}, {}, 1), ErrorKind::input, "llms[0].p_correct");
  CHECK_ERROR(ask({{0.5, -1}}, {}, 1), ErrorKind::input, "llms[0].usd");
  CHECK_ERROR(ask({{0.5, 1, kNan}}, {}, 1), ErrorKind::input, "llms[0].seconds");
  CHECK_ERROR(ask({{0.5, 1, 1, true, 0}}, {}, 1), ErrorKind::input, "llms[0].samples");
  CHECK_ERROR(ask(Llms(257, {0.5}), {}, 1), ErrorKind::input, "llms");
  CHECK_ERROR(ask(llms, {{1, 0}}, 1), ErrorKind::input, "answers[0].llm");
  CHECK_ERROR(ask(llms, {{0, kMaxDistinct}}, 1), ErrorKind::input, "answers[0].answer");
  CHECK_ERROR(ask(llms, {{0, 0, 1, false, 2}}, 1), ErrorKind::input, "answers[0].score");
  CHECK_ERROR(ask(llms, Answers(65, {0, 0}), 1), ErrorKind::input, "answers");
  CHECK_ERROR(ask(llms, {}, -1), ErrorKind::input, "value_usd");
  CHECK_ERROR(ask(llms, {}, 1, 4), ErrorKind::input, "depth");
  CHECK_ERROR(ask(llms, {}, 1, 2, {kNan}), ErrorKind::input, "left.usd");
  CHECK_ERROR(posterior(llms, {}, {0}), ErrorKind::config, "model.others");
  CHECK_ERROR(posterior(llms, {}, {9, 0.6, 0.5}), ErrorKind::config, "model.common_gain");
  CHECK_ERROR(posterior(llms, {}, {9, 0.25, 0.75}), ErrorKind::config, "model.common_gain");
  CHECK_ERROR(posterior(llms, {}, {9, 1, 0}), ErrorKind::config, "model.common");
  CHECK_ERROR(posterior(llms, {}, {9, 0.5, 0.4, 1, 1}), ErrorKind::config, "model.rho");
}

TEST(answers_that_all_differ_leave_a_posterior_at_the_edges_of_the_model) {
  const Llms llms = {{0, 1}, {1, 1}, {0.5, 1}, {1e-9, 1}, {1, 1}};
  for (const double common : {0.0, 0.999})
    for (const double rho : {0.0, 0.999})
      for (const double spread : {0.0, 5.0})
        for (const int others : {1, 1'000'000}) {
          const auto p =
              posterior(llms, {{0, 0}, {1, 1}, {2, 2}, {3, 3}, {4, 4}}, {others, common, 0, spread, rho, 10});
          double sum = 0;
          for (const double x : p) sum += x;
          CHECK_NEAR(sum, 1, 1e-9);
        }
}

TEST(the_most_answers_fit) {
  Llms llms(256, {0.5, 0.01, 0, true, 64});
  Answers answers;
  for (int i = 0; i < kMaxAnswers; ++i) answers.push_back({i % 7, i % kMaxDistinct});
  const Step step = ask(llms, answers, 1, 3);
  CHECK(step.votes == kMaxAnswers && std::isfinite(step.posterior) && std::isfinite(step.voi));
  const Numbers found = posterior(Llms(64, {1.0}), {{0, 0}, {1, 0}, {2, 1}, {3, 1}, {4, 1}});
  CHECK(std::isfinite(found[0]) && found[1] > found[0]);
}

// Policies -----------------------------------------------------------------------------------------------------------

TEST(plain_policies) {
  Numbers counts(4);
  using Classes = std::vector<std::int32_t>;
  CHECK(models_to_ask(Classes{2, 2, 2}, counts) == 1 && models_to_ask(Classes{2, 0, 2}, counts) == 2);
  CHECK(accept(0.8, 0.8, false) && !accept(0.79, 0.8, false) && accept(0, 0.8, true));
  CHECK_ERROR(accept(kNan, 0.8, true), ErrorKind::input, "confidence");
  CHECK_ERROR(accept(0.5, 1.1, true), ErrorKind::input, "threshold");
  CHECK(act_alone(Classes{1, 1, 1}, Student::all, counts) && !act_alone(Classes{1, 1, 2}, Student::all, counts));
  CHECK(act_alone(Classes{1, 1, 2}, Student::plurality, counts));
  CHECK(!act_alone(Classes{1, 1, 2, 3}, Student::plurality, counts) && !act_alone(Classes{}, Student::all, counts));
  CHECK(!act_alone(Classes{1, 1, -1}, Student::all, counts));
  CHECK(break_even(29.5, 0.035) == 29.5 / 0.035 && break_even(1, 0) == kInf && break_even(1, -1) == kInf);
  CHECK_ERROR(break_even(-1, 1), ErrorKind::input, "upfront_usd");
}

TEST(nothing_is_allocated) {
  const Llms llms = {{0.5, 0.001}, {0.6, 0.002}, {0.7, 0.003}, {0.8, 0.01}};
  const Answers answers = {{0, 0}, {1, 1, 3, false, 0.7}};
  Numbers out(3);
  const long before = allocations::count();
  ask(llms, answers, 1);
  answer_posterior(llms, answers, {}, out);
  act(out, out);
  CHECK(allocations::count() == before);
}
