#include "turnout/capability.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <thread>
#include <vector>

#include "allocations.hpp"
#include "check.hpp"
#include "tiny_onnx.hpp"

using namespace turnout;
using namespace turnout::capability;

namespace {

constexpr int kDim = 24;
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::shared_ptr<const Engine> engine() { return Engine::load(check::required_env("TURNOUT_FAISS_LIBRARY")); }

std::vector<float> unit_rows(int n, std::uint64_t seed) {
  Philox rng(seed);
  std::vector<float> rows;
  for (int i = 0; i < n; ++i) {
    double norm = 0;
    std::vector<double> row(kDim);
    for (double& v : row) {
      v = rng.normal();
      norm += v * v;
    }
    for (const double v : row) rows.push_back(static_cast<float>(v / std::sqrt(norm)));
  }
  return rows;
}

Columns columns(const std::vector<float>& vectors) {
  Columns c;
  c.vectors = vectors;
  const std::size_t n = vectors.size() / kDim;
  for (std::size_t i = 0; i < n; ++i) {
    c.kinds.push_back(static_cast<std::uint8_t>(i % 4));
    c.requires_.push_back(i % 10 == 0 ? 0u : 1u << (i % 3));
    c.usd_per_call.push_back(0.01f * static_cast<float>(i % 5));
  }
  return c;
}

Index make(int n, std::uint64_t seed = 1) {
  const auto vectors = unit_rows(n, seed);
  const auto data = tiny::flat_index(kDim, vectors);
  return Index(FaissIndex(engine(), tiny::view(data), "tiny.faiss"), columns(vectors));
}

std::vector<Hit> brute_force(const Columns& c, const float* x, int k, const Filter& f) {
  std::vector<Hit> hits;
  for (std::size_t i = 0; i < c.kinds.size(); ++i) {
    if (((f.kinds >> c.kinds[i]) & 1u) == 0 || (c.requires_[i] & ~f.granted) != 0) continue;
    const float s = dot(x, c.vectors.data() + i * kDim, kDim);
    hits.push_back({static_cast<std::int32_t>(i), s, static_cast<float>(s - f.cost_bias * c.usd_per_call[i])});
  }
  std::sort(hits.begin(), hits.end(),
            [](const Hit& a, const Hit& b) { return a.score != b.score ? a.score > b.score : a.id < b.id; });
  hits.resize(std::min(hits.size(), static_cast<std::size_t>(k)));
  return hits;
}

}  // namespace

TEST(equal_to_brute_force_under_every_filter) {
  for (const int n : {1, 5, 60, 700}) {
    const Index index = make(n);
    const Columns c = columns(unit_rows(n, 1));
    const auto queries = unit_rows(40, 2);
    auto ws = index.workspace();
    const Filter filters[] = {
        {}, {0b0011, ~0u, 0}, {~0u, 0b001, 0}, {0b1000, 0b010, 0}, {~0u, ~0u, 3.0}, {0b0101, 0b011, 0.7}, {0, ~0u, 0}};
    for (const Filter& f : filters)
      for (const int k : {1, 4, 8})
        for (int q = 0; q < 40; ++q) {
          std::vector<Hit> hits(static_cast<std::size_t>(k));
          hits.resize(static_cast<std::size_t>(index.search(queries.data() + q * kDim, k, f, ws, hits.data())));
          CHECK(hits == brute_force(c, queries.data() + q * kDim, k, f));
        }
  }
}

TEST(a_batch_equals_single_searches) {
  const Index index = make(500);
  const auto queries = unit_rows(kMaxBatch, 3);
  auto ws = index.workspace();
  for (const Filter& f : {Filter{}, Filter{~0u, ~0u, 2.0}, Filter{0b0001, 0b001, 0}}) {
    std::vector<Hit> batch(kMaxBatch * 4), single(4);
    std::vector<int> counts(kMaxBatch);
    index.search(queries.data(), kMaxBatch, 4, f, ws, batch.data(), counts.data());
    for (int i = 0; i < kMaxBatch; ++i) {
      const int count = index.search(queries.data() + i * kDim, 4, f, ws, single.data());
      CHECK(count == counts[static_cast<std::size_t>(i)]);
      CHECK(std::equal(single.begin(), single.begin() + count, batch.begin() + i * 4));
    }
  }
}

static Index index_of(const std::vector<float>& vectors, const Columns& c) {
  const auto data = tiny::flat_index(kDim, vectors);
  return Index(FaissIndex(engine(), tiny::view(data), "rows"), c);
}

static bool exact(const Index& index, const Columns& c, const float* x, int k, const Filter& f) {
  auto ws = index.workspace();
  std::vector<Hit> hits(static_cast<std::size_t>(k));
  hits.resize(static_cast<std::size_t>(index.search(x, k, f, ws, hits.data())));
  return hits == brute_force(c, x, k, f);
}

