// Plain rules for hosts that want them instead of `next`.
#pragma once

#include <cstdint>
#include <span>

#include "turnout/consensus.hpp"

namespace turnout::belief {

// ACAR: how many LLMs are to answer, by the agreement of probes. Of three probes 1, 2 or 3.
int models_to_ask(std::span<const std::int32_t> probes, std::span<double> counts);

// A cascade by a threshold (FrugalGPT): whether this LLM's answer is accepted; the last one's always is.
bool accept(double confidence, double threshold, bool last);

enum class Student : std::uint8_t { all, plurality };

// Whether to act on a student's samples instead of asking the teacher: all agree, or the most frequent answer has more
// than half of them. `counts`: scratch, one a class.
bool act_alone(std::span<const std::int32_t> samples, Student rule, std::span<double> counts);

// Episodes after which an upfront cost has paid: upfront / saving; infinity where nothing is saved.
double break_even(double upfront_usd, double saving_usd);

}  // namespace turnout::belief
