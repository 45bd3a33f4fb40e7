// One number for all that a TaskDag holds. The twin computes the same.
#include <algorithm>
#include <bit>
#include <string_view>

#include "plan/tasks.hpp"

namespace turnout::plan {
namespace {

// Each word goes through the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014) on top of those before.
class Digest {
 public:
  void add(std::uint64_t word) {
    value_ += word + 0x9e3779b97f4a7c15u;
    value_ = (value_ ^ (value_ >> 30)) * 0xbf58476d1ce4e5b9u;
    value_ = (value_ ^ (value_ >> 27)) * 0x94d049bb133111ebu;
    value_ ^= value_ >> 31;
  }
  void add(double number) { add(std::bit_cast<std::uint64_t>(number + 0.0)); }  // -0 equals 0
  // Its length, then eight bytes at a time, lowest first.
  void add(std::string_view text) {
    add(static_cast<std::uint64_t>(text.size()));
    for (std::size_t i = 0; i < text.size(); i += 8) {
      std::uint64_t word = 0;
      for (std::size_t k = i; k < std::min(i + 8, text.size()); ++k)
        word |= static_cast<std::uint64_t>(static_cast<unsigned char>(text[k])) << (8 * (k - i));
      add(word);
    }
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0;
};

std::uint64_t word(std::int32_t value) { return static_cast<std::uint64_t>(static_cast<std::int64_t>(value)); }

void add_task(Digest& digest, const Task& task) {
  const TaskAttributes& a = task.attributes;
  digest.add(word(task.id));
  for (const auto* text : {&task.name, &a.operator_name, &a.device_class, &task.agent})
    digest.add(std::string_view(*text));
  digest.add(a.seconds);
  digest.add(a.cost);
  digest.add(word(a.priority));
  digest.add(a.skills);
  digest.add(static_cast<std::uint64_t>(task.state));
  digest.add(word(task.attempts));
  digest.add(static_cast<std::uint64_t>(task.inputs.size()));
  for (const Input& input : task.inputs) {
    digest.add(word(input.task));
    digest.add(input.coupling);
  }
}

}  // namespace

std::uint64_t TaskDag::digest() const {
  Digest digest;
  digest.add(word(next_id()));
  for (const Node& n : nodes_)
    if (n.alive) add_task(digest, n.task);
  return digest.value();
}

}  // namespace turnout::plan
