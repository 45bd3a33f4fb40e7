#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "allocations.hpp"
#include "check.hpp"
#include "embed/marks.hpp"
#include "embed/utf8.hpp"
#include "turnout/embed.hpp"

using namespace turnout;
using namespace turnout::embed;

namespace {

const std::array kTokens = {"[PAD]",
                            "[UNK]",
                            "[CLS]",
                            "[SEP]",
                            "[MASK]",
                            "route",
                            "##r",
                            "the",
                            "query",
                            "s",
                            "##s",
                            "1",
                            "##2",
                            ".",
                            "[",
                            "]",
                            "unk",
                            "字",
                            "ｶ",
                            "ᄒ",
                            "##ᅡ",
                            "##ᆫ",
                            "cafe",
                            "σ",
                            "a",
                            "##a",
                            "〮",
                            "##〮",
                            "##〪〮",
                            "\u302f",
                            "##\u302f",
                            "pneumonoultramicroscopic",
                            "##silicovolcanoconiosis",
                            "#",
                            "##",
                            "-"};

std::string vocabulary() {
  std::string text;
  for (const char* token : kTokens) text += std::string(token) + "\n";
  return text;
}

const Tokenizer& tokenizer() {
  static const Tokenizer instance(vocabulary());
  return instance;
}

// The tokens of a text, joined by spaces.
std::string tokens(std::string_view text) {
  Workspace ws;
  tokenizer().encode(text, ws);
  std::string out;
  for (const std::int32_t id : ws.ids) out += (out.empty() ? "" : " ") + std::string(tokenizer().token(id));
  return out;
}

std::string repeat(std::string_view text, int n) {
  std::string out;
  for (int i = 0; i < n; ++i) out += text;
  return out;
}

StaticEmbedder static_embedder(int dim, StaticEmbedder::Options options = {"test", 128, 384}) {
  const auto n = kTokens.size();
  std::vector<std::int8_t> rows(n * static_cast<std::size_t>(dim));
  std::vector<std::int16_t> weights(n);
  Philox rng(5);
  for (auto& r : rows) r = static_cast<std::int8_t>(static_cast<int>(rng.next() % 256) - 128);
  for (auto& w : weights) w = static_cast<std::int16_t>(rng.next() % 2048);
  rows[0] = -128;
  weights[0] = 2047;
  return {Tokenizer(vocabulary()), std::move(rows), std::move(weights), dim, std::move(options)};
}

std::string build_error(const std::string& vocab) {
  return check::message_of<Error>([&] { Tokenizer(vocab, "some/vocab.txt"); });
}

}  // namespace

TEST(words_split_at_space_and_around_punctuation) {
  CHECK(tokens("The  ROUTER's\tquery.") == "the route ##r [UNK] s query .");
  CHECK(tokens("") == "");
  CHECK(tokens(" \n\t") == "");
  CHECK(tokens("queries") == "[UNK]");
  CHECK(tokens("12s") == "1 ##2 ##s");
}

TEST(the_longest_token_wins_also_beyond_sixteen_bytes) {
  CHECK(tokens("pneumonoultramicroscopicsilicovolcanoconiosis") == "pneumonoultramicroscopic ##silicovolcanoconiosis");
  CHECK(tokens("pneumonoultramicroscopix") == "[UNK]");
}

TEST(special_tokens_are_matched_literally) {
  CHECK(tokens("route[SEP]route [CLS]") == "route [SEP] route [CLS]");
  CHECK(tokens("[unk]") == "[ unk ]");
  CHECK(tokens("[[MASK]") == "[ [MASK]");
  CHECK(tokens("[SE") == "[ [UNK]");
}

TEST(accents_case_and_controls) {
  CHECK(tokens("CAFÉ") == "cafe");
  CHECK(tokens("cafe\u0301") == "cafe");
  CHECK(tokens("ca\u200dfe") == "cafe");        // a format character
  CHECK(tokens("ca\u0007fe\ufffd") == "cafe");  // a control, a replacement character
  CHECK(tokens("Σ") == "σ");
  CHECK(tokens("route\u2003the\u00a0query") == "route the query");
}

TEST(chinese_and_hangul) {
  CHECK(tokens("a字字a") == "a 字 字 a");
  CHECK(tokens("한") == "ᄒ ##ᅡ ##ᆫ");
}