// More equal vectors than any slack: FAISS may propose any of them.
TEST(ties_go_to_the_lower_id) {
  const auto one = unit_rows(1, 8);
  for (const int n : {30, 2000}) {
    std::vector<float> same;
    for (int i = 0; i < n; ++i) same.insert(same.end(), one.begin(), one.end());
    const Columns c = columns(same);
    const Index index = index_of(same, c);
    for (const Filter& f : {Filter{}, Filter{~0u, 0b011, 0}, Filter{~0u, ~0u, 1.0}})
      CHECK(exact(index, c, one.data(), 3, f));
  }
}

// Vectors that differ in their last bits: FAISS's order of summation ranks them otherwise than ours.
TEST(near_ties_are_ranked_by_our_own_sums) {
  const auto one = unit_rows(1, 8);
  std::vector<float> close;
  for (int i = 0; i < 3000; ++i)
    for (int j = 0; j < kDim; ++j) {
      const float v = one[static_cast<std::size_t>(j)];
      close.push_back((i * 7 + j * 3) % 5 == 0 ? std::nextafter(v, i % 2 == 0 ? 2.0f : -2.0f) : v);
    }
  const Columns c = columns(close);
  const Index index = index_of(close, c);
  for (const auto& x : {one, unit_rows(1, 9), unit_rows(1, 10)})
    for (const Filter& f : {Filter{}, Filter{0b0110, 0b101, 0}, Filter{~0u, ~0u, 1e-6}})
      CHECK(exact(index, c, x.data(), 4, f));
}

// The k best as they are, or none of them: whatever the filter, with and without a scan.
TEST(below_the_threshold_nothing_is_returned) {
  const auto vectors = unit_rows(600, 1);
  const Columns c = columns(vectors);
  const auto data = tiny::flat_index(kDim, vectors);
  const auto queries = unit_rows(40, 2);
  int withheld = 0, kept = 0;
  for (const float threshold : {Index::kNoThreshold, -1.0f, 0.45f, 0.55f, 2.0f}) {
    const Index index(FaissIndex(engine(), tiny::view(data), "rows"), c, threshold);
    CHECK(index.threshold() == threshold);
    auto ws = index.workspace();
    for (const Filter& f : {Filter{}, Filter{0b0011, 0b001, 0}, Filter{~0u, ~0u, 3.0}, Filter{0, ~0u, 0}}) {
      std::vector<Hit> batch(40 * 4);
      std::vector<int> counts(40);
      index.search(queries.data(), 40, 4, f, ws, batch.data(), counts.data());
      for (int q = 0; q < 40; ++q) {
        auto hits = brute_force(c, queries.data() + q * kDim, 4, f);
        if (std::none_of(hits.begin(), hits.end(), [&](const Hit& h) { return h.similarity >= threshold; }))
          hits.clear();
        const auto count = static_cast<std::size_t>(counts[static_cast<std::size_t>(q)]);
        CHECK(count == hits.size() && std::equal(hits.begin(), hits.end(), batch.begin() + q * 4));
        CHECK(std::all_of(batch.begin() + q * 4 + static_cast<long>(count), batch.begin() + q * 4 + 4,
                          [](const Hit& h) { return h == Hit{}; }));
        (hits.empty() && index.passing(f) > 0 ? withheld : kept) += 1;
      }
    }
  }
  CHECK(withheld > 100 && kept > 100);
  CHECK_ERROR(Index(FaissIndex(engine(), tiny::view(data), "rows"), c, kNan), ErrorKind::config,
              "capability.threshold");
}

TEST(k_of_zero_and_more_than_there_are) {
  const Index index = make(5);
  const auto x = unit_rows(1, 9);
  auto ws = index.workspace();
  Hit hits[8];
  CHECK(index.search(x.data(), 0, {}, ws, hits) == 0);
  CHECK(index.search(x.data(), 8, {}, ws, hits) == 5);
  CHECK(index.search(x.data(), std::numeric_limits<int>::max(), {}, ws, hits) == 5);
}

static void refuse_broken() {
  const auto vectors = unit_rows(10, 4);
  const auto data = tiny::flat_index(kDim, vectors);
  const auto load = [](const std::string& bytes) { FaissIndex index(engine(), tiny::view(bytes), "broken"); };
  for (const std::string& broken :
       {std::string(), std::string("garbage!"), data.substr(0, 20), data.substr(0, data.size() - 4)})
    CHECK_ERROR(load(broken), ErrorKind::bundle, "broken");
  std::string untrained = data, l2 = data;
  untrained[32] = 0;
  CHECK_ERROR(load(untrained), ErrorKind::bundle, "broken");
  l2[33] = 1;
  CHECK_ERROR(load(l2), ErrorKind::bundle, "broken");
}

