#include "vocabulary.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <unordered_map>

#include "turnout/core.hpp"
#include "utf8.hpp"

namespace turnout::embed {
namespace {

static_assert(std::endian::native == std::endian::little, "keys hold bytes in little-endian order");

constexpr std::string_view kContinuation = "##";
constexpr int kPrefixBits = 12;

constexpr std::array<Key, TokenTable::kShort + 1> make_masks() {
  std::array<Key, TokenTable::kShort + 1> masks{};
  for (std::size_t n = 1; n <= TokenTable::kShort; ++n) {
    masks[n].low = n >= 8 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * n) - 1;
    masks[n].high = n <= 8 ? 0 : n == 16 ? ~std::uint64_t{0} : (std::uint64_t{1} << 8 * (n - 8)) - 1;
  }
  return masks;
}
constexpr auto kMasks = make_masks();

Key load(const unsigned char* p) {
  Key key;
  std::memcpy(&key.low, p, 8);
  std::memcpy(&key.high, p + 8, 8);
  return key;
}

Key prefix(const Key& key, std::size_t bytes) { return {key.low & kMasks[bytes].low, key.high & kMasks[bytes].high}; }

Key key_of(std::string_view token) {
  std::array<unsigned char, TokenTable::kShort> bytes{};
  std::memcpy(bytes.data(), token.data(), token.size());
  return load(bytes.data());
}

// Of the first three bytes; shorter tokens are always tried.
std::size_t prefix_slot(std::uint64_t low) {
  return ((low & 0xFFFFFF) * 0x9E3779B1u & 0xFFFFFFFFu) >> (32 - kPrefixBits);
}

bool is_utf8(std::string_view text) {
  const auto* p = reinterpret_cast<const unsigned char*>(text.data());
  for (const auto* end = p + text.size(); p < end;) {
    const Decoded decoded = decode(p, end);
    if (!decoded.valid) return false;
    p += decoded.bytes;
  }
  return true;
}

std::vector<std::string_view> lines(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

void check_token(std::string_view token, std::size_t line, const std::string& path) {
  const auto fail = [&](const char* what) {
    throw Error(ErrorKind::bundle, path, "line " + std::to_string(line) + ": expected a token, got " + what);
  };
  if (token.empty()) fail("an empty line");
  if (token.find('\0') != token.npos) fail("a NUL byte");
  if (!is_utf8(token)) fail("bytes that are not UTF-8");
}

void check_vocabulary(const std::vector<std::string_view>& tokens, const std::string& path) {
  std::unordered_map<std::string_view, std::size_t> seen;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    check_token(tokens[i], i + 1, path);
    const auto [first, added] = seen.emplace(tokens[i], i + 1);
    if (!added)
      throw Error(ErrorKind::bundle, path,
                  "line " + std::to_string(i + 1) + ": the token '" + std::string(tokens[i]) + "' is already on line " +
                      std::to_string(first->second));
  }
  if (!seen.contains("[UNK]")) throw Error(ErrorKind::bundle, path, "expected a token [UNK]");
}

}  // namespace

void TokenTable::build(const std::vector<std::pair<std::string_view, std::int32_t>>& tokens) {
  slots_.assign(2 * tokens.size() + 1, {});
  lengths_.assign(std::size_t{1} << kPrefixBits, 0);
  for (const auto& [text, id] : tokens) {
    if (text.size() > kShort)
      long_.push_back({text, id});
    else
      insert(key_of(text), id);
  }
  for (const auto& [text, id] : tokens)
    if (text.size() <= kShort) lengths_[prefix_slot(key_of(text).low)] |= 1u << text.size();
  std::ranges::sort(long_, std::ranges::greater{}, [](const LongToken& t) { return t.text.size(); });
}

std::size_t TokenTable::home(const Key& key) const {
  std::uint64_t x = (key.low ^ std::rotl(key.high * 0x9E3779B97F4A7C15u, 32)) * 0xD6E8FEB86659FD93u;
  x = (x ^ x >> 32) * 0xD6E8FEB86659FD93u;
  return static_cast<std::size_t>((x >> 32) * slots_.size() >> 32);
}

void TokenTable::insert(const Key& key, std::int32_t id) {
  std::size_t at = home(key);
  while (slots_[at].id >= 0) at = at + 1 == slots_.size() ? 0 : at + 1;
  slots_[at] = {key, id};
}

std::int32_t TokenTable::find(const Key& key) const {
  for (std::size_t at = home(key);; at = at + 1 == slots_.size() ? 0 : at + 1)
    if (slots_[at].id < 0 || slots_[at].key == key) return slots_[at].id;
}

std::int32_t TokenTable::find(std::string_view token) const {
  if (token.size() <= kShort) return find(key_of(token));
  const auto found = std::ranges::find(long_, token, &LongToken::text);
  return found == long_.end() ? -1 : found->id;
}

TokenTable::Match TokenTable::longest_long(std::string_view text) const {
  for (const LongToken& token : long_)
    if (text.starts_with(token.text)) return {token.id, token.text.size()};
  return {};
}

TokenTable::Match TokenTable::longest(const unsigned char* p, std::size_t size) const {
  if (size > kShort && !long_.empty()) {
    const Match match = longest_long({reinterpret_cast<const char*>(p), size});
    if (match.id >= 0) return match;
  }
  const Key key = load(p);
  const std::size_t limit = std::min(size, kShort);
  std::uint32_t lengths = (lengths_[prefix_slot(key.low)] | 0b110u) & ((2u << limit) - 1);
  while (lengths != 0) {
    const auto bytes = static_cast<std::size_t>(std::bit_width(lengths) - 1);
    const std::int32_t id = find(prefix(key, bytes));
    if (id >= 0) return {id, bytes};
    lengths &= ~(1u << bytes);
  }
  return {};
}

Vocabulary::Vocabulary(std::string_view text, const std::string& path) : text_(text), tokens_(lines(text_)) {
  check_vocabulary(tokens_, path);
  std::vector<std::pair<std::string_view, std::int32_t>> starts, continuations;
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    const bool continues = tokens_[i].starts_with(kContinuation) && tokens_[i].size() > kContinuation.size();
    auto& group = continues ? continuations : starts;
    group.emplace_back(tokens_[i].substr(continues ? kContinuation.size() : 0), static_cast<std::int32_t>(i));
  }
  starts_.build(starts);
  continuations_.build(continuations);
}

std::int32_t Vocabulary::find(std::string_view token) const {
  if (token.empty()) return -1;
  if (token.find('\0') != token.npos) return -1;
  const bool continues = token.starts_with(kContinuation) && token.size() > kContinuation.size();
  return continues ? continuations_.find(token.substr(kContinuation.size())) : starts_.find(token);
}

}  // namespace turnout::embed
