// The fixed-order dot product that re-scores what FAISS proposes: sixteen lanes, summed pairwise, no FMA, so that the
// bits do not depend on the SIMD level, the batch or the engine's version.
#pragma once

namespace turnout {

float dot(const float* a, const float* b, int n);

}  // namespace turnout
