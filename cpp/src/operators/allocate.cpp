#include "operators/scores.hpp"

namespace turnout::operators {
namespace {

class Allocator {
 public:
  Allocator(const Config& config, const std::vector<catalog::Operator>& operators, const Tables& tables,
            std::span<const Mask> masks, double difficulty, Philox* rng, Allocation& out)
      : config_(config), operators_(operators), tables_(tables), masks_(masks), rng_(rng), out_(out) {
    for (int i = 0; i < size(); ++i) competence_[i] = competence(oper(i), config.reference_ability, difficulty);
  }

  // Fills one layer; false when the plan ends with it.
  bool fill(int layer) {
    if (!open(layer)) return false;
    const int before = out_.count;
    for (double reached = 0; reached < config_.activation_threshold && out_.count < config_.max_stages;) {
      const int oper = draw();
      if (oper < 0) break;
      layer_.open[oper] = false;
      if (!fits(oper)) continue;
      take(oper, layer);
      if (out_.stopped_early) return false;
      reached += layer_.probabilities[oper];
    }
    return out_.count > before && out_.count < config_.max_stages;
  }

 private:
  int size() const { return static_cast<int>(operators_.size()); }
  const catalog::Operator& oper(int i) const { return operators_[static_cast<std::size_t>(i)]; }

  // The layer's distribution, also for the trace.
  bool open(int layer) {
    for (int i = 0; i < size(); ++i) {
      layer_.open[i] = masks_[static_cast<std::size_t>(i)] == Mask::usable && uses_[i] < config_.max_uses;
      const double cost = tables_.relative_cost[static_cast<std::size_t>(i)];
      layer_.scores[i] = score(config_, oper(i), cost, competence_[i], quality_);
    }
    if (!softmax(config_.temperature, size(), layer_)) return false;
    for (int i = 0; i < size(); ++i) {
      out_.scores[layer][i] = static_cast<float>(layer_.scores[i]);
      out_.probabilities[layer][i] = static_cast<float>(layer_.probabilities[i]);
    }
    return true;
  }

  bool candidate(int i) const { return layer_.open[i] && (out_.count > 0 || oper(i).generates); }

  int draw() {
    if (rng_ == nullptr) return best();
    const int sampled = sample();
    return sampled >= 0 ? sampled : best();  // all that is left may have underflowed to probability 0
  }

  // By score: the order of the probabilities, also where they underflow.
  int best() const {
    int best = -1;
    for (int i = 0; i < size(); ++i)
      if (candidate(i) && (best < 0 || layer_.scores[i] > layer_.scores[best])) best = i;
    return best;
  }

  // One uniform number a draw, over the mass that is left.
  int sample() {
    double mass = 0;
    for (int i = 0; i < size(); ++i)
      if (candidate(i)) mass += layer_.probabilities[i];
    const double target = rng_->uniform() * mass;
    double sum = 0;
    for (int i = 0; i < size(); ++i)
      if (candidate(i) && (sum += layer_.probabilities[i]) > target) return i;
    return -1;
  }

  bool fits(int i) const { return nodes_ + static_cast<int>(oper(i).slots.size()) <= kMaxNodes; }

  void take(int i, int layer) {
    Choice& choice = out_.choices[out_.count++];
    choice.oper = static_cast<std::uint8_t>(i);
    ++uses_[i];
    choice.layer = static_cast<std::uint8_t>(layer);
    choice.score = out_.scores[layer][i];
    choice.probability = out_.probabilities[layer][i];
    out_.layers = layer + 1;
    out_.stopped_early = oper(i).stops;
    if (oper(i).stops) return;
    nodes_ += static_cast<int>(oper(i).slots.size());
    quality_ = quality_after(oper(i), quality_, competence_[i]);
  }

  const Config& config_;
  const std::vector<catalog::Operator>& operators_;
  const Tables& tables_;
  std::span<const Mask> masks_;
  Philox* rng_;
  Allocation& out_;
  double competence_[kMaxOperators];
  double quality_ = 0;  // that the plan so far has reached
  Layer layer_;
  int nodes_ = 0;
  int uses_[kMaxOperators] = {};
};

}  // namespace

void allocate(const Config& config, const std::vector<catalog::Operator>& operators, const Tables& tables,
              std::span<const Mask> masks, double difficulty, Philox* rng, Allocation& out) {
  out.operators = static_cast<int>(operators.size());
  out.depth = depth(config, difficulty);
  out.layers = out.count = 0;
  out.stopped_early = false;
  Allocator allocator(config, operators, tables, masks, difficulty, rng, out);
  for (int layer = 0; layer < out.depth; ++layer)
    if (!allocator.fill(layer)) break;
}

}  // namespace turnout::operators
