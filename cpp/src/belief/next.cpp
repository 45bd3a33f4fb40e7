#include "turnout/belief/next.hpp"

#include <algorithm>
#include <numeric>

#include "case.hpp"
#include "check.hpp"

namespace turnout::belief {
namespace {

struct Call {
  int llm = -1;
  double voi = 0, cost = 0;
  double net() const { return voi - cost; }
};

// Larger net, then the cheaper, then the first: calls are compared in the order of the LLMs.
bool better(const Call& a, const Call& b) {
  return b.llm < 0 || a.net() > b.net() || (a.net() == b.net() && a.cost < b.cost);
}

struct Masses {
  std::array<double, kSlots> of;
  std::size_t n = 0;
  double all = 0;
  explicit Masses(const Weights& w) : n(static_cast<std::size_t>(w.classes())), all(w.total()) {
    for (int k = 0; k < w.classes(); ++k) of[static_cast<std::size_t>(k)] = w.mass(k);
  }
};

using Used = std::array<bool, kMaxLlms>;

class Search {
 public:
  Search(const Question& q, const Case& c) : q_(q), case_(c) {
    for (int m = 0; m < static_cast<int>(q.llms.size()); ++m) {
      if (!c.left(m)) continue;
      ids_[count_] = m;
      voters_[count_++] = c.voter(m);
    }
    find_front();
  }

  bool nobody() const { return count_ == 0; }

  // The best call of those that fit, or of those that do not; `matters`: one of them could change what is returned.
  Call best(bool fitting, bool& matters) const {
    const Choice now = best_now(case_.weights());
    Used used{};
    Call found;
    for (std::size_t i = 0; i < count_; ++i) {
      if (fits(i, q_.left) != fitting) continue;
      Call call = one_step(case_.weights(), i, now);
      if (q_.depth > 1 && on_front(i))
        call.voi = std::max(call.voi, gain(case_.weights(), i, now, q_.left, q_.depth, used));
      matters |= call.voi > 0;
      if (better(call, found)) found = call;
    }
    return found;
  }

 private:
  const Llm& llm(std::size_t i) const { return q_.llms[static_cast<std::size_t>(ids_[i])]; }
  double cost(std::size_t i) const { return llm(i).usd + q_.usd_per_second * llm(i).seconds; }
  bool fits(std::size_t i, const Left& left) const {
    return llm(i).usd <= left.usd && llm(i).seconds <= left.seconds && left.calls >= 1;
  }
  bool on_front(std::size_t i) const {
    return std::find(front_.begin(), front_.begin() + width_, i) != front_.begin() + width_;
  }

  Choice best_now(const Weights& w) const {
    const Masses m(w);
    return best_choice({m.of.data(), m.n}, m.all, q_.value_usd, q_.wrong_usd);
  }

  Call one_step(const Weights& w, std::size_t i, const Choice& now) const {
    bool changes = false;
    const double then = w.expected_best(voters_[i], q_.value_usd, q_.wrong_usd, now.answer, changes);
    return {ids_[i], changes ? std::max(0.0, then - now.value) : 0, cost(i)};
  }

  // What is gained by asking i and then, after each outcome, by stopping or by the best further call, `depth` calls in
  // all. Masses are not scaled to sum to 1: they carry the outcome's probability.
  double gain(const Weights& w, std::size_t i, const Choice& now, const Left& left, int depth, Used& used) const {
    if (depth == 1) return one_step(w, i, now).voi;
    const Left rest{left.usd - llm(i).usd, left.seconds - llm(i).seconds, left.calls - 1};
    used[i] = true;
    double expected = 0;
    for (int o = 0; o <= w.classes(); ++o) {
      Weights then = w;
      o == w.classes() ? then.observe_new(voters_[i]) : then.observe(voters_[i], o);
      const Choice stop = best_now(then);
      expected += stop.value + best_gain(then, stop, rest, depth - 1, used);
    }
    used[i] = false;
    return std::max(0.0, expected - now.value);
  }