TEST(kept_marks_are_put_into_canonical_order) {
  // U+302E and U+302F have class 224 and stay in order; the removed U+0301 does not stop them, the removed U+034F does.
  CHECK(tokens("a\u302e\u302f") == "a ##\u302e ##\u302f");
  const Tokenizer t("[UNK]\na\n##\U0001d165\n##\u302e\n");
  Workspace ws;
  for (const char* text : {"a\u302e\U0001d165", "a\U0001d165\u302e", "a\u302e\u0301\U0001d165"}) {
    t.encode(text, ws);
    CHECK((ws.ids == std::vector<std::int32_t>{1, 2, 3}));  // 216 before 224
  }
  t.encode("a\u302e\u034f\U0001d165", ws);
  CHECK((ws.ids == std::vector<std::int32_t>{1, 3, 2}));
}

TEST(words_of_more_than_a_hundred_characters_are_unknown) {
  CHECK(tokens(repeat("a", 100)) == "a" + repeat(" ##a", 99));
  CHECK(tokens(repeat("a", 101)) == "[UNK]");
  CHECK(tokens(repeat("\u302e", 200) + " a") == "[UNK] a");
  CHECK(tokens(repeat("한", 34)) == "[UNK]");  // 102 letters
}

TEST(invalid_utf8_is_replaced) {
  for (const char* bad : {"\xff", "\xc3", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\x80", "\xe2\x82", "\x80"})
    CHECK(tokens("ca" + std::string(bad) + "fe") == "cafe");
  CHECK(tokens("ca\xe2") == "[UNK]");
  CHECK(tokens("s\xe2\x82s") == "s ##s");
}

TEST(decode_consumes_maximal_subparts) {
  const auto consumed = [](std::string_view text) {
    const auto* p = reinterpret_cast<const unsigned char*>(text.data());
    return decode(p, p + text.size()).bytes;
  };
  CHECK(consumed("\xf0\x90\x80"
                 "a") == 3);
  CHECK(consumed("\xf0\x80\x80\x80") == 1);
  CHECK(consumed("\xe1\x80") == 2);
  CHECK(consumed("\xed\xa0\x80") == 1);
  CHECK(consumed("\xf4\x8f\xbf\xbf") == 4);
}

TEST(decode_gives_the_point_or_the_replacement) {
  struct {
    const char* text;
    char32_t point;
    int bytes;
  } const cases[] = {
      {"a", U'a', 1},
      {"\xc2\x80", 0x80, 2},
      {"\xdf\xbf", 0x7FF, 2},
      {"\xe0\xa0\x80", 0x800, 3},
      {"\xed\x9f\xbf", 0xD7FF, 3},
      {"\xee\x80\x80", 0xE000, 3},
      {"\xf0\x90\x80\x80", 0x10000, 4},
      {"\xf1\x80\x80\x80", 0x40000, 4},
      {"\xf4\x8f\xbf\xbf", 0x10FFFF, 4},
      {"\xc1\xbf", kReplacement, 1},          // two bytes for ASCII
      {"\xe0\x9f\xbf", kReplacement, 1},      // three for two
      {"\xf0\x8f\xbf\xbf", kReplacement, 1},  // four for three
      {"\xed\xa0\x80", kReplacement, 1},      // a surrogate
      {"\xf4\x90\x80\x80", kReplacement, 1},  // beyond Unicode
      {"\xf5\x80", kReplacement, 1},
      {"\xbf", kReplacement, 1},
      {"\xf1\x80\x80z", kReplacement, 3},
      {"\xe1\x80", kReplacement, 2},
  };
  for (const auto& c : cases) {
    const auto* p = reinterpret_cast<const unsigned char*>(c.text);
    const Decoded d = decode(p, p + std::strlen(c.text));
    CHECK(d.point == c.point && d.bytes == c.bytes && d.valid == (c.point != kReplacement));
  }
  unsigned char three[3];
  encode3(0x1100, three);
  CHECK(decode(three, three + 3).point == 0x1100);
}

TEST(ids_and_tokens_are_inverse) {
  for (std::size_t i = 0; i < kTokens.size(); ++i) {
    CHECK(tokenizer().id(kTokens[i]) == static_cast<int>(i));
    CHECK(tokenizer().token(static_cast<int>(i)) == kTokens[i]);
  }
  CHECK(tokenizer().size() == static_cast<int>(kTokens.size()));
  for (const char* absent : {"", "router", "##route", "pneumonoultramicroscopicsilico", "##"})
    CHECK((tokenizer().id(absent) == -1) == (std::strcmp(absent, "##") != 0));
  CHECK(check::message_of<Error>([] { tokenizer().token(-1); }).starts_with("id: expected 0 to "));
}

TEST(a_bad_vocabulary_names_the_line) {
  CHECK(build_error("") == "some/vocab.txt: expected a token [UNK]");
  CHECK(build_error("[UNK]\n\na\n") == "some/vocab.txt: line 2: expected a token, got an empty line");
  CHECK(build_error("[UNK]\na\na\n") == "some/vocab.txt: line 3: the token 'a' is already on line 2");
  CHECK(build_error("[UNK]\n\xff\n") == "some/vocab.txt: line 2: expected a token, got bytes that are not UTF-8");
  CHECK(build_error(std::string("[UNK]\na\0b\n", 10)) == "some/vocab.txt: line 2: expected a token, got a NUL byte");
}

TEST(a_megabyte_is_one_pass) {
  Workspace ws;
  constexpr int n = 1 << 20;
  tokenizer().encode(repeat("a", n), ws);
  CHECK(ws.ids.size() == 1);
  tokenizer().encode(repeat("\u302f\u302e", n / 6), ws);
  CHECK(ws.ids.size() == 1);
  tokenizer().encode(repeat("a ", n / 2), ws);
  CHECK(ws.ids.size() == n / 2);
  CHECK_ERROR(tokenizer().encode(repeat("a", n + 1), ws), ErrorKind::input, "text");
}

TEST(head_and_tail) {
  std::vector<std::int32_t> ids = {0, 1, 2, 3, 4, 5};
  CHECK(keep_head_and_tail(ids, 4, 2) == 6);
  CHECK(keep_head_and_tail(ids, 1, 3) == 4);
  CHECK((ids == std::vector<std::int32_t>{0, 3, 4, 5}));
  CHECK(keep_head_and_tail(ids, 0, 2) == 2);
  CHECK((ids == std::vector<std::int32_t>{4, 5}));
  CHECK(keep_head_and_tail(ids, std::numeric_limits<int>::max(), std::numeric_limits<int>::max()) == 2);
}

// Sums in 64 bits, one element at a time, against the kernel of this CPU; every remainder of the column blocks.
TEST(sums_are_exact_for_every_dimension) {
  for (const int dim : {1, 7, 8, 15, 16, 17, 63, 64, 65, 100, 255, 256, 257, 384, 511, 512}) {
    const StaticEmbedder e = static_embedder(dim);
    Workspace ws;
    std::vector<float> out(static_cast<std::size_t>(dim));
    const std::vector<std::int32_t> first(512, 0);  // the largest sum of all: 512 x 2047 x 128
    e.embed_ids(first, ws, out.data());
    CHECK(ws.sums[0] == 512 * 2047 * -128);
    double squares = 0;
    for (const float x : out) squares += static_cast<double>(x) * x;
    CHECK_NEAR(squares, 1.0, 1e-6);
  }
}

TEST(the_vector_is_the_weighted_mean) {
  std::vector<std::int8_t> rows(kTokens.size() * 2, 0);
  std::vector<std::int16_t> weights(kTokens.size(), 1);
  const auto set = [&](const char* token, std::int8_t x, std::int8_t y, std::int16_t weight) {
    const auto id = static_cast<std::size_t>(tokenizer().id(token));
    rows[2 * id] = x;
    rows[2 * id + 1] = y;
    weights[id] = weight;
  };
  set("the", 1, 0, 3);
  set("query", 0, -2, 2);
  const StaticEmbedder e(Tokenizer(vocabulary()), rows, weights, 2, {"xy", 1, 1});
  Workspace ws;
  float out[2];
  const Embedded whole = e.embed("the query", ws, out);
  CHECK(whole.tokens == 2 && whole.kept == 2);
  CHECK(e.count("the the query query query", ws) == 5);
  CHECK(out[0] == 0.6f && out[1] == -0.8f);
  const Embedded cut = e.embed("the the query query query", ws, out);
  CHECK(cut.tokens == 5 && cut.kept == 2);
  CHECK(out[0] == 0.6f && out[1] == -0.8f);
  e.embed("", ws, out);
  CHECK(out[0] == 0.0f && out[1] == 0.0f);
}

TEST(a_static_embedder_checks_its_tables) {
  const auto n = kTokens.size();
  using Options = StaticEmbedder::Options;
  const auto error = [&](std::size_t rows, std::vector<std::int16_t> weights, int dim, Options options) {
    return check::message_of<Error>([&] {
      const std::vector<std::int8_t> zeros(rows);
      StaticEmbedder(Tokenizer(vocabulary()), zeros, std::move(weights), dim, std::move(options));
    });
  };
  const std::vector<std::int16_t> good(n, 1);
  auto negative = good, heavy = good;
  negative[3] = -1;
  heavy[4] = 2048;
  CHECK(error(2 * n, good, 2, {"x", 1, 1}).empty());
  CHECK(error(2 * n + 1, good, 2, {"x", 1, 1}).starts_with("rows: expected "));
  CHECK(error(2 * n, std::vector<std::int16_t>(n - 1), 2, {"x", 1, 1}).starts_with("weights: expected one a token"));
  CHECK(error(2 * n, negative, 2, {"x", 1, 1}) == "weights[3]: expected 0 to 2047, got -1");
  CHECK(error(2 * n, heavy, 2, {"x", 1, 1}) == "weights[4]: expected 0 to 2047, got 2048");
  CHECK(error(0, good, 0, {"x", 1, 1}) == "dim: expected 1 to 512, got 0");
  CHECK(error(513 * n, good, 513, {"x", 1, 1}) == "dim: expected 1 to 512, got 513");
  CHECK(error(2 * n, good, 2, {"x", -1, 1}).starts_with("head: expected "));
  CHECK(error(2 * n, good, 2, {"x", 0, 0}).starts_with("tail: expected "));
  CHECK(error(2 * n, good, 2, {"x", 1, std::numeric_limits<int>::max()}).starts_with("tail: expected "));
  CHECK(error(2 * n, good, 2, {"x", 256, 257}).starts_with("tail: expected "));
}

TEST(a_warmed_call_allocates_nothing) {
  const StaticEmbedder e = static_embedder(256);
  const std::string word = "pneumonoultramicroscopicsilicovolcanoconiosis";
  const std::string text = repeat("The router's query: 12 字한é\u302e[SEP] " + word + ". ", 50);
  Workspace ws;
  std::vector<float> out(256);
  e.embed(text, ws, out.data());
  const long before = allocations::count();
  for (int i = 0; i < 10; ++i) e.embed(text, ws, out.data());
  CHECK(before > 0 && allocations::count() == before);
}

namespace {

std::vector<std::int32_t> buckets(const std::vector<std::int32_t>& ids, int bits) {
  static Workspace ws;
  find_buckets(ids, bits, ws);
  return ws.buckets;
}

std::vector<std::int32_t> marks(std::string_view text, int tokens) {
  std::vector<std::int32_t> rows(kMarks);
  find_marks(text, tokens, rows.data());
  return rows;
}

}  // namespace

// Numbers from the Python twin (turnout.reference.embed).
TEST(n_grams_hash_to_known_buckets) {
  using Ids = std::vector<std::int32_t>;
  CHECK(buckets({}, 10).empty());
  CHECK((buckets({0}, 18) == Ids{184666}));
  CHECK((buckets({5, 7, 9}, 18) == Ids{238290, 24876, 72367, 45066, 102789}));
  CHECK((buckets({5, 7, 9}, 10) == Ids{930, 97, 282, 176, 401}));
  CHECK((buckets({4, 4, 4, 4}, 16) == Ids{54890, 61236}));  // one unigram, one bigram
}

TEST(buckets_are_distinct_whatever_came_before) {
  std::vector<std::int32_t> ids;
  for (int i = 0; i < 512; ++i) ids.push_back(i * 37 % 300);
  const auto many = buckets(ids, 18);
  const auto few = buckets(ids, 10);
  std::vector<std::int32_t> sorted = few;
  std::sort(sorted.begin(), sorted.end());
  CHECK(std::adjacent_find(sorted.begin(), sorted.end()) == sorted.end() && sorted.back() < 1024);
  CHECK(few.size() < many.size() && many.size() <= 1023);
  CHECK(buckets(ids, 18) == many && buckets(ids, 10) == few);
}

TEST(marks_are_rows_of_their_blocks) {
  using Rows = std::vector<std::int32_t>;
  CHECK((marks("", 0) == Rows{0, 32, 40, 48, 56, 64, 72, 80, 88, 96, 104}));
  CHECK((marks("7", 1) == Rows{3, 39, 40, 48, 56, 64, 72, 80, 88, 97, 104}));
  CHECK((marks("What is $x^2$?\nA. 1\n (B) 2\n\tC.\nD: no", 20) == Rows{13, 35, 44, 51, 59, 67, 73, 80, 90, 98, 107}));
  const std::string high = repeat("\xff", 3), lines = repeat("\nA.", 300);
  CHECK(marks(high, 0)[7] == 80 + 7);
  CHECK(marks(lines, 600)[10] == 104 + 11 && marks(lines, 600)[5] == 64 + 7);
}

TEST(mark_rows_change_where_they_are_said_to) {
  CHECK(share_row(0, 0) == 0 && share_row(1, 64) == 1 && share_row(1, 63) == 2 && share_row(3, 64) == 2);
  CHECK(share_row(1, 1) == 7 && share_row(63, 64) == 6 && share_row(1, 1 << 20) == 1);
  CHECK(count_row(0) == 0 && count_row(1) == 1 && count_row(3) == 2 && count_row(63) == 6 && count_row(1 << 20) == 7);
  CHECK(length_row(0) == 0 && length_row(1) == 3 && length_row(2) == 4 && length_row(512) == 27);
  CHECK(length_row(1 << 20) == 31);
  CHECK(count_options("A. first line does not count") == 0 && count_options("\n(A)\n  B)\n(c)\nD") == 2);
  CHECK(count_options("\n") == 0 && count_options("\n(") == 0 && count_options("\n\n A.") == 1);
}

namespace {

constexpr int kWidth = 16, kUnit = 8;

LexicalTables lexical_tables(std::size_t buckets = 1024, int width = kWidth) {
  LexicalTables t;
  t.width = width;
  for (std::size_t b = 0; b < buckets; ++b) {
    t.weights.push_back(static_cast<std::int16_t>(b * 13 % 2048));
    for (int j = 0; j < width; ++j)
      t.rows.push_back(
          static_cast<std::int8_t>(static_cast<int>(b * 31 + static_cast<std::size_t>(j) * 7) % 255 - 127));
  }
  for (int j = 0; j < width; ++j) t.scale.push_back(static_cast<float>(std::pow(0.25, j % 4 + 1)));
  for (int r = 0; r < kMarkRows; ++r)
    for (int j = 0; j < width; ++j) t.marks.push_back(static_cast<float>((r * 5 + j * 3) % 17 - 8) * 0.0625f);
  return t;
}

StaticEmbedder lexical_embedder(LexicalTables tables, int head = 3, int tail = 4) {
  const auto n = kTokens.size();
  std::vector<std::int8_t> rows(n * kUnit, 3);
  return {Tokenizer(vocabulary()), std::move(rows),  std::vector<std::int16_t>(n, 7), kUnit,
          {"lexical", head, tail}, std::move(tables)};
}

}  // namespace

// Numbers from the Python twin (turnout.reference.embed).
TEST(lexical_scores_are_known) {
  const StaticEmbedder e = lexical_embedder(lexical_tables());
  CHECK(e.dim() == kUnit + kWidth && e.lexical() == kWidth && e.unit_dim() == kUnit);
  struct {
    std::string text;
    std::array<float, kWidth> scores;
  } const cases[] = {
      {"The router's query: 12.\n(A) $x$?",
       {-31.3224716f, -6.81291819f, -0.551346302f, -1.59864438f, -15.1799421f, -2.69916081f, -0.702667892f,
        0.301025212f, -10.6635876f, -2.55444717f, -0.888093114f, 0.332793891f, 6.0571084f, 3.82885194f, 1.0514816f,
        -0.697937429f}},
      {"a a a a",
       {29.1993198f, 8.32039833f, 2.59305429f, -0.0633415431f, 38.7784157f, 9.46517181f, 0.887125492f, -0.942948759f,
        -41.1574554f, -10.706296f, -2.27299428f, -0.592353702f, -30.5158615f, -7.43652201f, -1.90867591f,
        -0.688774109f}},
      {repeat("12 ", 30),
       {9.53336906f, 2.71711802f, -0.774485826f, -1.07412767f, -7.90906668f, -1.29974079f, -0.112585016f, -1.09615242f,
        5.36884594f, 2.09786224f, 2.67431569f, 1.00682271f, 19.709259f, 5.49546528f, 1.21121657f, 0.984797955f}},
  };
  Workspace ws;
  for (const auto& c : cases) {
    std::array<float, kUnit + kWidth> x;
    e.embed(c.text, ws, x.data());
    for (std::size_t j = 0; j < kWidth; ++j) CHECK(x[kUnit + j] == c.scores[j]);
    double squares = 0;
    for (std::size_t j = 0; j < kUnit; ++j) squares += static_cast<double>(x[j]) * static_cast<double>(x[j]);
    CHECK_NEAR(squares, 1, 1e-6);
  }
  std::array<float, kUnit + kWidth> x;
  x.fill(9);
  CHECK(e.embed(" \n", ws, x.data()).tokens == 0);
  for (const float v : x) CHECK(v == 0);
}

TEST(lexical_scores_are_cut_and_weights_may_be_zero) {
  LexicalTables steep = lexical_tables(), none = lexical_tables();
  std::fill(steep.scale.begin(), steep.scale.end(), 3e38f);
  std::fill(none.weights.begin(), none.weights.end(), std::int16_t{0});
  std::fill(none.marks.begin(), none.marks.end(), 0.25f);
  Workspace ws;
  std::array<float, kUnit + kWidth> x;
  lexical_embedder(steep).embed("the query", ws, x.data());
  for (std::size_t j = kUnit; j < x.size(); ++j) CHECK(std::abs(x[j]) == 64.0f);
  lexical_embedder(none).embed("the query", ws, x.data());
  for (std::size_t j = kUnit; j < x.size(); ++j) CHECK(x[j] == 0.25f * kMarks);
}

TEST(a_lexical_block_checks_its_tables) {
  const auto error = [](auto spoil) {
    LexicalTables t = lexical_tables();
    spoil(t);
    return check::message_of<Error>([&] { lexical_embedder(t); });
  };
  using T = LexicalTables;
  CHECK(error([](T&) {}).empty());
  CHECK(error([](T& t) { t.width = 24; }) == "lexical: expected 16, 32, 48 or 64, got 24");
  CHECK(error([](T& t) { t.width = -16; }) == "lexical: expected 16, 32, 48 or 64, got -16");
  CHECK(error([](T& t) { t.width = 80; }) == "lexical: expected 16, 32, 48 or 64, got 80");
  CHECK(error([](T& t) { t.rows.pop_back(); }) == "ngrams: expected 16384 numbers, got 16383");
  CHECK(error([](T& t) { t.weights.pop_back(); }).starts_with("ngram_weights: expected a power of two"));
  CHECK(error([](T& t) { t.weights.clear(); }).starts_with("ngram_weights: expected a power of two"));
  CHECK(error([](T& t) { t.weights.resize(1 << 19); }).starts_with("ngram_weights: expected a power of two"));
  CHECK(error([](T& t) { t.weights[9] = 2048; }) == "ngram_weights[9]: expected 0 to 2047, got 2048");
  CHECK(error([](T& t) { t.weights[9] = -1; }) == "ngram_weights[9]: expected 0 to 2047, got -1");
  CHECK(error([](T& t) { t.scale.push_back(1); }) == "ngram_scale: expected 16 numbers, got 17");
  CHECK(error([](T& t) { t.scale[3] = std::numeric_limits<float>::quiet_NaN(); }).starts_with("ngram_scale[3]: "));
  CHECK(error([](T& t) { t.marks.pop_back(); }) == "marks: expected 1856 numbers, got 1855");
  CHECK(error([](T& t) { t.marks[40] = std::numeric_limits<float>::infinity(); }).starts_with("marks[40]: "));
}

TEST(a_warmed_call_with_a_lexical_block_allocates_nothing) {
  const StaticEmbedder e = lexical_embedder(lexical_tables(std::size_t{1} << 18, 64), 128, 384);
  const std::string text = repeat("The router's query: 12 [SEP]\n(A) a $x$. ", 90);
  Workspace ws;
  std::vector<float> out(kUnit + 64);
  e.embed(text, ws, out.data());
  const long before = allocations::count();
  for (int i = 0; i < 10; ++i) {
    e.embed("the query", ws, out.data());
    e.embed(text, ws, out.data());
  }
  CHECK(before > 0 && allocations::count() == before);
}
