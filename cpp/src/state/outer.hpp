// The kernel of an update: integers, so that it gives the same sums however wide it runs.
#pragma once

#include <cstddef>
#include <cstdint>

namespace turnout::state {

// moment[i] += residual x[i]; then, in the upper triangle that follows it row by row, += weight x[i] x[j]. `residual`
// and weight x[i] fit 32 bits.
void add_outer(std::int64_t* moment, const std::int32_t* x, std::size_t dim, std::int32_t residual,
               std::int32_t weight);

}  // namespace turnout::state
