// One pass over the text: code points become normalised words, words become tokens.
#include "turnout/embed.hpp"
#include "unicode.hpp"
#include "utf8.hpp"
#include "vocabulary.hpp"
#include "word.hpp"

namespace turnout::embed {
namespace {

using Byte = unsigned char;

struct Special {
  std::string_view text;
  std::int32_t id;
};

// The tokens that BERT's tokenizers match literally, before anything is normalised.
constexpr std::string_view kSpecial[] = {"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};

std::vector<Special> special_tokens(const Vocabulary& vocabulary) {
  std::vector<Special> found;
  for (const std::string_view text : kSpecial)
    if (const std::int32_t id = vocabulary.find(text); id >= 0) found.push_back({text, id});
  return found;
}

std::size_t count_chars(const Byte* utf8, std::size_t bytes) {
  std::size_t chars = 0;
  for (std::size_t i = 0; i < bytes; ++i) chars += (utf8[i] & 0xC0) != 0x80;
  return chars;
}

}  // namespace

struct Tokenizer::Impl {
  Impl(std::string_view text, const std::string& path)
      : vocabulary(text, path), special(special_tokens(vocabulary)), unknown(vocabulary.find("[UNK]")) {}

  Vocabulary vocabulary;
  std::vector<Special> special;
  std::int32_t unknown;
};

namespace {

template <class Impl>
class Scanner {
 public:
  Scanner(const Impl& tokenizer, std::vector<std::int32_t>& ids) : tokenizer_(tokenizer), ids_(ids) {}

  void scan(std::string_view text) {
    const auto* p = reinterpret_cast<const Byte*>(text.data());
    const Byte* const end = p + text.size();
    while (p < end) p = step(p, end);
    end_word();
  }

 private:
  const Byte* step(const Byte* p, const Byte* end) {
    std::uint8_t first = unicode::first_byte(*p);
    if (first < 0x80) {
      do {
        word_.add_byte(first);
      } while (++p < end && (first = unicode::first_byte(*p)) < 0x80);
      return p;
    }
    switch (first - 0x80) {
      case unicode::kSpace:
        end_word();
        return p + 1;
      case unicode::kIsolated:
        return p + punctuation(p, end);
      case unicode::kDecode:
        return p + character(p, end);
      default:
        return p + 1;
    }
  }

  // ASCII punctuation, or a special token. Returns the bytes consumed.
  std::size_t punctuation(const Byte* p, const Byte* end) {
    if (*p == '[') {
      const std::string_view rest(reinterpret_cast<const char*>(p), static_cast<std::size_t>(end - p));
      for (const Special& special : tokenizer_.special)
        if (rest.starts_with(special.text)) {
          end_word();
          ids_.push_back(special.id);
          return special.text.size();
        }
    }
    isolated(p, 1);
    return 1;
  }

  std::size_t character(const Byte* p, const Byte* end) {
    const Decoded decoded = decode(p, end);
    const auto bytes = static_cast<std::size_t>(decoded.bytes);
    const std::uint16_t code = unicode::code_of(decoded.point);
    if (code >= unicode::kMapping)
      mapped(unicode::mapping_of(code));
    else if (code >= unicode::kMark)
      word_.add_mark(code - unicode::kMark, p, bytes);
    else
      plain(code, decoded.point, p, bytes);
    return bytes;
  }

  void plain(std::uint16_t kind, char32_t point, const Byte* p, std::size_t bytes) {
    switch (kind) {
      case unicode::kKeep:
        word_.add(p, bytes, 1);
        break;
      case unicode::kBreak:
        word_.end_run();
        break;
      case unicode::kSpace:
        end_word();
        break;
      case unicode::kIsolated:
        isolated(p, bytes);
        break;
      case unicode::kHangul:
        hangul(point);
        break;
      default:
        break;
    }
  }

  void mapped(const unicode::Mapping& mapping) {
    const Byte* utf8 = unicode::bytes_of(mapping);
    switch (static_cast<unicode::Becomes>(mapping.becomes)) {
      case unicode::Becomes::word:
        word_.add(utf8, mapping.bytes, count_chars(utf8, mapping.bytes));
        break;
      case unicode::Becomes::isolated:
        isolated(utf8, mapping.bytes);
        break;
      case unicode::Becomes::marked:
        for (const Byte *p = utf8, *end = utf8 + mapping.bytes; p < end;) p += character(p, end);
    }
  }

  // A syllable is a leading consonant, a vowel and perhaps a trailing consonant (Unicode 3.12).
  void hangul(char32_t syllable) {
    const char32_t index = syllable - 0xAC00, trailing = index % 28;
    Byte letters[9];
    encode3(0x1100 + index / 588, letters);
    encode3(0x1161 + index % 588 / 28, letters + 3);
    encode3(0x11A7 + trailing, letters + 6);
    const std::size_t chars = trailing == 0 ? 2 : 3;
    word_.add(letters, 3 * chars, chars);
  }

  void isolated(const Byte* utf8, std::size_t bytes) {
    end_word();
    const std::int32_t id = tokenizer_.vocabulary.starts().find({reinterpret_cast<const char*>(utf8), bytes});
    ids_.push_back(id >= 0 ? id : tokenizer_.unknown);
  }

  void end_word() {
    if (word_.empty()) return;
    if (word_.too_long())
      ids_.push_back(tokenizer_.unknown);
    else
      pieces();
    word_.clear();
  }

  // WordPiece: the longest token that the rest begins with, until nothing is left; a word with a gap is unknown.
  void pieces() {
    const std::size_t before = ids_.size();
    const TokenTable* table = &tokenizer_.vocabulary.starts();
    for (std::size_t at = 0; at < word_.size();) {
      const TokenTable::Match match = table->longest(word_.data() + at, word_.size() - at);
      if (match.id < 0) {
        ids_.resize(before);
        ids_.push_back(tokenizer_.unknown);
        return;
      }
      ids_.push_back(match.id);
      at += match.bytes;
      table = &tokenizer_.vocabulary.continuations();
    }
  }

  const Impl& tokenizer_;
  std::vector<std::int32_t>& ids_;
  Word word_;
};

}  // namespace

Tokenizer::Tokenizer(std::string_view vocab, const std::string& path)
    : impl_(std::make_unique<const Impl>(vocab, path)) {}
Tokenizer::~Tokenizer() = default;
Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;

void Tokenizer::encode(std::string_view text, Workspace& ws) const {
  if (text.size() > kMaxTextBytes)
    throw Error(ErrorKind::input, "text",
                "expected at most " + std::to_string(kMaxTextBytes) + " bytes, got " + std::to_string(text.size()));
  ws.ids.clear();
  Scanner<Impl>(*impl_, ws.ids).scan(text);
}

int Tokenizer::size() const { return impl_->vocabulary.size(); }
int Tokenizer::id(std::string_view token) const { return impl_->vocabulary.find(token); }

std::string_view Tokenizer::token(int id) const {
  if (id < 0 || id >= size())
    throw Error(ErrorKind::input, "id", "expected 0 to " + std::to_string(size() - 1) + ", got " + std::to_string(id));
  return impl_->vocabulary.token(id);
}

}  // namespace turnout::embed
