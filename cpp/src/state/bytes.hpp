// Little-endian numbers into and out of bytes. A reader never reads beyond its end: it says that it did.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>
#include <vector>

namespace turnout::state {

static_assert(std::endian::native == std::endian::little, "numbers are copied as they lie in memory");

using Bytes = std::span<const std::byte>;

inline Bytes bytes_of(std::string_view text) { return {reinterpret_cast<const std::byte*>(text.data()), text.size()}; }
template <class T>
Bytes number_bytes(const T& value) {
  static_assert(std::is_arithmetic_v<T>);
  return std::as_bytes(std::span(&value, 1));
}
inline std::string_view text_of(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

// Into room that the caller has measured.
class Put {
 public:
  explicit Put(std::byte* at) : at_(at) {}
  template <class T>
  Put& number(T value) {
    static_assert(std::is_arithmetic_v<T>);
    std::memcpy(at_, &value, sizeof value);
    at_ += sizeof value;
    return *this;
  }
  Put& bytes(Bytes data) {
    if (!data.empty()) std::memcpy(at_, data.data(), data.size());
    at_ += data.size();
    return *this;
  }
  Put& text(std::string_view data) {  // its length as two bytes before it
    return number(static_cast<std::uint16_t>(data.size())).bytes(bytes_of(data));
  }
  std::byte* at() const { return at_; }

 private:
  std::byte* at_;
};

class Writer {
 public:
  template <class T>
  Writer& number(T value) {
    static_assert(std::is_arithmetic_v<T>);
    Put(grow(sizeof value)).number(value);
    return *this;
  }
  Writer& bytes(Bytes data) {
    Put(grow(data.size())).bytes(data);
    return *this;
  }
  Writer& text(std::string_view data) {
    Put(grow(2 + data.size())).text(data);
    return *this;
  }
  void reserve(std::size_t n) { data_.reserve(data_.size() + n); }
  Bytes view() const { return data_; }
  std::vector<std::byte> take() { return std::move(data_); }

 private:
  std::byte* grow(std::size_t n) {
    data_.resize(data_.size() + n);
    return data_.data() + data_.size() - n;
  }
  std::vector<std::byte> data_;
};

class Reader {
 public:
  explicit Reader(Bytes bytes) : rest_(bytes) {}
  template <class T>
  T number() {
    static_assert(std::is_arithmetic_v<T>);
    T value{};
    const Bytes from = bytes(sizeof value);
    if (!from.empty()) std::memcpy(&value, from.data(), sizeof value);
    return value;
  }
  Bytes bytes(std::uint64_t n) {
    if (n > rest_.size()) ok_ = false;
    if (!ok_) return {};
    const Bytes out = rest_.first(static_cast<std::size_t>(n));
    rest_ = rest_.subspan(static_cast<std::size_t>(n));
    return out;
  }
  std::string_view text() { return text_of(bytes(number<std::uint16_t>())); }
  bool ok() const { return ok_; }  // false: it ended early, and what was read since is 0
  bool done() const { return ok_ && rest_.empty(); }
  std::size_t left() const { return rest_.size(); }

 private:
  Bytes rest_;
  bool ok_ = true;
};

}  // namespace turnout::state
