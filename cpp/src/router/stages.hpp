// The stages of a route, one function each, in the order of the picture.
#pragma once

#include <algorithm>

#include "router/tables.hpp"
#include "router/workspace.hpp"

namespace turnout::stages {

// Everything that one decision reads and writes, so that a stage takes one argument.
struct Context {
  const Snapshot& snapshot;
  const Router::Tables& tables;
  const Request& request;
  Router::Workspace& ws;
  trace::Decision& out;
  Philox rng;
  double tokens = 0;  // of the query, for prices and context

  Context(const Snapshot& s, const Router::Tables& t, const Request& r, Router::Workspace& w, trace::Decision& o)
      : snapshot(s), tables(t), request(r), ws(w), out(o), rng(r.seed) {
    tokens = o.in_tokens > 0 ? o.in_tokens : 0;
  }
  // Of one slot on one LLM, as slow as the LLM is now.
  double seconds(int slot, int llm, int statistic) const {
    return ws.slowdown[static_cast<std::size_t>(llm)] * tables.seconds(slot, llm, statistic, scale(llm));
  }
  // That all calls of a slot may take, prompts and answers: what `cap` charges.
  double tokens_of(int slot, int llm) const {
    const double one =
        static_cast<double>(tables.input_cap(slot, tokens)) + tables.max_output_tokens(slot, llm, scale(llm));
    return static_cast<double>(tables.slots[static_cast<std::size_t>(slot)].calls) * one;
  }
  double scale(int llm) const { return ws.output_scale[static_cast<std::size_t>(llm)]; }
  // By the catalog's prices and what was learned of them; what was learned never lowers a cap.
  double usd(int slot, int llm, int statistic) const {
    const double ratio = ws.usd_ratio[static_cast<std::size_t>(llm)];
    const bool cap = statistic == static_cast<int>(trace::Statistic::cap);
    return (cap ? std::max(1.0, ratio) : ratio) * tables.usd(slot, llm, statistic, tokens, scale(llm));
  }
};

inline void note(trace::Decision& out, trace::Reason reason, bool when = true) {
  if (when) out.reasons |= trace::bit(reason);
}

// Whether a prompt leaves the LLM room for its usual answer.
inline bool has_room(const catalog::Llm& llm, double prompt, double scale) {
  const double answer = std::min(llm.output_tokens_mean * scale, static_cast<double>(llm.max_output_tokens));
  return static_cast<double>(llm.context_tokens) - prompt >= answer;
}

// Text -> vector in `x`; notes tokens, truncation and emptiness.
void embed(const Snapshot& snapshot, const Request& request, embed::Workspace& ws, float* x, trace::Decision& out);
// Notes the assessment; in sampling mode moves it to a sampled latent.
void assess(Context& context, difficulty::Assessment& assessment);
// Corrects P(correct) and prices by what was learned. Without outcomes nothing changes.
void learned(Context& context, const difficulty::Assessment& assessment);
// Lowers P(correct) by each LLM's health and notes how slow it is. Without telemetry nothing changes.
void conditions(Context& context);
// The hard rule that excludes each LLM, if any.
void rules(Context& context);
// Of those that a rule may drop, only the largest context windows stay usable: the least violation.
void keep_largest_windows(Context& context, trace::Rule rule);
void allocate(Context& context);
void assign(Context& context);
// A single call of this operator on this LLM instead of what was assigned.
void only(Context& context, int oper, int llm);
void plan(Context& context);
// What alternatives are priced as: the plan's first operator when it is one call slot, else the cheapest such; or -1.
int alternative_operator(const Context& context);
// LLMs as single calls, ranked by utility.
void rank_alternatives(Context& context);
// Draws a plan instead of the best one, where a learner explores.
void explore(Context& context);
// Opens the decision's ticket.
void remember(Context& context);
// What a replay needs: the query, the options and the decision.
void pack_note(const Context& context, std::vector<std::byte>& out);

}  // namespace turnout::stages
