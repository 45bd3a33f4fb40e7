// Bytes of snapshots: magic, length, checksum, then little-endian words. Nothing is parsed before the three are right.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "turnout/core/error.hpp"

namespace turnout::telemetry {

static_assert(std::endian::native == std::endian::little);

// FNV-1a of 64 bits: finds damage, not malice.
inline std::uint64_t checksum(std::span<const std::byte> bytes) {
  std::uint64_t hash = 14695981039346656037u;
  for (const std::byte b : bytes) hash = (hash ^ static_cast<std::uint64_t>(b)) * 1099511628211u;
  return hash;
}

class ByteWriter {
 public:
  explicit ByteWriter(std::uint64_t magic) {
    put(magic);
    put(std::uint64_t{0});
  }
  template <class T>
  void put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    const auto* p = reinterpret_cast<const std::byte*>(&value);
    bytes_.insert(bytes_.end(), p, p + sizeof value);
  }
  std::vector<std::byte> finish() {
    const std::uint64_t sum = checksum(std::span(bytes_).subspan(16));
    std::memcpy(bytes_.data() + 8, &sum, sizeof sum);
    return std::move(bytes_);
  }

 private:
  std::vector<std::byte> bytes_;
};

class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, std::uint64_t magic, const char* path) : rest_(bytes), path_(path) {
    if (bytes.size() < 16 || get<std::uint64_t>() != magic) fail("not such a snapshot, or one of another version");
    if (get<std::uint64_t>() != checksum(rest_)) fail("damaged: the checksum differs");
  }
  template <class T>
  T get() {
    if (rest_.size() < sizeof(T)) fail("ends early");
    T value;
    std::memcpy(&value, rest_.data(), sizeof value);
    rest_ = rest_.subspan(sizeof value);
    return value;
  }
  void expect(bool ok, const char* what) const {
    if (!ok) fail(what);
  }
  void finish() const { expect(rest_.empty(), "goes on after its end"); }

 private:
  [[noreturn]] void fail(const char* what) const { throw Error(ErrorKind::input, path_, what); }

  std::span<const std::byte> rest_;
  const char* path_;
};

}  // namespace turnout::telemetry
