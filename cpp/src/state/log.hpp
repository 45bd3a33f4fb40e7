// Records that wait for a store: framed, checksummed, each batch readable by itself.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "state/bytes.hpp"
#include "turnout/state/memory.hpp"

namespace turnout::state {

// head and arm stand before what needs them; the others begin with a sequence number.
enum class RecordType : std::uint8_t { head = 1, arm, ticket, outcome, merge, epoch, note };

inline constexpr std::size_t kFrame = 9;  // u32 length, u32 crc32c of type and payload, u8 type
inline constexpr std::size_t kMaxRecord = std::size_t{1} << 30;

struct Record {
  RecordType type{};
  Bytes payload;
};

// Reads records until one is torn or damaged.
class RecordReader {
 public:
  explicit RecordReader(Bytes log) : log_(log) {}
  bool next(Record& out);
  std::size_t read() const { return read_; }  // bytes of whole records so far

 private:
  Bytes log_;
  std::size_t read_ = 0;
};

class Log {
 public:
  explicit Log(const Config& config);
  // Appends a record of the payload's parts in their order; false, and counted, where there is no room. `arms` are
  // named before it, once a batch.
  bool append(RecordType type, std::initializer_list<Bytes> payload, std::span<const std::int32_t> arms = {});
  // Every record but head and arm takes one, also one that is lost.
  std::uint64_t next_sequence() { return ++sequence_; }
  std::uint64_t sequence() const { return sequence_; }
  void set_sequence(std::uint64_t sequence) { sequence_ = sequence; }

  void add_arm(std::string_view name);
  std::size_t size() const { return size_; }
  std::uint64_t lost() const { return lost_; }
  // Exchanges the buffer for an empty one of the same size; returns the bytes in the one that is given back.
  std::size_t swap(std::unique_ptr<std::byte[]>& empty);

 private:
  bool write(RecordType type, std::initializer_list<Bytes> payload);
  bool name(std::int32_t arm);

  std::vector<std::byte> head_;
  std::vector<std::string> arms_;
  std::vector<std::uint64_t> named_;  // the batch in which an arm was named last
  std::unique_ptr<std::byte[]> buffer_;
  std::size_t capacity_, size_ = 0;
  std::uint64_t batch_ = 1, sequence_ = 0, lost_ = 0;
};

}  // namespace turnout::state
