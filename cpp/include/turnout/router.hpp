// router: composes the rooms; the only one that knows them all. `route` reads like the picture.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "turnout/assign.hpp"
#include "turnout/budget/ledger.hpp"
#include "turnout/capability.hpp"
#include "turnout/catalog.hpp"
#include "turnout/core.hpp"
#include "turnout/difficulty.hpp"
#include "turnout/embed.hpp"
#include "turnout/operators.hpp"
#include "turnout/plan.hpp"
#include "turnout/router/learner.hpp"
#include "turnout/telemetry.hpp"
#include "turnout/trace.hpp"

namespace turnout {

// Rules of one caller, compiled against one router's pool: each list is empty or has that pool's length.
struct Constraints {
  std::vector<std::uint8_t> allowed;   // per LLM; empty: all
  std::vector<std::uint8_t> denied;    // per LLM; empty: none
  std::vector<std::uint8_t> disabled;  // per operator; empty: none
  catalog::Policy needs = 0;           // bits that every LLM of the plan must offer
  capability::Filter filter;           // kinds, granted bits and cost bias of tools and agents
};

struct Request {
  std::string_view text;
  const float* vector = nullptr;  // instead of a text: what embed(text) returns
  int in_tokens = -1;             // of the query, in the LLMs' tokens; -1: counted from the text (0 for a vector)
  double value_usd = 0.01;        // what a correct answer is worth
  double usd_per_second = 0;      // what a second costs
  Usd budget = Usd::unlimited();
  Seconds max_seconds = Seconds::unlimited();
  trace::Statistic statistic = trace::Statistic::p90;
  const Constraints* constraints = nullptr;
  bool sample = false;  // draw latent and operators with the seed
  std::uint64_t seed = 0;
  int tools = 4;  // capabilities to propose, 0 .. kMaxTools
  std::int64_t max_calls = trace::kNoCallLimit;
  double max_tokens = std::numeric_limits<double>::infinity();  // prompts and answers, at what `cap` charges
  std::span<const trace::Condition> conditions;                 // of each LLM, from telemetry; empty: none
  std::uint64_t telemetry_version = 0;
  const Attachment* learning = nullptr;  // null: nothing is learned
  std::int64_t draw = -1;                // number of the learner's draw; -1: its next one. Of a batch: the first row's
  std::optional<double> allowance;       // of a draw, USD, as Learner::allowance() gave it; none: ask the learner
  int row = -1;                          // of a batch: the number of its first row, for messages; -1: a single query
};

// What a decision draws on.
struct Purse {
  budget::Ledger* ledger = nullptr;
  budget::AccountId account;
  double now = 0;   // by the ledger's clock
  double ttl = 60;  // seconds that the reservation is held
};

// What telemetry says of each LLM at `now`, for Request::conditions. `arms[m]` is LLM m's arm, or -1. An LLM is out
// while its breaker admits no call or 99 % of its rate limit is used up; waiting for a slot of a loaded LLM slows it by
// 1 / (1 - load), as in a queue with one server (M/M/1). Returns the version that was read: updates of these arms.
std::uint64_t read_conditions(const telemetry::Telemetry& telemetry, std::span<const std::int32_t> arms, double now,
                              std::span<trace::Condition> out);

// Everything that a router reads; immutable once it stands.
struct Snapshot {
  catalog::Catalog catalog;
  std::shared_ptr<const embed::Embedder> embedder;  // null: vectors only
  std::shared_ptr<const difficulty::Model> difficulty;
  std::shared_ptr<const capability::Index> capability;  // null: no tools
  operators::Config operators;
  trace::Names names;  // of the bundle, its version and the embedder; the router adds the catalog's
};

class Router {
 public:
  explicit Router(Snapshot snapshot);  // throws Error(config) with the path to the culprit
  ~Router();

  struct Tables;  // the catalog's side of a decision, computed at load

  // Scratch memory of one thread. After one call of each kind, route() allocates nothing of ours.
  struct Workspace;
  std::unique_ptr<Workspace, void (*)(Workspace*)> workspace() const;

  // Thread-safe, given a workspace each, made by this router. Wrong calls throw Error(input); routing reasons never do.
  void route(const Request& request, Workspace& ws, trace::Decision& out) const;

  // The same without a ticket: nothing waits for its outcome.
  void decide(const Request& request, Workspace& ws, trace::Decision& out) const;

  // The same on an account: what is left of it limits the plan, its pressure lowers what a correct answer is worth, and
  // what the plan may take is reserved, at the statistic of its limits. When others took it meanwhile the plan is made
  // anew from what they left, a few times; then it is infeasible, by reservation_refused. Error(input) with the path
  // "account" or "ttl".
  void route(const Request& request, const Purse& purse, Workspace& ws, trace::Decision& out) const;

  // n rows that share everything but text or vector; engines run once a chunk of kMaxBatch. Equal to n single calls.
  // All rows are checked before any is routed.
  void route_batch(std::span<const std::string_view> texts, const Request& common, Workspace& ws,
                   trace::Decision* out) const;
  void route_batch(const float* vectors, int n, const Request& common, Workspace& ws, trace::Decision* out) const;

  const Snapshot& snapshot() const { return snapshot_; }
  // Of a vector; its first unit_dim() numbers have norm 1, the others are lexical scores.
  int dim() const { return snapshot_.difficulty->dim(); }
  int unit_dim() const { return snapshot_.difficulty->unit_dim(); }

  // What is known of n queries, without deciding; engines run once a chunk of kMaxBatch. A text without tokens has the
  // mean difficulty. `row` is the number of the first one, for messages. All rows are checked before any is assessed.
  void assess(std::span<const std::string_view> texts, int row, Workspace& ws, difficulty::Assessment* out,
              int* tokens) const;
  void assess(const float* vectors, int n, int row, Workspace& ws, difficulty::Assessment* out) const;
  // P(correct) of every LLM on a query, and the expected USD of one direct call: the query as its prompt.
  void predict(const difficulty::Assessment& assessment, double* quality) const;
  void direct_usd(const difficulty::Assessment& assessment, double in_tokens, trace::Statistic statistic,
                  double* usd) const;

 private:
  void begin(const Request& in, trace::Decision& out) const;
  const float* unit_vectors(const float* x, int n, Workspace& ws) const;
  void chunk(const float* x, int n, const std::string_view* texts, const Request& common, Workspace& ws,
             trace::Decision* out) const;
  void finish(const Request& in, Workspace& ws, const difficulty::Assessment& a, trace::Decision& out) const;
  void remember(const Request& in, Workspace& ws, trace::Decision& out) const;

  Snapshot snapshot_;
  std::unique_ptr<const Tables> tables_;
  mutable std::atomic<std::uint64_t> tickets_;
};

}  // namespace turnout
