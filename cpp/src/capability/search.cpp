// FAISS proposes, the core decides: re-scoring, the proof that nothing better was left out, and what to do without one.
#include <algorithm>
#include <cmath>
#include <limits>

#include "turnout/capability.hpp"

namespace turnout::capability {
namespace {

// What a search inside FAISS costs in inner products of ours, at 256 dimensions: an exhaustive one reads every vector,
// at most twice as fast as we do (bench/cpp/capability.cpp measures both); a graph visits the neighbours of each vector
// that it proposes.
constexpr std::int64_t kExhaustiveSpeed = 2, kGraphVisits = 32;
constexpr std::int64_t kWiden = 4;

bool better(const Hit& a, const Hit& b) { return a.score != b.score ? a.score > b.score : a.id < b.id; }

// The k best of those offered; the worst of them is on top of the heap.
class Best {
 public:
  Best(std::vector<Hit>& heap, int k) : heap_(heap), k_(static_cast<std::size_t>(k)) { heap_.clear(); }
  void offer(const Hit& hit) {
    if (heap_.size() == k_) {
      if (!better(hit, heap_.front())) return;
      std::pop_heap(heap_.begin(), heap_.end(), better);
      heap_.pop_back();
    }
    heap_.push_back(hit);
    std::push_heap(heap_.begin(), heap_.end(), better);
  }
  int write(Hit* out) {
    std::sort_heap(heap_.begin(), heap_.end(), better);
    std::copy(heap_.begin(), heap_.end(), out);
    return static_cast<int>(heap_.size());
  }

 private:
  std::vector<Hit>& heap_;
  std::size_t k_;
};

void check(const Filter& f) {
  if (!(f.cost_bias >= 0) || std::isinf(f.cost_bias))
    throw Error(ErrorKind::input, "cost_bias", "expected a number >= 0, got " + std::to_string(f.cost_bias));
}

}  // namespace

bool Index::passes(std::size_t id, const Filter& f) const {
  return ((kind_bits_[id] & ~f.kinds) | (columns_.requires_[id] & ~f.granted)) == 0;
}

std::int64_t Index::passing(const Filter& f) const {
  if (((all_kinds_ & ~f.kinds) | (all_requires_ & ~f.granted)) == 0) return size();
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < kind_bits_.size(); ++i) count += passes(i, f);
  return count;
}

bool Index::cheaper_to_scan(std::int64_t passing, std::int64_t proposed) const {
  return passing <= kGraphVisits * proposed || (index_.exhaustive() && passing <= size() / kExhaustiveSpeed);
}

// So many proposals that k + kSlack of them may be expected to pass. Without a filter FAISS always proposes first.
Index::Plan Index::plan(int k, const Filter& f) const {
  const auto passed = passing(f);
  const double share = static_cast<double>(std::max<std::int64_t>(passed, 1)) / static_cast<double>(size());
  const double wanted = std::min(std::ceil((static_cast<double>(k) + kSlack) / share), static_cast<double>(size()));
  const auto proposed = static_cast<std::int64_t>(wanted);
  return {passed, proposed, passed < size() && cheaper_to_scan(passed, proposed)};
}

Hit Index::score(const float* x, std::size_t id, const Filter& f) const {
  const float similarity = dot(x, columns_.vectors.data() + id * static_cast<std::size_t>(dim()), dim());
  return {static_cast<std::int32_t>(id), similarity,
          static_cast<float>(similarity - f.cost_bias * columns_.usd_per_call[id])};
}

int Index::scan(const float* x, int k, const Filter& f, Workspace& ws, Hit* out) const {
  Best best(ws.hits, k);
  for (std::size_t i = 0; i < kind_bits_.size(); ++i)
    if (passes(i, f)) best.offer(score(x, i, f));
  return best.write(out);
}

// No vector that FAISS left out scores above this: by FAISS's sum it is no better than the lowest proposal, so by ours
// no better than that by more than the difference of both sums, twice; and it costs no less than the cheapest.
float Index::rest_at_most(const float* x, float lowest, const Filter& f) const {
  const double norm = std::sqrt(double{dot(x, x, dim())});
  return static_cast<float>(lowest + 2 * error_ * norm - f.cost_bias * cheapest_);
}

// Re-scores what FAISS proposed. Returns the count, or -1 when a vector that was left out might belong to the k best.
int Index::settle(const float* x, int k, const Filter& f, std::span<const std::int64_t> labels, Workspace& ws,
                  Hit* out) const {
  Best best(ws.hits, k);
  float lowest = std::numeric_limits<float>::infinity();
  std::int64_t seen = 0;
  for (const auto label : labels) {
    if (label < 0) break;
    if (label >= size())
      throw Error(ErrorKind::engine, index_.type(), "proposed " + std::to_string(label) + ": there is no such vector");
    const Hit hit = score(x, static_cast<std::size_t>(label), f);
    lowest = std::min(lowest, hit.similarity);
    if (passes(static_cast<std::size_t>(label), f)) best.offer(hit);
    ++seen;
  }
  const int count = best.write(out);
  if (seen == size()) return count;
  return count == k && out[k - 1].score > rest_at_most(x, lowest, f) ? count : -1;
}

void Index::propose(const float* x, int n, std::int64_t proposed, Workspace& ws,
                    std::vector<std::int64_t>& labels) const {
  const auto cells = static_cast<std::size_t>(n) * static_cast<std::size_t>(proposed);
  if (labels.size() < cells) labels.resize(cells);
  if (ws.distances.size() < cells) ws.distances.resize(cells);
  index_.search(x, n, proposed, ws.distances.data(), labels.data());
}

int Index::widen(const float* x, int k, const Filter& f, const Plan& plan, Workspace& ws, Hit* out) const {
  for (auto proposed = plan.proposed * kWiden; !cheaper_to_scan(plan.passing, proposed); proposed *= kWiden) {
    propose(x, 1, proposed, ws, ws.wider);
    const int count = settle(x, k, f, {ws.wider.data(), static_cast<std::size_t>(proposed)}, ws, out);
    if (count >= 0) return count;
  }
  return scan(x, k, f, ws, out);
}

// The count, or 0 with the hits cleared where none of them reaches the threshold.
int Index::unless_withheld(Hit* hits, int count) const {
  if (std::any_of(hits, hits + count, [this](const Hit& hit) { return hit.similarity >= threshold_; })) return count;
  std::fill_n(hits, count, Hit{});
  return 0;
}

int Index::search(const float* x, int k, const Filter& f, Workspace& ws, Hit* out) const {
  int count = 0;
  search(x, 1, k, f, ws, out, &count);
  return count;
}

void Index::search(const float* x, int n, int k, const Filter& f, Workspace& ws, Hit* out, int* counts) const {
  check(f);
  std::fill_n(counts, n, 0);
  if (k <= 0 || size() == 0) return;
  const Plan p = plan(k, f);
  if (!p.scan) propose(x, n, p.proposed, ws, ws.labels);
  const auto width = static_cast<std::size_t>(p.proposed);
  for (int i = 0; i < n; ++i) {
    const auto row = static_cast<std::size_t>(i);
    const float* query = x + row * static_cast<std::size_t>(dim());
    Hit* hits = out + row * static_cast<std::size_t>(k);
    counts[i] =
        p.scan ? scan(query, k, f, ws, hits) : settle(query, k, f, {ws.labels.data() + row * width, width}, ws, hits);
    if (counts[i] < 0) counts[i] = widen(query, k, f, p, ws, hits);
    if (threshold_ > kNoThreshold) counts[i] = unless_withheld(hits, counts[i]);
  }
}

}  // namespace turnout::capability
