// One layer's scores and its distribution.
#pragma once

#include <vector>

#include "turnout/operators.hpp"

namespace turnout::operators {

// Every score of a layer is taken at the quality that the layers before have reached.
struct Reference {
  double competence = 0;  // P(correct) of the LLM that is supposed
  double quality = 0;     // of the plan so far, were that LLM to run it
};

struct Layer {
  bool open[kMaxOperators];  // may still be drawn
  double scores[kMaxOperators];
  double probabilities[kMaxOperators];  // 0 where it was never open
};

double score(const Config& config, const catalog::Operator& oper, double relative_cost, const Reference& reference);

// The softmax over the open operators' scores; false when none is open.
bool softmax(double temperature, int n, Layer& layer);

}  // namespace turnout::operators