TEST(a_cost_bias_is_a_number_of_at_least_zero) {
  const Index index = make(5);
  const auto x = unit_rows(1, 9);
  auto ws = index.workspace();
  Hit hits[2];
  for (const double bias : {-1.0, double{kNan}, std::numeric_limits<double>::infinity()})
    CHECK_ERROR(index.search(x.data(), 2, Filter{~0u, ~0u, bias}, ws, hits), ErrorKind::input, "cost_bias");
}

// Callers check their vectors; one that is not checked must not run wild.
TEST(a_query_that_is_not_finite_stays_inside) {
  const Index index = make(300);
  auto x = unit_rows(1, 9);
  auto ws = index.workspace();
  Hit hits[4];
  for (const float bad : {kNan, std::numeric_limits<float>::infinity(), 3e38f}) {
    x[3] = bad;
    const int count = index.search(x.data(), 4, {}, ws, hits);
    CHECK(count == 4 && std::all_of(hits, hits + 4, [](const Hit& h) { return h.id >= 0 && h.id < 300; }));
  }
}

TEST(a_search_allocates_nothing_of_ours) {
  const Index index = make(1000);
  const auto queries = unit_rows(50, 2);
  auto ws = index.workspace();
  const Filter filters[] = {{}, {0b0011, 0b011, 0}, {~0u, ~0u, 1.0}};
  Hit hits[4];
  const auto search_all = [&] {
    for (const Filter& f : filters)
      for (int q = 0; q < 50; ++q) index.search(queries.data() + q * kDim, 4, f, ws, hits);
  };
  search_all();
  set_allocation_counter(allocations::count);
  const long all = allocations::count(), inside = engine_allocations();
  search_all();
  const long ours = allocations::count() - all - (engine_allocations() - inside);
  CHECK(engine_allocations() > inside);  // the counter counts
  set_allocation_counter(nullptr);
  CHECK(ours == 0);
}

TEST(threads_share_an_index) {
  const Index index = make(400);
  const auto queries = unit_rows(20, 2);
  const Columns c = columns(unit_rows(400, 1));
  std::array<int, 4> wrong{};
  const auto work = [&](std::size_t t) {
    for (int q = 0; q < 20; ++q) wrong[t] += !exact(index, c, queries.data() + q * kDim, 4, Filter{~0u, 0b011, 0});
    for (int q = 0; q < 20; ++q) wrong[t] += !exact(index, c, queries.data() + q * kDim, 4, {});
  };
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < wrong.size(); ++t) threads.emplace_back(work, t);
  for (auto& thread : threads) thread.join();
  CHECK((wrong == std::array<int, 4>{}));
}

TEST(the_same_path_is_the_same_engine) { CHECK(engine() == engine() && engine()->version() != "unknown"); }

TEST(columns_of_another_length_are_refused) {
  const auto vectors = unit_rows(10, 4);
  const auto data = tiny::flat_index(kDim, vectors);
  const auto with = [&](auto spoil) {
    Columns c = columns(vectors);
    spoil(c);
    Index(FaissIndex(engine(), tiny::view(data), "ok"), c);
  };
  CHECK_ERROR(with([](Columns& c) { c.vectors.pop_back(); }), ErrorKind::config, "capability.vectors");
  CHECK_ERROR(with([](Columns& c) { c.kinds.pop_back(); }), ErrorKind::config, "capability.kinds");
  CHECK_ERROR(with([](Columns& c) { c.requires_.clear(); }), ErrorKind::config, "capability.requires");
  CHECK_ERROR(with([](Columns& c) { c.usd_per_call.clear(); }), ErrorKind::config, "capability.usd_per_call");
  CHECK_ERROR(with([](Columns& c) { c.kinds[3] = 40; }), ErrorKind::config, "capability.kinds[3]");
  CHECK_ERROR(with([](Columns& c) { c.vectors[7] = kNan; }), ErrorKind::config, "capability.vectors[7]");
  CHECK_ERROR(with([](Columns& c) { c.usd_per_call[2] = kNan; }), ErrorKind::config, "capability.usd_per_call[2]");
}

TEST(libraries_that_are_none_are_refused) {
  CHECK_ERROR(Engine::load("/nowhere/libfaiss.so"), ErrorKind::engine, "/nowhere/libfaiss.so");
  CHECK_ERROR(Engine::load("libm.so.6"), ErrorKind::engine, "libm.so.6");
}

TEST(broken_indexes_are_refused) { refuse_broken(); }

TEST(nothing_leaks) {
  const long before = live_indexes();
  for (int i = 0; i < 100; ++i) make(20, static_cast<std::uint64_t>(i));
  refuse_broken();
  CHECK(live_indexes() == before);
}
