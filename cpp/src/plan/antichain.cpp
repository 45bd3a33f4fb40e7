#include "turnout/plan/antichain.hpp"

#include <algorithm>
#include <bit>
#include <span>
#include <utility>

namespace turnout::plan {
namespace {

using Word = std::uint64_t;

// Rows of bits, one a node.
class Bits {
 public:
  Bits(int rows, int columns)
      : words_((static_cast<std::size_t>(columns) + 63) / 64), bits_(words_ * static_cast<std::size_t>(rows)) {}
  std::span<Word> row(int i) { return {bits_.data() + words_ * static_cast<std::size_t>(i), words_}; }

 private:
  std::size_t words_;
  std::vector<Word> bits_;
};

void set(std::span<Word> row, int i) { row[static_cast<std::size_t>(i) / 64] |= Word{1} << (i % 64); }
void unset(std::span<Word> row, int i) { row[static_cast<std::size_t>(i) / 64] &= ~(Word{1} << (i % 64)); }

Bits closure(const Dag& dag) {
  Bits after(dag.nodes(), dag.nodes());
  const auto order = dag.order();
  for (std::size_t i = order.size(); i-- > 0;)
    for (const int child : dag.children(order[i])) {
      const auto from = after.row(child), to = after.row(order[i]);
      for (std::size_t w = 0; w < to.size(); ++w) to[w] |= from[w];
      set(to, child);
    }
  return after;
}

// A largest matching of nodes with nodes after them, by augmenting paths (Kuhn's algorithm) over words of 64.
class Matching {
 public:
  Matching(Bits& after, int nodes)
      : after_(after), nodes_(nodes), unseen_(1, nodes), next_(size(), -1), previous_(size(), -1), via_(size(), -1) {
    for (int node = 0; node < nodes; ++node) augment(node);
  }

  // Koenig: what alternating paths from unmatched left nodes reach on the left and not on the right is independent.
  std::vector<int> antichain() {
    std::vector<bool> left(size()), right(size());
    see_all();
    for (int node = 0; node < nodes_; ++node)
      if (next_[index(node)] < 0) reach(node, left, right);
    std::vector<int> out;
    for (int node = 0; node < nodes_; ++node)
      if (left[index(node)] && !right[index(node)]) out.push_back(node);
    return out;
  }

 private:
  std::size_t size() const { return static_cast<std::size_t>(nodes_); }
  static std::size_t index(int node) { return static_cast<std::size_t>(node); }

  void see_all() {
    for (int node = 0; node < nodes_; ++node) set(unseen_.row(0), node);
  }

  // The lowest unseen node after `node`, which is then seen; -1 where there is none.
  int take(int node) {
    const auto row = after_.row(node), unseen = unseen_.row(0);
    for (std::size_t w = 0; w < row.size(); ++w)
      if (const Word both = row[w] & unseen[w]) {
        const int found = static_cast<int>(w) * 64 + std::countr_zero(both);
        unset(unseen, found);
        return found;
      }
    return -1;
  }

  // Depth first without recursion; via_ says from which left node each right node was reached.
  void augment(int start) {
    see_all();
    stack_.clear();
    stack_.push_back(start);
    while (!stack_.empty()) {
      const int found = take(stack_.back());
      if (found < 0) {
        stack_.pop_back();
        continue;
      }
      via_[index(found)] = stack_.back();
      if (previous_[index(found)] < 0) return flip(found);
      stack_.push_back(previous_[index(found)]);
    }
  }

  void flip(int right) {
    while (right >= 0) {
      const int left = via_[index(right)];
      previous_[index(right)] = left;
      right = std::exchange(next_[index(left)], right);
    }
  }

  void reach(int start, std::vector<bool>& left, std::vector<bool>& right) {
    stack_.clear();
    stack_.push_back(start);
    left[index(start)] = true;
    while (!stack_.empty()) {
      const int found = take(stack_.back());
      if (found < 0) {
        stack_.pop_back();
        continue;
      }
      right[index(found)] = true;
      left[index(previous_[index(found)])] = true;  // matched, else the matching were not largest
      stack_.push_back(previous_[index(found)]);
    }
  }

  Bits& after_;
  int nodes_;
  Bits unseen_;
  std::vector<int> next_, previous_, via_, stack_;
};

}  // namespace

std::vector<int> largest_antichain(const Dag& dag) {
  if (dag.nodes() > kMaxAntichainNodes)
    throw Error(ErrorKind::input, "nodes",
                "expected at most " + std::to_string(kMaxAntichainNodes) + ", got " + std::to_string(dag.nodes()));
  Bits after = closure(dag);
  return Matching(after, dag.nodes()).antichain();
}

}  // namespace turnout::plan
