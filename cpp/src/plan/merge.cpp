#include "turnout/plan/merge.hpp"

#include <algorithm>
#include <unordered_map>

namespace turnout::plan {
namespace {

using Query = std::vector<QueryNode>;

std::size_t at(std::int32_t i) { return static_cast<std::size_t>(i); }

std::string path_of(std::size_t query, std::size_t node) {
  return "queries[" + std::to_string(query) + "].nodes[" + std::to_string(node) + "]";
}

void check_sizes(std::span<const Query> queries) {
  if (queries.size() > static_cast<std::size_t>(kMaxQueries))
    throw Error(ErrorKind::input, "queries",
                "expected at most " + std::to_string(kMaxQueries) + ", got " + std::to_string(queries.size()));
  std::size_t nodes = 0;
  for (const Query& q : queries) nodes += q.size();
  if (nodes > static_cast<std::size_t>(kMaxMergedNodes))
    throw Error(ErrorKind::input, "queries",
                "expected at most " + std::to_string(kMaxMergedNodes) + " nodes, got " + std::to_string(nodes));
}

// One edge for each pair, though a result may be used twice.
std::vector<Edge> edges_of(const Query& query, std::size_t place) {
  std::vector<Edge> edges;
  for (std::size_t i = 0; i < query.size(); ++i) {
    if (query[i].operator_name.size() + query[i].inputs.size() > kMaxInputBytes)
      throw Error(ErrorKind::input, path_of(place, i) + ".inputs",
                  "expected at most " + std::to_string(kMaxInputBytes) + " bytes");
    for (std::size_t k = 0; k < query[i].after.size(); ++k) {
      const std::int32_t from = query[i].after[k];
      if (from < 0 || at(from) >= query.size())
        throw Error(ErrorKind::input, path_of(place, i) + ".after[" + std::to_string(k) + "]",
                    "there is no node " + std::to_string(from));
      edges.push_back({from, static_cast<std::int32_t>(i)});
    }
  }
  std::ranges::sort(edges, {}, [](const Edge& e) { return std::pair(e.to, e.from); });
  edges.erase(std::ranges::unique(edges).begin(), edges.end());
  return edges;
}

std::uint64_t hash_of(const QueryNode& node) {
  std::uint64_t h = std::hash<std::string>()(node.operator_name);
  const auto mix = [&](std::uint64_t x) { h = (h ^ x) * 0x9e3779b97f4a7c15u + (h >> 29); };
  mix(std::hash<std::string>()(node.inputs));
  for (const std::int32_t after : node.after) mix(static_cast<std::uint64_t>(after));
  return h;
}

class Merger {
 public:
  explicit Merger(std::uint64_t hash_mask) : mask_(hash_mask) {}

  void add(const Query& query, const Dag& dag) {
    auto& merged = out_.of.emplace_back(query.size(), -1);
    for (const int node : dag.order()) {
      QueryNode key = query[at(node)];
      for (std::int32_t& after : key.after) after = merged[at(after)];
      merged[at(node)] = place(std::move(key));
      ++out_.uses[at(merged[at(node)])];
    }
  }

  MergedDag take() { return std::move(out_); }

 private:
  std::int32_t place(QueryNode key) {
    const std::uint64_t hash = hash_of(key) & mask_;
    const auto [first, last] = known_.equal_range(hash);
    for (auto found = first; key.shared && found != last; ++found)
      if (out_.nodes[at(found->second)] == key) return found->second;
    const auto next = static_cast<std::int32_t>(out_.nodes.size());
    if (key.shared) known_.emplace(hash, next);
    out_.nodes.push_back(std::move(key));
    out_.uses.push_back(0);
    return next;
  }

  std::uint64_t mask_;
  MergedDag out_;
  std::unordered_multimap<std::uint64_t, std::int32_t> known_;
};

}  // namespace

MergedDag merge(std::span<const Query> queries, std::uint64_t hash_mask) {
  check_sizes(queries);
  Merger merger(hash_mask);
  Dag dag;
  for (std::size_t q = 0; q < queries.size(); ++q) {
    const auto edges = edges_of(queries[q], q);
    try {
      dag.assign(static_cast<int>(queries[q].size()), edges);
    } catch (const Error& e) {  // only sizes and cycles are left to find
      throw Error(e.kind, "queries[" + std::to_string(q) + "]", std::string(e.what()).substr(e.path.size() + 2));
    }
    merger.add(queries[q], dag);
  }
  return merger.take();
}

}  // namespace turnout::plan
