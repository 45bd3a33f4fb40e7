// The stated limits. What is given is checked against them where it enters; labels and alternatives are cut at theirs.
#pragma once

#include <cstddef>
#include <cstdint>

namespace turnout {

inline constexpr int kMaxLlms = 256;
inline constexpr int kMaxOperators = 32;
inline constexpr int kMaxLayers = 8;
inline constexpr int kMaxNodes = 32;                         // call slots of one plan
inline constexpr int kMaxStages = 16;                        // operators of one plan
inline constexpr int kMaxTools = 8;                          // capabilities that a decision carries
inline constexpr int kMaxAlternatives = 16;                  // ranked LLMs that a decision carries
inline constexpr int kMaxCandidates = kMaxAlternatives + 1;  // plans that exploration draws from
inline constexpr int kMaxLabels = 4096;                      // labels of one exact assignment
inline constexpr int kMaxLatent = 64;
inline constexpr int kMaxSkills = 64;
inline constexpr int kMaxDim = 4096;  // embedding dimension
inline constexpr std::size_t kMaxTextBytes = std::size_t{1} << 20;

// Of pools and catalogs. Beyond these a number is a mistake; sums of far larger ones would drown the others.
inline constexpr double kMaxUsdPerMtok = 1e5;
inline constexpr double kMaxUsdPerCall = 1e4;
inline constexpr double kMaxTokens = 1e8;
inline constexpr double kMaxSeconds = 1e6;  // of a tool's or agent's call
inline constexpr double kMaxSecondsToFirstToken = 1e5;
inline constexpr double kMaxSecondsPerToken = 1e3;
inline constexpr double kMaxAbility = 50;     // logits, of an ability or a skill
inline constexpr int kMaxCalls = 1000;        // of one call slot
inline constexpr double kMaxSlowdown = 1000;  // of an LLM's seconds, by telemetry
inline constexpr double kMaxMultiple = 1000;  // of a query's or an answer's tokens
inline constexpr double kMaxValueUsd = 1e6;   // of value_usd and usd_per_second
inline constexpr int kMaxBatch = 64;          // rows that go through the engines at once

// Of the outcome model; a length's skill is the logarithm of a length.
inline constexpr double kMaxDiscrimination = 10;
inline constexpr double kMaxLengthGain = 4;
inline constexpr double kMaxLengthSkill = 50;

}  // namespace turnout
