#include <algorithm>
#include <limits>

#include "turnout/capability.hpp"

namespace turnout::capability {
namespace {

// A filter that passes less than this share of the vectors is answered by a scan of those that pass.
constexpr std::int64_t kScanShare = 4;
constexpr std::int64_t kWiden = 4;

bool better(const Hit& a, const Hit& b) { return a.score != b.score ? a.score > b.score : a.id < b.id; }

void check(const FaissIndex& index, const Columns& c) {
  const auto n = static_cast<std::size_t>(index.size());
  const auto fail = [](const char* path, std::size_t expected, std::size_t got) {
    throw Error(ErrorKind::config, path, "expected " + std::to_string(expected) + " values, got " + std::to_string(got));
  };
  const std::size_t values = n * static_cast<std::size_t>(index.dim());
  if (c.vectors.size() != values) fail("capability.vectors", values, c.vectors.size());
  if (c.kinds.size() != n) fail("capability.kinds", n, c.kinds.size());
  if (c.requires_.size() != n) fail("capability.requires", n, c.requires_.size());
  if (c.usd_per_call.size() != n) fail("capability.usd_per_call", n, c.usd_per_call.size());
  for (std::size_t i = 0; i < n; ++i)
    if (c.kinds[i] >= 32) throw Error(ErrorKind::config, "capability.kinds[" + std::to_string(i) + "]", "expected a number below 32");
}

}  // namespace

Index::Index(FaissIndex index, Columns columns) : index_(std::move(index)), columns_(std::move(columns)) {
  check(index_, columns_);
  for (std::size_t i = 0; i < columns_.kinds.size(); ++i) {
    all_kinds_ |= 1u << columns_.kinds[i];
    all_requires_ |= columns_.requires_[i];
  }
  if (!columns_.usd_per_call.empty())
    cheapest_ = *std::min_element(columns_.usd_per_call.begin(), columns_.usd_per_call.end());
}

Workspace Index::workspace() const {
  Workspace ws;
  const auto widest = static_cast<std::size_t>(std::min<std::int64_t>(size(), kMaxTools + kSlack));
  ws.distances.resize(widest);
  ws.labels.resize(widest);
  ws.hits.reserve(widest);
  return ws;
}

bool Index::passes_all(const Filter& f) const {
  return (all_kinds_ & ~f.kinds) == 0 && (all_requires_ & ~f.granted) == 0;
}

bool Index::passes(std::size_t id, const Filter& f) const {
  return ((f.kinds >> columns_.kinds[id]) & 1u) != 0 && (columns_.requires_[id] & ~f.granted) == 0;
}

std::int64_t Index::passing(const Filter& f) const {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < columns_.kinds.size(); ++i) count += passes(i, f);
  return count;
}

Hit Index::score(const float* x, std::size_t id, const Filter& f) const {
  Hit hit;
  hit.id = static_cast<std::int32_t>(id);
  hit.similarity = dot(x, columns_.vectors.data() + id * static_cast<std::size_t>(dim()), dim());
  hit.score = static_cast<float>(hit.similarity - f.cost_bias * columns_.usd_per_call[id]);
  return hit;
}

int Index::best(int k, Workspace& ws, Hit* out) const {
  const auto count = std::min<std::size_t>(static_cast<std::size_t>(k), ws.hits.size());
  std::partial_sort(ws.hits.begin(), ws.hits.begin() + static_cast<std::ptrdiff_t>(count), ws.hits.end(), better);
  std::copy_n(ws.hits.begin(), count, out);
  return static_cast<int>(count);
}

int Index::scan(const float* x, int k, const Filter& f, Workspace& ws, Hit* out) const {
  ws.hits.clear();
  for (std::size_t i = 0; i < columns_.kinds.size(); ++i)
    if (passes(i, f)) ws.hits.push_back(score(x, i, f));
  return best(k, ws, out);
}

// Re-scores what FAISS proposed. Returns the count, or -1 when a vector that was not proposed might still belong to the k
// best: fewer than k pass, or the k-th falls below what the proposal's last entries (the slack) promise of the rest.
int Index::settle(const float* x, int k, const Filter& f, const std::int64_t* labels, std::int64_t proposed, Workspace& ws,
                  Hit* out) const {
  ws.hits.clear();
  float pivot = std::numeric_limits<float>::infinity();
  for (std::int64_t i = 0; i < proposed && labels[i] >= 0; ++i) {
    if (labels[i] >= size()) throw Error(ErrorKind::engine, index_.type(), "proposed " + std::to_string(labels[i]) + ": there is no such vector");
    const auto id = static_cast<std::size_t>(labels[i]);
    const Hit hit = score(x, id, f);
    if (i <= proposed - kSlack) pivot = std::min(pivot, hit.similarity);
    if (passes(id, f)) ws.hits.push_back(hit);
  }
  const int count = best(k, ws, out);
  if (proposed >= size()) return count;
  if (count < k) return -1;
  return out[k - 1].score >= static_cast<float>(pivot - f.cost_bias * cheapest_) ? count : -1;
}

int Index::widen(const float* x, int k, const Filter& f, std::int64_t proposed, Workspace& ws, Hit* out) const {
  for (;; proposed *= kWiden) {
    proposed = std::min(proposed, size());
    const auto n = static_cast<std::size_t>(proposed);
    if (ws.labels.size() < n) {
      ws.labels.resize(n);
      ws.distances.resize(n);
    }
    index_.search(x, 1, proposed, ws.distances.data(), ws.labels.data());
    const int count = settle(x, k, f, ws.labels.data(), proposed, ws, out);
    if (count >= 0) return count;
  }
}

int Index::search(const float* x, int k, const Filter& f, Workspace& ws, Hit* out) const {
  if (k <= 0 || size() == 0) return 0;
  if (!passes_all(f) && passing(f) * kScanShare < size()) return scan(x, k, f, ws, out);
  return widen(x, k, f, k + kSlack, ws, out);
}

void Index::search(const float* x, int n, int k, const Filter& f, Workspace& ws, Hit* out, int* counts) const {
  const auto at = [this](const float* rows, int i) { return rows + static_cast<std::ptrdiff_t>(i) * dim(); };
  const bool few = size() == 0 || k <= 0 || (!passes_all(f) && passing(f) * kScanShare < size());
  const std::int64_t proposed = std::min<std::int64_t>(k + kSlack, size());
  if (few || n == 1) {
    for (int i = 0; i < n; ++i) counts[i] = search(at(x, i), k, f, ws, out + static_cast<std::ptrdiff_t>(i) * k);
    return;
  }
  const auto cells = static_cast<std::size_t>(n * proposed);
  if (ws.batch_labels.size() < cells) {
    ws.batch_labels.resize(cells);
    ws.batch_distances.resize(cells);
  }
  index_.search(x, n, proposed, ws.batch_distances.data(), ws.batch_labels.data());
  for (int i = 0; i < n; ++i) {
    Hit* row = out + static_cast<std::ptrdiff_t>(i) * k;
    counts[i] = settle(at(x, i), k, f, ws.batch_labels.data() + i * proposed, proposed, ws, row);
    if (counts[i] < 0) counts[i] = widen(at(x, i), k, f, proposed * kWiden, ws, row);
  }
}

}  // namespace turnout::capability
