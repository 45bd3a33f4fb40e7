#include "weights.hpp"

#include <algorithm>
#include <cmath>

namespace turnout::belief {
namespace {

// Gauss-Hermite, for a standard normal variable (Abramowitz and Stegun, table 25.10).
constexpr Nodes kPoints = {-2.8569700138728056, -1.3556261799742659, 0, 1.3556261799742659, 2.8569700138728056};
constexpr Nodes kShares = {0.011257411327720689, 0.22207592200561264, 0.53333333333333333, 0.22207592200561264,
                           0.011257411327720689};
constexpr double kLeast = 1e-6;  // of P(correct), and of what is left of it

double mean(const Nodes& p) {
  double sum = 0;
  for (std::size_t z = 0; z < kNodes; ++z) sum += kShares[z] * p[z];
  return sum;
}

Nodes shifted(double odds, const Nodes& shifts) {
  Nodes p;
  for (std::size_t z = 0; z < kNodes; ++z) p[z] = odds * shifts[z] / (1 + odds * shifts[z]);
  return p;
}

}  // namespace

Nodes shifts_of(double spread) {
  Nodes out;
  for (std::size_t z = 0; z < kNodes; ++z) out[z] = std::exp(spread * kPoints[z]);
  return out;
}

// Two rounds bring the mean of the shifted probabilities near p; scaling the shorter side makes it exact.
Nodes at_nodes(double probability, const Nodes& shifts) {
  const double p = std::clamp(probability, kLeast, 1 - kLeast), target = p / (1 - p);
  double odds = target;
  Nodes out = shifted(odds, shifts);
  double m = mean(out);
  for (int round = 0; round < 2; ++round) {
    odds *= target * (1 - m) / m;
    out = shifted(odds, shifts);
    m = mean(out);
  }
  for (double& x : out) x = m < p ? 1 - (1 - x) * ((1 - p) / (1 - m)) : x * (p / m);
  return out;
}

// `others` leaves two classes unseen, whatever a look-ahead adds.
Weights::Weights(const AnswerModel& model, int distinct) : model_(model) {
  model_.others = std::max(model.others, distinct + 2);
  for (std::size_t z = 0; z < kNodes; ++z) w_[z][0][0] = kShares[z];
}

Weights::Weights(const Weights& other) : model_(other.model_), classes_(other.classes_) {
  for (int z = 0; z < kNodes; ++z)
    for (int t = 0; t <= classes_; ++t) std::copy_n(other.w_[z][t], classes_ + 1, w_[z][t]);
}

double Weights::mass(int truth) const {
  double sum = 0;
  for (const auto& node : w_)
    for (int d = 0; d <= classes_; ++d) sum += node[truth][d];
  return sum;
}

double Weights::total() const {
  double sum = 0;
  for (int t = 0; t <= classes_; ++t) sum += mass(t);
  return sum;
}

void Weights::add_class() {
  const int k = classes_;
  const double u = unseen();
  for (auto& node : w_) {
    const double both = node[k][k];
    for (int i = 0; i < k; ++i) {
      node[i][k + 1] = node[i][k] * (u - 1) / u;
      node[i][k] /= u;
      node[k + 1][i] = node[k][i] * (u - 1) / u;
      node[k][i] /= u;
    }
    node[k][k] = 0;
    node[k][k + 1] = node[k + 1][k] = both / u;
    node[k + 1][k + 1] = both * (u - 2) / u;
  }
  ++classes_;
}

double Weights::likelihood(const Voter& v, int answer, int node, int truth, int trap) const {
  const double p = v.p[static_cast<std::size_t>(node)];
  const double fresh =
      truth == answer ? p : (1 - p) * ((trap == answer ? v.common : 0) + (1 - v.common) / model_.others);
  const double own = model_.rho * v.own[static_cast<std::size_t>(answer)];
  return ((1 - model_.rho) * fresh + own) / (1 - model_.rho + model_.rho * v.samples);
}

void Weights::observe(const Voter& v, int answer) {
  for (int z = 0; z < kNodes; ++z)
    for (int t = 0; t <= classes_; ++t)
      for (int d = 0; d <= classes_; ++d) w_[z][t][d] *= likelihood(v, answer, z, t, d);
}

// All unseen classes are alike: any of them, times how many there are.
void Weights::observe_new(const Voter& v) {
  const double count = unseen();
  add_class();
  observe(v, classes_ - 1);
  for (int t = 0; t <= classes_; ++t) weigh(t, count);
}

void Weights::weigh(int truth, double factor) {
  for (auto& node : w_)
    for (int d = 0; d <= classes_; ++d) node[truth][d] *= factor;
}

void Weights::normalise() {
  const double all = total();
  for (auto& node : w_)
    for (int t = 0; t <= classes_; ++t)
      for (int d = 0; d <= classes_; ++d) node[t][d] /= all;
}

Choice best_choice(std::span<const double> masses, double total, double value, double wrong) {
  Choice best;
  for (std::size_t k = 0; k < masses.size(); ++k)
    if (const double v = value * masses[k] - wrong * (total - masses[k]); v > best.value)
      best = {static_cast<int>(k), v};
  return best;
}

// Sums over the nodes first: what an outcome needs of the hypotheses is then linear in them.
struct Weights::Sums {
  double all[kSlots], right[kSlots], wrong[kSlots];  // of a truth: mass, mass * p, mass * (1 - p)
  double trapped[kSlots][kSlots];                    // (1 - p) * mass of a truth and a trap

