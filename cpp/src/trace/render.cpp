#include <algorithm>
#include <cstdarg>
#include <cstdio>

#include "turnout/trace.hpp"

namespace turnout::trace {
namespace {

[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...) {
  char line[512];
  va_list arguments;
  va_start(arguments, pattern);
  const int n = std::vsnprintf(line, sizeof line, pattern, arguments);
  va_end(arguments);
  return std::string(line, static_cast<std::size_t>(std::clamp(n, 0, static_cast<int>(sizeof line) - 1)));
}

std::string usd(double value) { return format(value != 0 && value < 0.01 ? "$%.6f" : "$%.4f", value); }

std::string llms_of(const Decision& d, const Names& names) {
  std::vector<std::int16_t> seen;
  std::string text;
  for (const Node& n : d.plan_nodes()) {
    if (std::find(seen.begin(), seen.end(), n.llm) != seen.end()) continue;
    seen.push_back(n.llm);
    text += (text.empty() ? "" : ", ") + names.llms[static_cast<std::size_t>(n.llm)];
  }
  return text;
}

std::string embed_line(const Decision& d, const Names& names) {
  if (d.from_vector)
    return names.embedder + ": vector given" + (d.in_tokens >= 0 ? format(", %d tokens", d.in_tokens) : "");
  return names.embedder + format(": %d tokens, %d kept", d.in_tokens, d.kept_tokens);
}

// What guessing gives and how long answers are, where the network says so.
std::string answer_text(const Decision& d) {
  std::string text;
  if (d.floor > 0) text += format(", guess floor %.3f", static_cast<double>(d.floor));
  if (d.output_scale != 1) text += format(", answers x %.2f", static_cast<double>(d.output_scale));
  return text;
}

std::string difficulty_line(const Decision& d) {
  return format("d = %.3f (the reference LLM fails)", d.difficulty) + answer_text(d) +
         format(", domain similarity %.3f%s", static_cast<double>(d.domain_similarity),
                d.has(Reason::out_of_domain) ? ", out of domain" : "");
}

std::string capability_line(const Decision& d, const Names& names) {
  if (d.has(Reason::tools_withheld)) return "none proposed: withheld, none reaches the threshold of relevance";
  if (d.tool_count == 0) return "none proposed";
  std::string text;
  for (int i = 0; i < d.tool_count; ++i)
    text += (i > 0 ? ", " : "") + names.capabilities[static_cast<std::size_t>(d.tools[i].id)] +
            format(" %.3f", static_cast<double>(d.tools[i].score));
  return text;
}

std::string depth_reason(const Decision& d, const Names& names) {
  std::string text = format("depth %d", d.allocation.depth);
  if (names.cut_points.empty()) return text;
  text += " (cut points";
  for (const double cut : names.cut_points) text += format(" %.3f", cut);
  return text + ")";
}

std::string operators_line(const Decision& d, const Names& names) {
  std::string text = depth_reason(d, names) + ", prior scores";
  int layer = -1;
  for (int i = 0; i < d.allocation.count; ++i) {
    const auto& choice = d.allocation.choices[i];
    text += choice.layer != layer ? format("; layer %d: ", choice.layer + 1) : ", ";
    layer = choice.layer;
    text += names.operators[choice.oper] + format(" %.2f", static_cast<double>(choice.probability));
  }
  return text + (d.allocation.stopped_early ? "; stopped early" : "");
}

std::string limits_of(const Decision& d) {
  std::string text;
  if (d.budget.limited())
    text += format(", %s ", statistic_name(d.statistic)) + usd(d.usd_bound) +
            (d.usd_bound <= d.budget.value ? " <= " : " > ") + usd(d.budget.value);
  if (d.max_seconds.limited())
    text += format(", %s %.2f s %s %.2f s", statistic_name(d.statistic), d.seconds_bound,
                   d.seconds_bound <= d.max_seconds.value ? "<=" : ">", d.max_seconds.value);
  if (d.max_calls != kNoCallLimit)
    text += format(", %lld calls %s %lld", static_cast<long long>(d.calls()), d.calls() <= d.max_calls ? "<=" : ">",
                   static_cast<long long>(d.max_calls));
  if (d.max_tokens < std::numeric_limits<double>::infinity())
    text += format(", %.0f tokens %s %.0f", d.tokens(), d.tokens() <= d.max_tokens ? "<=" : ">", d.max_tokens);
  return text;
}

std::string assign_line(const Decision& d) {
  std::string text = turnout::assign::status_name(d.status);
  if (d.node_count == 0) return text;
  text += format(": utility %.6f = ", d.utility) + usd(d.value_usd) + format(" x %.3f - ", d.quality) + usd(d.usd);
  if (d.usd_per_second > 0) text += format(" - %.6f $/s x %.2f s", d.usd_per_second, d.seconds);
  if (d.labels > 0) text += format(", %d labels, gap %.2g", d.labels, d.gap);
  return text + limits_of(d);
}

std::string condition_text(const Condition& c, const std::string& llm) {
  if (c.rule != Rule::none) return llm + " " + rule_name(c.rule);
  std::string text = llm;
  if (c.health != 1) text += format(" health %.3f", c.health);
  if (c.slowdown != 1) text += format("%s slowdown %.2f", c.health != 1 ? "," : "", c.slowdown);
  return text;
}

// What telemetry changed; LLMs that are as the catalog says go unmentioned.
std::string telemetry_line(const Decision& d, const Names& names) {
  std::string text;
  for (int m = 0; m < d.condition_count; ++m)
    if (d.conditions[m] != Condition())
      text += (text.empty() ? "" : "; ") + condition_text(d.conditions[m], names.llms[static_cast<std::size_t>(m)]);
  return format("version %llu: ", static_cast<unsigned long long>(d.telemetry_version)) +
         (text.empty() ? "all as the catalog says" : text);
}

// What was learned: how it moved P(correct) of the plan, and by what chance the plan was chosen.
std::string learning_line(const Decision& d) {
  std::string text = format("state %llu: ", static_cast<unsigned long long>(d.state_version));
  if (d.node_count == 0) return text + "no plan";
  text += d.prior == d.quality ? format("P(correct) %.3f as the bundle says", d.quality)
                               : format("P(correct) %.3f -> %.3f", d.prior, d.quality);
  if (d.candidate_count > 1)
    text += format("; %s of %d plans with probability %.4f", d.chosen == 0 ? "the best" : "drawn", d.candidate_count,
                   d.propensity());
  return text;
}

std::string left_of(const Decision& d) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (d.budget.limited()) add(usd(d.budget.value));
  if (d.max_seconds.limited()) add(format("%.2f s", d.max_seconds.value));
  if (d.max_calls != kNoCallLimit) add(format("%lld calls", static_cast<long long>(d.max_calls)));
  if (d.max_tokens < std::numeric_limits<double>::infinity()) add(format("%.0f tokens", d.max_tokens));
  return text.empty() ? "no limit" : text;
}

std::string budget_line(const Decision& d) {
  const std::string text = format("pressure %.3f, value ", d.pressure) + usd(d.value_usd) + "; left " + left_of(d);
  if (d.reservation == 0) return text + "; nothing reserved";
  return text + "; reserved " + usd(d.usd_bound) +
         format(", %.2f s, %lld calls, %.0f tokens", d.seconds_bound, static_cast<long long>(d.calls()), d.tokens());
}

std::string plan_line(const Decision& d, const Names& names) {
  if (d.node_count == 0) return "no plan";
  const auto calls = static_cast<long long>(d.calls());
  return operators_text(d, names) + " on " + llms_of(d, names) +
         format(": %lld call%s, width %d, critical path %.2f s", calls, calls == 1 ? "" : "s", d.metrics.width,
                d.metrics.critical_path.value);
}

}  // namespace

