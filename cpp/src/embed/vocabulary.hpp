// The vocabulary: tokens by id, and the longest token that a string begins with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace turnout::embed {

// Tokens of up to 16 bytes as two integers, so that a comparison is two instructions and a hit one cache line.
struct Key {
  std::uint64_t low = 0, high = 0;
  bool operator==(const Key&) const = default;
};

// Open addressing with linear probing, half full.
class TokenTable {
 public:
  static constexpr std::size_t kShort = 16;

  void build(const std::vector<std::pair<std::string_view, std::int32_t>>& tokens);
  // The id of exactly these bytes, or -1.
  std::int32_t find(std::string_view token) const;

  struct Match {
    std::int32_t id = -1;
    std::size_t bytes = 0;
  };
  // The longest token that the `size` bytes at `p` begin with; 16 bytes after them must be readable.
  Match longest(const unsigned char* p, std::size_t size) const;

 private:
  struct Slot {
    Key key;
    std::int32_t id = -1;
  };
  struct LongToken {
    std::string_view text;
    std::int32_t id;
  };
  std::int32_t find(const Key& key) const;
  std::size_t home(const Key& key) const;
  void insert(const Key& key, std::int32_t id);
  Match longest_long(std::string_view text) const;

  std::vector<Slot> slots_;
  std::vector<LongToken> long_;         // longer than a key, longest first: a handful
  std::vector<std::uint32_t> lengths_;  // by the first bytes: which lengths there are
};

class Vocabulary {
 public:
  Vocabulary(std::string_view text, const std::string& path);
  Vocabulary(const Vocabulary&) = delete;

  int size() const { return static_cast<int>(tokens_.size()); }
  std::string_view token(int id) const { return tokens_[static_cast<std::size_t>(id)]; }
  std::int32_t find(std::string_view token) const;
  const TokenTable& starts() const { return starts_; }
  const TokenTable& continuations() const { return continuations_; }

 private:
  std::string text_;
  std::vector<std::string_view> tokens_;
  TokenTable starts_, continuations_;  // continuations without their "##"
};

}  // namespace turnout::embed
