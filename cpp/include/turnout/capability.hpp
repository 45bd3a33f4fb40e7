// capability: top-k of the catalog's vectors through FAISS, with filters and cost bias. Never knows LLM choice.
//
// FAISS proposes k + slack candidates; the core re-scores them with its own fixed-order dot product and sorts by
// (score, id), so that the answer does not depend on the SIMD level, the batch or the engine's version.
#pragma once

#include <cstddef>
#include <cstdint>
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
  double cost_bias = 0;         // score lost per USD of a call
  bool operator==(const Filter&) const = default;
};

// Columns beside the vectors. All have one entry a vector.
struct Columns {
  std::vector<float> vectors;            // [n, dim] row-major
  std::vector<std::uint8_t> kinds;
  std::vector<std::uint32_t> requires_;
  std::vector<float> usd_per_call;
};

struct Workspace {
  std::vector<float> distances, batch_distances;
  std::vector<std::int64_t> labels, batch_labels;
  std::vector<Hit> hits;
};

class Index {
 public:
  static constexpr int kSlack = 8;
  Index(FaissIndex index, Columns columns);
  int dim() const { return index_.dim(); }
  std::int64_t size() const { return index_.size(); }
  const FaissIndex& faiss() const { return index_; }
  std::span<const float> vectors() const { return columns_.vectors; }
  Workspace workspace() const;

  // The k best by (score descending, id ascending); fewer when fewer pass. Returns the count written to `out`. Over a flat
  // index this is exact: the proposal is widened until no vector outside of it can belong to the k best, and a filter that
  // few vectors pass is answered by scanning those.
  int search(const float* x, int k, const Filter& filter, Workspace& ws, Hit* out) const;
  // n <= kMaxBatch rows with one engine call; out is [n, k], counts is [n]. Equal to n single searches.
  void search(const float* x, int n, int k, const Filter& filter, Workspace& ws, Hit* out, int* counts) const;

 private:
  bool passes_all(const Filter& f) const;
  bool passes(std::size_t id, const Filter& f) const;
  std::int64_t passing(const Filter& f) const;
  Hit score(const float* x, std::size_t id, const Filter& f) const;
  int best(int k, Workspace& ws, Hit* out) const;
  int scan(const float* x, int k, const Filter& f, Workspace& ws, Hit* out) const;
  int settle(const float* x, int k, const Filter& f, const std::int64_t* labels, std::int64_t proposed, Workspace& ws,
             Hit* out) const;
  int widen(const float* x, int k, const Filter& f, std::int64_t proposed, Workspace& ws, Hit* out) const;

  FaissIndex index_;
  Columns columns_;
  std::uint32_t all_kinds_ = 0, all_requires_ = 0;
  float cheapest_ = 0;
};

}  // namespace turnout::capability