std::string operators_text(const Decision& d, const Names& names) {
  std::string text;
  int last = -1;
  for (const Node& n : d.plan_nodes()) {
    if (n.stage == last) continue;
    last = n.stage;
    text += (text.empty() ? "" : " > ") + names.operators[n.oper];
  }
  return text;
}

std::string reasons_text(const Decision& d) {
  std::string text;
  for (int i = 0; i < kReasons; ++i)
    if (d.has(static_cast<Reason>(i)))
      text += (text.empty() ? "" : ", ") + std::string(reason_name(static_cast<Reason>(i)));
  return text;
}

std::string sentence(const Decision& d, const Names& names) {
  if (d.node_count == 0) return "No plan (" + reasons_text(d) + ").";
  return operators_text(d, names) + " on " + llms_of(d, names) + format(": P(correct) %.2f for ", d.quality) +
         usd(d.usd) + format(" in %.1f s; difficulty %.2f", d.seconds, d.difficulty) +
         (d.feasible() ? "." : "; limits not met.");
}

std::string render(const Decision& d, const Names& names, bool timings) {
  const std::string lines[kStages] = {embed_line(d, names),     difficulty_line(d), capability_line(d, names),
                                      operators_line(d, names), assign_line(d),     plan_line(d, names)};
  std::string text;
  for (int i = 0; i < kStages; ++i) {
    text += format("%-11s", stage_name(static_cast<Stage>(i))) + lines[i];
    if (timings) text += format("  [%.1f us]", static_cast<double>(d.nanoseconds[i]) / 1000.0);
    text += '\n';
  }
  if (d.learning) text += format("%-11s", "learning") + learning_line(d) + '\n';
  if (d.condition_count > 0) text += format("%-11s", "telemetry") + telemetry_line(d, names) + '\n';
  if (d.on_account) text += format("%-11s", "budget") + budget_line(d) + '\n';
  return text + format("%-11s", "reasons") + (d.reasons == 0 ? "none" : reasons_text(d));
}

}  // namespace turnout::trace
