#include "catalog/checks.hpp"
#include "turnout/catalog.hpp"

namespace turnout::catalog {
namespace {

void check_prices(const Where& where, const Llm& llm) {
  where.at_most("usd_per_mtok_in", llm.usd_per_mtok_in, kMaxUsdPerMtok);
  where.at_most("usd_per_mtok_out", llm.usd_per_mtok_out, kMaxUsdPerMtok);
  where.at_most("usd_per_call", llm.usd_per_call, kMaxUsdPerCall);
}

void check_tokens(const Where& where, const Llm& llm) {
  where.positive("context_tokens", static_cast<double>(llm.context_tokens));
  where.positive("max_output_tokens", static_cast<double>(llm.max_output_tokens));
  if (llm.max_output_tokens > llm.context_tokens)
    fail(where.field("max_output_tokens"), "at most context_tokens (" + std::to_string(llm.context_tokens) + ")",
         std::to_string(llm.max_output_tokens));
  where.positive("output_tokens_mean", llm.output_tokens_mean);
  where.positive("output_tokens_p90", llm.output_tokens_p90);
  where.at_most("context_tokens", static_cast<double>(llm.context_tokens), kMaxTokens);
  where.at_most("output_tokens_mean", llm.output_tokens_mean, kMaxTokens);
  where.at_most("output_tokens_p90", llm.output_tokens_p90, kMaxTokens);
}

void check_ability(const Where& where, const Llm& llm) {
  where.within("ability", llm.ability, kMaxAbility);
  where.at_most("ability_se", llm.ability_se, kMaxAbility);
  for (std::size_t k = 0; k < llm.skill.size(); ++k) where.within({"skill", k}, llm.skill[k], kMaxAbility);
}

void check_response(const Where& where, const Llm& llm) {
  if (!(llm.discrimination > 0 && llm.discrimination <= kMaxDiscrimination))
    fail(where.field("discrimination"), "a number > 0 and at most " + text(kMaxDiscrimination),
         text(llm.discrimination));
  where.at_most("length_gain", llm.length_gain, kMaxLengthGain);
  for (std::size_t k = 0; k < llm.length_skill.size(); ++k)
    where.within({"length_skill", k}, llm.length_skill[k], kMaxLengthSkill);
}

// The skill vectors of one pool live in one space.
void check_skill_length(const Where& where, const Llm& llm, std::size_t expected) {
  if (llm.skill.size() > static_cast<std::size_t>(kMaxSkills))
    fail(where.field("skill"), "at most " + std::to_string(kMaxSkills) + " numbers", std::to_string(llm.skill.size()));
  if (llm.skill.size() != expected)
    fail(where.field("skill"), std::to_string(expected) + " numbers as in pool.llms[0]",
         std::to_string(llm.skill.size()));
  if (!llm.length_skill.empty() && llm.length_skill.size() != expected)
    fail(where.field("length_skill"), std::to_string(expected) + " numbers as in its skill, or none",
         std::to_string(llm.length_skill.size()));
}

}  // namespace

void validate(const std::vector<Llm>& llms) {
  if (llms.empty()) fail("pool.llms", "at least one LLM", "none");
  if (llms.size() > static_cast<std::size_t>(kMaxLlms))
    fail("pool.llms", "at most " + std::to_string(kMaxLlms) + " LLMs", std::to_string(llms.size()));
  unique_ids("pool.llms", llms);
  for (std::size_t i = 0; i < llms.size(); ++i) {
    const Where where{"pool.llms", i};
    check_prices(where, llms[i]);
    check_tokens(where, llms[i]);
    check_ability(where, llms[i]);
    check_response(where, llms[i]);
    check_skill_length(where, llms[i], llms[0].skill.size());
    where.at_most("seconds_to_first_token", llms[i].seconds_to_first_token, kMaxSecondsToFirstToken);
    where.at_most("seconds_per_output_token", llms[i].seconds_per_output_token, kMaxSecondsPerToken);
  }
}

}  // namespace turnout::catalog
