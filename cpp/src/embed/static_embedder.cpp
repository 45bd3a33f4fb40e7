#include <algorithm>

#include "lexical.hpp"
#include "row_sum.hpp"
#include "turnout/embed.hpp"

namespace turnout::embed {
namespace {

void check(bool holds, const char* path, const std::string& expected, long got) {
  if (!holds) throw Error(ErrorKind::bundle, path, "expected " + expected + ", got " + std::to_string(got));
}

void check_weights(const std::vector<std::int16_t>& weights) {
  const auto bad = std::find_if(weights.begin(), weights.end(),
                                [](std::int16_t w) { return w < 0 || w > StaticEmbedder::kMaxWeight; });
  if (bad == weights.end()) return;
  const std::string path = "weights[" + std::to_string(bad - weights.begin()) + "]";
  check(false, path.c_str(), "0 to " + std::to_string(StaticEmbedder::kMaxWeight), *bad);
}

}  // namespace

int keep_head_and_tail(std::vector<std::int32_t>& ids, int head, int tail) {
  const auto size = static_cast<int>(ids.size());
  if (tail >= size || size - tail <= head) return size;  // not head + tail, which may be too large for an int
  std::copy(ids.end() - tail, ids.end(), ids.begin() + head);
  ids.resize(static_cast<std::size_t>(head + tail));
  return head + tail;
}

StaticEmbedder::StaticEmbedder(Tokenizer tokenizer, std::vector<std::int8_t> rows, std::vector<std::int16_t> weights,
                               int dim, Options options, LexicalTables lexical)
    : tokenizer_(std::move(tokenizer)),
      rows_(std::move(rows)),
      weights_(std::move(weights)),
      dim_(dim),
      options_(std::move(options)),
      lexical_(std::move(lexical)) {
  const auto tokens = static_cast<std::size_t>(tokenizer_.size());
  check(dim >= 1 && dim <= kMaxStaticDim, "dim", "1 to " + std::to_string(kMaxStaticDim), dim);
  check(weights_.size() == tokens, "weights", "one a token, " + std::to_string(tokens),
        static_cast<long>(weights_.size()));
  check(rows_.size() == tokens * static_cast<std::size_t>(dim), "rows",
        std::to_string(tokens) + " rows of " + std::to_string(dim) + " bytes", static_cast<long>(rows_.size()));
  check_weights(weights_);
  check(options_.head >= 0 && options_.head <= kMaxKept, "head", "0 to " + std::to_string(kMaxKept), options_.head);
  const auto kept = std::int64_t{options_.head} + options_.tail;
  check(options_.tail >= 0 && kept >= 1 && kept <= kMaxKept, "tail",
        "head + tail to be 1 to " + std::to_string(kMaxKept), options_.tail);
  check_lexical(lexical_);
}

int StaticEmbedder::count(std::string_view text, Workspace& ws) const {
  tokenizer_.encode(text, ws);
  return static_cast<int>(ws.ids.size());
}

Embedded StaticEmbedder::embed(std::string_view text, Workspace& ws, float* out) const {
  tokenizer_.encode(text, ws);
  const auto tokens = static_cast<int>(ws.ids.size());
  const int kept = keep_head_and_tail(ws.ids, options_.head, options_.tail);
  embed_ids(ws.ids, ws, out);
  if (tokens == 0)
    std::fill_n(out + dim_, lexical_.width, 0.0f);
  else if (lexical_.width > 0)
    score(lexical_, text, tokens, ws, out + dim_);
  return {tokens, kept};
}

void StaticEmbedder::embed_ids(std::span<const std::int32_t> ids, Workspace& ws, float* out) const {
  ws.sums.resize(static_cast<std::size_t>(dim_));
  sum_rows(rows_.data(), weights_.data(), ids, dim_, ws.sums.data());
  to_unit(ws.sums.data(), dim_, out);
}

}  // namespace turnout::embed
