// The definition: what a given assignment is worth, costs and takes.
#include "assign/terms.hpp"

namespace turnout::assign {
namespace {

struct Sums {
  double competence = 0, usd = 0, usd_bound = 0, seconds = 0, seconds_bound = 0, charge = 0;
};

double combine(bool parallel, double a, double b) { return parallel ? std::max(a, b) : a + b; }

Sums stage_sums(const Problem& p, const Terms& terms, const Stage& stage, const Solution& solution) {
  Sums sums;
  for (int i = 0; i < stage.slots; ++i) {
    const int m = solution.llm[stage.first_slot + i], cell = (stage.first_slot + i) * p.llms + m;
    sums.competence += kProbability(stage.weights[i] * p.quality[m]);
    sums.usd += terms.money(p.usd[cell]);
    sums.usd_bound += terms.bound(p.usd_bound[cell]);
    sums.seconds = combine(stage.parallel, sums.seconds, p.seconds[cell]);
    sums.seconds_bound = combine(stage.parallel, sums.seconds_bound, terms.time(p.seconds_bound[cell]));
    sums.charge = combine(stage.parallel, sums.charge, terms.charge(p.seconds[cell]));
  }
  return sums;
}

}  // namespace

const char* status_name(Status status) {
  static constexpr const char* kNames[] = {"unlimited_best", "exact", "label_cap", "infeasible", "no_candidate"};
  const auto i = static_cast<int>(status);
  return i < 5 ? kNames[i] : "unknown";
}

void evaluate(const Problem& p, Solution& out) { evaluate(p, terms_of(p), out); }

void evaluate(const Problem& p, const Terms& terms, Solution& out) {
  Sums total;
  out.quality = 0;
  for (std::size_t t = 0; t < p.stages.size(); ++t) {
    const Stage& stage = p.stages[t];
    out.skipped[t] = stage.slots > 0 && out.llm[stage.first_slot] < 0;
    if (out.skipped[t]) continue;
    const Sums sums = stage_sums(p, terms, stage, out);
    out.quality = effect_of(stage, curve_value(stage.curve, sums.competence))(out.quality);
    total.usd += sums.usd;
    total.usd_bound += sums.usd_bound;
    total.seconds += sums.seconds;
    total.seconds_bound += sums.seconds_bound;
    total.charge += sums.charge;
  }
  out.usd = Usd(total.usd);
  out.usd_bound = Usd(total.usd_bound);
  out.seconds = Seconds(total.seconds);
  out.seconds_bound = Seconds(total.seconds_bound);
  out.utility = terms.value(out.quality) - (total.usd + total.charge);
}

}  // namespace turnout::assign