  Sums(const Weights& s, const Voter& v) {
    for (int t = 0; t <= s.classes_; ++t) {
      all[t] = right[t] = wrong[t] = 0;
      for (int d = 0; d <= s.classes_; ++d) trapped[t][d] = 0;
      for (int z = 0; z < kNodes; ++z) {
        const double p = v.p[static_cast<std::size_t>(z)];
        double mass = 0;
        for (int d = 0; d <= s.classes_; ++d) {
          mass += s.w_[z][t][d];
          trapped[t][d] += (1 - p) * s.w_[z][t][d];
        }
        all[t] += mass;
        right[t] += p * mass;
        wrong[t] += (1 - p) * mass;
      }
    }
  }
};

// Of the outcome `answer`, a class: masses of the classes and, last, of the unseen ones.
void Weights::joint(const Sums& sums, const Voter& v, int answer, std::span<double> out) const {
  const double scatter = (1 - v.common) / model_.others, of = 1 - model_.rho + model_.rho * v.samples;
  const double fresh = (1 - model_.rho) / of, copied = model_.rho * v.own[static_cast<std::size_t>(answer)] / of;
  for (int t = 0; t <= classes_; ++t) {
    const double said = t == answer ? sums.right[t] : v.common * sums.trapped[t][answer] + scatter * sums.wrong[t];
    out[static_cast<std::size_t>(t)] = fresh * said + copied * sums.all[t];
  }
}

// Of the outcome that it is a new class: masses of the classes, of the new one, and of those that are still unseen.
void Weights::joint_new(const Sums& sums, const Voter& v, std::span<double> out) const {
  const double scatter = (1 - v.common) / model_.others;
  const double fresh = (1 - model_.rho) / (1 - model_.rho + model_.rho * v.samples);
  const int k = classes_;
  for (int t = 0; t < k; ++t)
    out[static_cast<std::size_t>(t)] = fresh * (v.common * sums.trapped[t][k] + scatter * unseen() * sums.wrong[t]);
  out[static_cast<std::size_t>(k)] = fresh * sums.right[k];
  out[static_cast<std::size_t>(k + 1)] =
      fresh * (v.common * sums.trapped[k][k] + scatter * (unseen() - 1) * sums.wrong[k]);
}

double Weights::expected_best(const Voter& v, double value, double wrong, int now, bool& changes) const {
  const Sums sums(*this, v);
  std::array<double, kSlots + 1> masses;
  double expected = 0;
  changes = false;
  for (int o = 0; o <= classes_; ++o) {
    const auto n = static_cast<std::size_t>(o < classes_ ? classes_ : classes_ + 1);  // that may be returned
    o < classes_ ? joint(sums, v, o, masses) : joint_new(sums, v, masses);
    double all = 0;
    for (std::size_t t = 0; t <= n; ++t) all += masses[t];
    const Choice then = best_choice({masses.data(), n}, all, value, wrong);
    expected += then.value;
    changes |= then.answer != now;
  }
  return expected;
}

}  // namespace turnout::belief