  double best_gain(const Weights& w, const Choice& now, const Left& left, int depth, Used& used) const {
    const double all = w.total();
    double most = 0;
    for (std::size_t f = 0; f < width_; ++f)
      if (const std::size_t i = front_[f]; !used[i] && fits(i, left))
        most = std::max(most, gain(w, i, now, left, depth, used) - all * cost(i));
    return most;
  }

  // LLMs by cost, each abler than all that cost less; evenly thinned to kWidth with both ends kept.
  void find_front() {
    std::array<std::size_t, kMaxLlms> order;
    std::iota(order.begin(), order.begin() + count_, std::size_t{0});
    std::sort(order.begin(), order.begin() + count_, [&](std::size_t a, std::size_t b) {
      if (cost(a) != cost(b)) return cost(a) < cost(b);
      if (llm(a).p_correct != llm(b).p_correct) return llm(a).p_correct > llm(b).p_correct;
      return a < b;
    });
    std::size_t n = 0;
    for (std::size_t k = 0; k < count_; ++k)
      if (n == 0 || llm(order[k]).p_correct > llm(order[n - 1]).p_correct) order[n++] = order[k];
    width_ = std::min<std::size_t>(n, kWidth);
    for (std::size_t k = 0; k < width_; ++k) front_[k] = order[n <= kWidth ? k : k * (n - 1) / (kWidth - 1)];
  }

  const Question& q_;
  const Case& case_;
  std::array<int, kMaxLlms> ids_;
  std::array<Voter, kMaxLlms> voters_;
  std::size_t count_ = 0, width_ = 0;
  std::array<std::size_t, kWidth> front_{};
};

Action action_of(const Question& q, const Case& c, int llm) {
  if (c.last_failed()) return Action::retry;
  const double p = q.llms[static_cast<std::size_t>(llm)].p_correct;
  return c.votes() > 0 && p > c.ablest() ? Action::escalate : Action::probe;
}

Reason why_ask(const Case& c, double sigma) {
  if (c.last_failed()) return Reason::call_failed;
  if (c.votes() == 0) return Reason::unanswered;
  return sigma > 0 ? Reason::disagreed : Reason::unsure;
}

Reason why_stop(const Search& search, const Case& c, bool matters, const Call& beyond, double sigma) {
  if (search.nobody()) return Reason::no_llm_left;
  if (beyond.llm >= 0 && beyond.net() > 0) return Reason::no_budget;
  if (c.votes() > 1 && sigma == 0) return Reason::agreed;
  return matters || c.votes() == 0 ? Reason::not_worth_it : Reason::confident;
}

}  // namespace

const char* action_name(Action action) {
  static constexpr const char* kNames[] = {"stop", "retry", "escalate", "probe"};
  return kNames[static_cast<std::size_t>(action)];
}

const char* reason_name(Reason reason) {
  static constexpr const char* kNames[] = {"agreed",     "confident", "not_worth_it", "no_budget",  "no_llm_left",
                                           "unanswered", "unsure",    "disagreed",    "call_failed"};
  return kNames[static_cast<std::size_t>(reason)];
}

Step next(const Question& q) {
  check_question(q);
  const Case c(q.llms, q.answers, q.model);
  const Search search(q, c);
  bool matters = false;
  const Call best = search.best(true, matters), beyond = search.best(false, matters);
  Step step;
  step.answer = c.best();
  step.posterior = step.answer < 0 ? 0 : c.posterior(step.answer);
  step.sigma = c.sigma();
  step.votes = c.votes();
  step.voi = best.llm >= 0 ? best.voi : beyond.voi;
  step.cost = best.llm >= 0 ? best.cost : beyond.cost;
  if (best.llm >= 0 && best.net() > 0) {
    step.llm = best.llm;
    step.action = action_of(q, c, best.llm);
    step.reason = why_ask(c, step.sigma);
  } else {
    step.reason = why_stop(search, c, matters, beyond, step.sigma);
    step.abstain = step.answer < 0 || q.value_usd * step.posterior < q.wrong_usd * (1 - step.posterior);
  }
  return step;
}

}  // namespace turnout::belief
