// embed: text -> unit vector, and lexical scores beside it where the embedder has them. WordPiece and a static token
// table (default), or an ONNX encoder. Never knows routing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "turnout/core.hpp"
#include "turnout/onnx.hpp"

namespace turnout::embed {

// Buffers that grow to their high-water mark and are then reused: a warmed embed() of the static embedder allocates
// nothing, that of an encoder binds its tensors anew.
struct Workspace {
  std::vector<std::int32_t> ids;
  std::vector<std::int32_t> sums;
  std::vector<std::int32_t> buckets;
  std::vector<std::uint64_t> seen;  // a bit a bucket; all zero between calls
  std::vector<std::int64_t> encoder_ids, encoder_mask, encoder_types;
  std::vector<float> encoder_out;
  std::vector<onnx::Tensor> encoder_inputs, encoder_outputs;
};

// BERT's uncased WordPiece, id for id equal to Hugging Face `tokenizers` (BertNormalizer, BertPreTokenizer, WordPiece,
// the special tokens of the vocabulary matched literally), without [CLS] and [SEP] added. Invalid UTF-8 becomes U+FFFD
// first.
class Tokenizer {
 public:
  // `vocab` is vocab.txt: one token a line, the line number is its id. It must hold [UNK]. Throws Error(bundle).
  explicit Tokenizer(std::string_view vocab, const std::string& path = "vocab.txt");
  ~Tokenizer();
  Tokenizer(Tokenizer&&) noexcept;

  // Fills ws.ids with every token of the text, before any truncation. Throws Error(input) above kMaxTextBytes.
  void encode(std::string_view text, Workspace& ws) const;
  int size() const;
  // The id of a token, or -1.
  int id(std::string_view token) const;
  std::string_view token(int id) const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

// What became of a text.
struct Embedded {
  int tokens = 0;  // of the whole text
  int kept = 0;    // that entered the vector: the first `head` and the last `tail` when the text is longer
};

// Keeps the first `head` and the last `tail` ids (in few-shot prompts the question stands at the end). Returns how
// many were kept.
int keep_head_and_tail(std::vector<std::int32_t>& ids, int head, int tail);

// Lexical features of a text: what its lexical scores are made of, and what they are trained on, from one code. Defined
// to the bit in docs/bundle-format.md.
inline constexpr int kMinBucketBits = 10, kMaxBucketBits = 18;
inline constexpr int kMarks = 11, kMarkRows = 116;
// Fills ws.buckets with the distinct buckets, of 2^bits, that all unigrams and bigrams of the ids hash to.
void find_buckets(std::span<const std::int32_t> ids, int bits, Workspace& ws);
// The kMarks rows of the marks' table that are on. The bytes are taken as they are, `tokens` of the whole text.
void find_marks(std::string_view text, int tokens, std::int32_t* rows);

// What the features score: the lexical block of a static embedder. An n-gram score is a weighted sum of int8 rows, one
// a bucket, exact; scaled by its column and by the norm of the weights. Marks add a float row each.
struct LexicalTables {
  static constexpr int kMaxWidth = 64;
  int width = 0;                      // R: 16, 32, 48 or 64 scores; 0: no block
  std::vector<std::int8_t> rows;      // [B, R] row-major, B = 2^10 .. 2^18 buckets
  std::vector<std::int16_t> weights;  // [B], each in [0, StaticEmbedder::kMaxWeight]
  std::vector<float> scale;           // [R]
  std::vector<float> marks;           // [kMarkRows, R]
};
inline constexpr double kMaxScore = 64;  // scores are cut to [-64, 64]

// An embedder of text: const, thread-safe, given a workspace a call.
class Embedder {
 public:
  virtual ~Embedder() = default;
  virtual int dim() const = 0;
  // The last of them that are lexical scores; the others are the unit vector.
  virtual int lexical() const { return 0; }
  int unit_dim() const { return dim() - lexical(); }
  virtual const std::string& name() const = 0;
  // Tokens of the whole text, as embed() reports them.
  virtual int count(std::string_view text, Workspace& ws) const = 0;
  // Writes dim() floats, the unit vector and the lexical scores (all zeros when the text has no token), to `out`.
  virtual Embedded embed(std::string_view text, Workspace& ws, float* out) const = 0;
};

// Mean of int8 rows with 11-bit row weights, normalised. Sums are exact integers, so the vector has the same bits on
// every machine, SIMD level and in the pure-Python twin. Method: Model2Vec (distilled from an encoder, PCA, frequency
// weights).
class StaticEmbedder final : public Embedder {
 public:
  static constexpr int kMaxWeight = 2047;
  static constexpr int kMaxKept = 512;
  static constexpr int kMaxStaticDim = 512;  // 512 squares of a sum up to 512 x 2047 x 128 are below 2^63: all is exact

  struct Options {
    std::string name;
    int head = 128;
    int tail = 384;
  };
  // rows: [vocabulary, dim] row-major; weights: [vocabulary], each in [0, kMaxWeight].
  StaticEmbedder(Tokenizer tokenizer, std::vector<std::int8_t> rows, std::vector<std::int16_t> weights, int dim,
                 Options options, LexicalTables lexical = {});
  int dim() const override { return dim_ + lexical_.width; }
  int lexical() const override { return lexical_.width; }
  const std::string& name() const override { return options_.name; }
  int count(std::string_view text, Workspace& ws) const override;
  Embedded embed(std::string_view text, Workspace& ws, float* out) const override;
  const Tokenizer& tokenizer() const { return tokenizer_; }
  // The unit vector of given token ids (after truncation), unit_dim() floats, for tests and twins.
  void embed_ids(std::span<const std::int32_t> ids, Workspace& ws, float* out) const;

 private:
  Tokenizer tokenizer_;
  std::vector<std::int8_t> rows_;
  std::vector<std::int16_t> weights_;
  int dim_;  // of the unit vector
  Options options_;
  LexicalTables lexical_;
};

// A transformer encoder exported to ONNX: inputs input_ids, attention_mask and, if declared, token_type_ids, all int64
// [B, T] of any T; first output the token states [B, T, dim] (mean-pooled here) or the pooled vector [B, dim]. Other
// outputs are not computed.
class OnnxEmbedder final : public Embedder {
 public:
  struct Options {
    std::string name;
    int max_tokens = 256;  // [CLS] and [SEP] included; of a longer text, the first quarter and the last three are kept
  };
  OnnxEmbedder(Tokenizer tokenizer, std::shared_ptr<const onnx::Session> session, Options options);
  int dim() const override { return dim_; }
  const std::string& name() const override { return options_.name; }
  int count(std::string_view text, Workspace& ws) const override;
  Embedded embed(std::string_view text, Workspace& ws, float* out) const override;

 private:
  void run(Workspace& ws, float* out) const;

  Tokenizer tokenizer_;
  std::shared_ptr<const onnx::Session> session_;
  Options options_;
  std::int32_t cls_, sep_;
  int dim_ = 0;
};

}  // namespace turnout::embed
