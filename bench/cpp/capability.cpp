// Microseconds of a capability search, one thread, warm, against the bare FAISS call inside of it, and heap allocations
// of a search, FAISS's and ours. Flat indexes over random unit vectors; with arguments the index of a file:
//   bench_capability INDEX.faiss ROWS.f32    (ROWS: its vectors, raw float32)
// Needs TURNOUT_FAISS_LIBRARY. Fails when an answer differs from a scan's over a flat index.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

#include "allocations.hpp"
#include "tiny_onnx.hpp"
#include "turnout/capability.hpp"

using namespace turnout;
using namespace turnout::capability;

namespace {

constexpr int kDim = 256, kQueries = 200, kRepeats = 20, kBatchRepeats = 5, kTop = 4;

std::vector<float> unit_rows(int n, int dim, std::uint64_t seed) {
  Philox rng(seed);
  std::vector<float> rows(static_cast<std::size_t>(n * dim));
  for (auto row = rows.begin(); row != rows.end(); row += dim) {
    std::generate_n(row, dim, [&] { return static_cast<float>(rng.normal()); });
    const float norm = std::sqrt(dot(&*row, &*row, dim));
    std::for_each(row, row + dim, [&](float& v) { v /= norm; });
  }
  return rows;
}

// A tenth of the capabilities needs no grant, the rest one of three bits.
Columns columns(std::vector<float> rows, std::size_t n) {
  Columns c;
  c.vectors = std::move(rows);
  for (std::size_t i = 0; i < n; ++i) {
    c.kinds.push_back(static_cast<std::uint8_t>(i % 4));
    c.requires_.push_back(i % 10 == 0 ? 0u : 1u << (i % 3));
    c.usd_per_call.push_back(0.001f * static_cast<float>(i % 5));
  }
  return c;
}

std::shared_ptr<const Engine> engine() {
  const char* library = std::getenv("TURNOUT_FAISS_LIBRARY");
  if (library == nullptr) throw std::runtime_error("set TURNOUT_FAISS_LIBRARY (python -m turnout.engines prints it)");
  return Engine::load(library);
}

template <class F>
double once(F&& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

// Median over queries of the best of some rounds: what the call takes, not what the machine adds. A round goes through
// all queries, so that none finds its own way warm.
template <class Call>
double measure(const std::vector<float>& queries, int dim, Call&& call) {
  std::vector<double> best(kQueries, 1e300);
  for (int r = 0; r < kRepeats; ++r)
    for (std::size_t q = 0; q < best.size(); ++q)
      best[q] = std::min(best[q], once([&] { call(queries.data() + q * static_cast<std::size_t>(dim)); }));
  return median(best);
}

double measure_bare(const Index& index, const std::vector<float>& queries) {
  const auto k = std::min<std::int64_t>(kTop + Index::kSlack, index.size());
  std::vector<float> distances(static_cast<std::size_t>(k));
  std::vector<std::int64_t> labels(static_cast<std::size_t>(k));
  return measure(queries, index.dim(),
                 [&](const float* x) { index.faiss().search(x, 1, k, distances.data(), labels.data()); });
}

double measure_search(const Index& index, const std::vector<float>& queries, const Filter& filter, Workspace& ws) {
  Hit hits[kTop];
  return measure(queries, index.dim(), [&](const float* x) { index.search(x, kTop, filter, ws, hits); });
}

double measure_scan(const Columns& c, const std::vector<float>& queries, int dim) {
  volatile float sink = 0;
  return measure(queries, dim, [&](const float* x) {
    float top = -2;
    for (std::size_t i = 0; i < c.kinds.size(); ++i)
      top = std::max(top, dot(x, c.vectors.data() + i * static_cast<std::size_t>(dim), dim));
    sink = top;
  });
}

double measure_batch(const Index& index, const std::vector<float>& queries, Workspace& ws) {
  std::vector<Hit> hits(kMaxBatch * kTop);
  std::vector<int> counts(kMaxBatch);
  double best = 1e300;
  for (int r = 0; r < kBatchRepeats; ++r)
    best = std::min(best,
                    once([&] { index.search(queries.data(), kMaxBatch, kTop, {}, ws, hits.data(), counts.data()); }));
  return best / kMaxBatch;
}

void allocations_of(const Index& index, const std::vector<float>& queries, const Filter& f, Workspace& ws) {
  set_allocation_counter(allocations::count);
  Hit hits[kTop];
  const long all = allocations::count(), inside = engine_allocations();
  for (int q = 0; q < kQueries; ++q) index.search(queries.data() + q * index.dim(), kTop, f, ws, hits);
  const long engines = engine_allocations() - inside;
  std::printf("  allocations a search: FAISS %.1f, ours %.1f\n", static_cast<double>(engines) / kQueries,
              static_cast<double>(allocations::count() - all - engines) / kQueries);
  set_allocation_counter(nullptr);
}

int wrong(const Index& index, const Columns& c, const std::vector<float>& queries, Workspace& ws) {
  int count = 0;
  for (int q = 0; q < kQueries; ++q) {
    const float* x = queries.data() + q * index.dim();
    std::vector<Hit> all;
    for (std::size_t i = 0; i < c.kinds.size(); ++i) {
      const float s = dot(x, c.vectors.data() + i * static_cast<std::size_t>(index.dim()), index.dim());
      all.push_back({static_cast<std::int32_t>(i), s, s});
    }
    std::sort(all.begin(), all.end(),
              [](const Hit& a, const Hit& b) { return a.score != b.score ? a.score > b.score : a.id < b.id; });
    Hit hits[kTop];
    index.search(x, kTop, {}, ws, hits);
    count += !std::equal(hits, hits + kTop, all.begin());
  }
  return count;
}

int report(const Index& index, const Columns& c, const std::vector<float>& queries) {
  auto ws = index.workspace();
  std::printf("%s, %lld x %d, k = %d\n", index.faiss().type().c_str(), static_cast<long long>(index.size()),
              index.dim(), kTop);
  const struct {
    const char* name;
    Filter filter;
  } cases[] = {{"no filter", {}},
               {"kinds: half", {0b0011, ~0u, 0}},
               {"granted: 40%", {~0u, 0b001, 0}},
               {"both: 10%", {0b0001, 0b001, 0}},
               {"cost bias 1", {~0u, ~0u, 1.0}}};
  for (const auto& item : cases) {
    const double bare = measure_bare(index, queries), ours = measure_search(index, queries, item.filter, ws);
    std::printf("  %-14s bare FAISS %6.1f us, search %6.1f us, difference %+5.1f\n", item.name, bare, ours,
                ours - bare);
  }
  std::printf("  own inner products with every vector: %.1f us\n", measure_scan(c, queries, index.dim()));
  std::printf("  batch of %d: %.1f us a row\n", kMaxBatch, measure_batch(index, queries, ws));
  allocations_of(index, queries, {}, ws);
  const int differing = wrong(index, c, queries, ws);
  std::printf("  answers that differ from a scan's: %d of %d\n", differing, kQueries);
  return index.faiss().exhaustive() ? differing : 0;
}

std::string read(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(std::string(path) + ": cannot be read");
  return {std::istreambuf_iterator<char>(file), {}};
}

int of_file(const char* index_path, const char* rows_path) {
  const std::string bytes = read(index_path), raw = read(rows_path);
  FaissIndex faiss(engine(), tiny::view(bytes), index_path);
  const int dim = faiss.dim();
  std::vector<float> rows(raw.size() / sizeof(float));
  std::memcpy(rows.data(), raw.data(), rows.size() * sizeof(float));
  const Columns c = columns(std::move(rows), static_cast<std::size_t>(faiss.size()));
  return report(Index(std::move(faiss), c), c, unit_rows(kQueries, dim, 2));
}

int of_size(int n) {
  const auto rows = unit_rows(n, kDim, 1);
  const Columns c = columns(rows, static_cast<std::size_t>(n));
  const auto bytes = tiny::flat_index(kDim, rows);
  return report(Index(FaissIndex(engine(), tiny::view(bytes), "random"), c), c, unit_rows(kQueries, kDim, 2));
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc == 3) return of_file(argv[1], argv[2]);
  return of_size(64) + of_size(1000);
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 2;
}
