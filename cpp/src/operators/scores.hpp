// One layer's scores and its distribution.
#pragma once

#include <vector>

#include "turnout/operators.hpp"

namespace turnout::operators {

struct Layer {
  bool open[kMaxOperators];  // may still be drawn
  double scores[kMaxOperators];
  double probabilities[kMaxOperators];  // 0 where it was never open
};

// `quality` is what the layers before have reached.
double score(const Config& config, const catalog::Operator& oper, double relative_cost, double competence,
             double quality);

// The softmax over the open operators' scores; false when none is open.
bool softmax(double temperature, int n, Layer& layer);

}  // namespace turnout::operators
