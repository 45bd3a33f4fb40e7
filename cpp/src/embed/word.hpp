// The word that is being read, normalised. Never longer than WordPiece looks at: what comes after is only counted.
#pragma once

#include <array>
#include <cstddef>
#include <cstring>

namespace turnout::embed {

class Word {
 public:
  static constexpr int kMaxChars = 100;  // longer words are [UNK]
  static constexpr int kMaxMapped = 32;  // bytes that one code point may become
  static constexpr int kSlack = 16;      // readable bytes after the last one

  const unsigned char* data() const { return bytes_.data(); }
  std::size_t size() const { return size_; }
  bool empty() const { return chars_ == 0; }
  bool too_long() const { return chars_ > kMaxChars; }
  void clear() { size_ = chars_ = run_ = 0; }

  void add_byte(unsigned char byte) {
    if (!too_long()) bytes_[size_++] = byte;
    ++chars_;
    run_ = 0;
  }

  // `chars` characters that are no combining marks.
  void add(const unsigned char* utf8, std::size_t bytes, std::size_t chars) {
    if (!too_long()) append(utf8, bytes);
    chars_ += chars;
    run_ = 0;
  }

  void end_run() { run_ = 0; }

  // A mark goes before the marks of higher combining class that stand just before it (canonical order).
  void add_mark(int combining_class, const unsigned char* utf8, std::size_t bytes) {
    if (!too_long()) insert({static_cast<unsigned char>(combining_class), static_cast<unsigned char>(bytes)}, utf8);
    ++chars_;
  }

 private:
  struct Mark {
    unsigned char combining_class, bytes;
  };

  void append(const unsigned char* utf8, std::size_t bytes) {
    std::memcpy(bytes_.data() + size_, utf8, bytes);
    size_ += bytes;
  }

  void insert(Mark mark, const unsigned char* utf8) {
    std::size_t at = run_, byte = size_;
    while (at > 0 && marks_[at - 1].combining_class > mark.combining_class) byte -= marks_[--at].bytes;
    std::memmove(bytes_.data() + byte + mark.bytes, bytes_.data() + byte, size_ - byte);
    std::memcpy(bytes_.data() + byte, utf8, mark.bytes);
    std::memmove(&marks_[at + 1], &marks_[at], (run_ - at) * sizeof(Mark));
    marks_[at] = mark;
    ++run_;
    size_ += mark.bytes;
  }

  std::array<unsigned char, 4 * kMaxChars + kMaxMapped + kSlack> bytes_{};
  std::array<Mark, kMaxChars + 2> marks_{};
  std::size_t size_ = 0, chars_ = 0;
  std::size_t run_ = 0;  // marks at the end that may still be reordered
};

}  // namespace turnout::embed
