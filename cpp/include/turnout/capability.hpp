// capability: top-k of the catalog's vectors through FAISS, with filters and cost bias. Never knows LLM choice.
//
// FAISS proposes k + slack candidates; the core re-scores them with its own fixed-order dot product and sorts by
// (score, id), so that the answer does not depend on the SIMD level, the batch or the engine's version. Where the
// proposal cannot prove that it holds the k best (a filter, a cost bias, near-ties), it is widened; where scanning the
// vectors that pass is cheaper than that, they are scanned.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "turnout/core.hpp"

namespace turnout::capability {

// libfaiss.so of the installed faiss-cpu wheel (or any build the host names), called without its headers.
class Engine {
 public:
  // Throws Error(engine) with the path. The same path again returns the same engine.
  static std::shared_ptr<const Engine> load(const std::string& library_path);
  std::string version() const;
  struct Impl;
  explicit Engine(std::unique_ptr<Impl>);
  ~Engine();
  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

// Live FAISS indexes, so that a leak is a test.
long live_indexes();

// A FAISS index over float vectors with the inner-product metric, any type that derives from faiss::Index.
class FaissIndex {
 public:
  // `bytes` as written by faiss.serialize_index / write_index, already verified by the caller. Throws Error(bundle).
  FaissIndex(std::shared_ptr<const Engine> engine, std::span<const std::byte> bytes, const std::string& path);
  ~FaissIndex();
  FaissIndex(FaissIndex&&) noexcept;
  int dim() const;
  std::int64_t size() const;
  const std::string& type() const;  // the dynamic class, e.g. "faiss::IndexFlatIP"
  bool exhaustive() const;          // it compares every vector: flat storage, also of quantised codes
  // The bare FAISS search: n rows [n, dim] -> distances and labels [n, k], caller-owned. One thread.
  void search(const float* x, std::int64_t n, std::int64_t k, float* distances, std::int64_t* labels) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

struct Hit {
  std::int32_t id = -1;
  float similarity = 0;  // fixed-order inner product
  float score = 0;       // similarity - cost_bias * usd_per_call
  bool operator==(const Hit&) const = default;
};

// What may be returned. Defaults let everything pass.
struct Filter {
  std::uint32_t kinds = ~0u;    // bit i: catalog::Kind(i) may be returned
  std::uint32_t granted = ~0u;  // policy bits that the caller grants
  double cost_bias = 0;         // score lost per USD of a call, >= 0
  bool operator==(const Filter&) const = default;
};

// Columns beside the vectors. All have one entry a vector.
struct Columns {
  std::vector<float> vectors;  // [n, dim] row-major
  std::vector<std::uint8_t> kinds;
  std::vector<std::uint32_t> requires_;
  std::vector<float> usd_per_call;
};

struct Workspace {
  std::vector<float> distances;
  std::vector<std::int64_t> labels, wider;
  std::vector<Hit> hits;
};

class Index {
 public:
  static constexpr int kSlack = 8;
  static constexpr float kNoThreshold = -std::numeric_limits<float>::infinity();
  // Where none of those found has a similarity of at least `threshold`, nothing fits the query and none is returned.
  // Throws Error(config) with the column at fault.
  Index(FaissIndex index, Columns columns, float threshold = kNoThreshold);
  int dim() const { return index_.dim(); }
  std::int64_t size() const { return index_.size(); }
  const FaissIndex& faiss() const { return index_; }
  std::span<const float> vectors() const { return columns_.vectors; }
  float threshold() const { return threshold_; }
  // How many vectors a filter lets pass. Where some do and a search returns none, they were withheld.
  std::int64_t passing(const Filter& f) const;
  Workspace workspace() const;

  // The k best by (score descending, id ascending); fewer when fewer pass. Returns the count written to `out`. Over an
  // index that holds the vectors as they are and compares all of them (flat) this is exact, also under filters, cost
  // bias and ties; over any other, as good as its proposals. cost_bias must be a number >= 0. 0 where the k found all
  // stay below the threshold.
  int search(const float* x, int k, const Filter& filter, Workspace& ws, Hit* out) const;
  // n <= kMaxBatch rows with one engine call; out is [n, k], counts is [n]. Over a flat index equal to n single
  // searches, bit for bit; over any other where FAISS proposes for a batch what it proposes for each row alone.
  void search(const float* x, int n, int k, const Filter& filter, Workspace& ws, Hit* out, int* counts) const;

 private:
  // What one filter asks for: how many vectors pass, how many FAISS is to propose first, or that a scan is cheaper.
  struct Plan {
    std::int64_t passing = 0, proposed = 0;
    bool scan = false;
  };
  Plan plan(int k, const Filter& f) const;
  bool cheaper_to_scan(std::int64_t passing, std::int64_t proposed) const;
  bool passes(std::size_t id, const Filter& f) const;
  int unless_withheld(Hit* hits, int count) const;
  Hit score(const float* x, std::size_t id, const Filter& f) const;
  float rest_at_most(const float* x, float lowest, const Filter& f) const;
  void propose(const float* x, int n, std::int64_t proposed, Workspace& ws, std::vector<std::int64_t>& labels) const;
  int scan(const float* x, int k, const Filter& f, Workspace& ws, Hit* out) const;
  int settle(const float* x, int k, const Filter& f, std::span<const std::int64_t> labels, Workspace& ws,
             Hit* out) const;
  int widen(const float* x, int k, const Filter& f, const Plan& plan, Workspace& ws, Hit* out) const;

  FaissIndex index_;
  Columns columns_;
  std::vector<std::uint32_t> kind_bits_;
  std::uint32_t all_kinds_ = 0, all_requires_ = 0;
  float cheapest_ = 0;
  float threshold_ = kNoThreshold;
  double error_ = 0;  // most that two summation orders can differ, for an x of norm 1
};

}  // namespace turnout::capability
