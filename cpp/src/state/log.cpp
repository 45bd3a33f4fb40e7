#include "state/log.hpp"

#include <utility>

#include "state/crc32c.hpp"
#include "state/slot_bytes.hpp"

namespace turnout::state {
namespace {

std::size_t total(std::initializer_list<Bytes> parts) {
  std::size_t n = 0;
  for (const Bytes part : parts) n += part.size();
  return n;
}

}  // namespace

bool RecordReader::next(Record& out) {
  const Bytes rest = log_.subspan(read_);
  if (rest.size() < kFrame) return false;
  Reader in(rest);
  const auto length = in.number<std::uint32_t>(), crc = in.number<std::uint32_t>();
  if (length > rest.size() - kFrame || crc32c(rest.subspan(8, std::size_t{length} + 1)) != crc) return false;
  out = {static_cast<RecordType>(in.number<std::uint8_t>()), rest.subspan(kFrame, length)};
  read_ += kFrame + length;
  return true;
}

Log::Log(const Config& config)
    : buffer_(std::make_unique_for_overwrite<std::byte[]>(config.log_bytes)), capacity_(config.log_bytes) {
  Writer head;
  head.number(kFormat).number(static_cast<std::uint32_t>(config.dim)).number(config.replica).text(config.space);
  head_ = head.take();
}

void Log::add_arm(std::string_view name) {
  arms_.emplace_back(name);
  named_.push_back(0);
}

bool Log::append(RecordType type, std::initializer_list<Bytes> payload, std::span<const std::int32_t> arms) {
  bool ok = size_ > 0 || write(RecordType::head, {head_});
  for (const std::int32_t arm : arms) ok = ok && (arm < 0 || name(arm));
  ok = ok && write(type, payload);
  lost_ += !ok;
  return ok;
}

bool Log::name(std::int32_t arm) {
  const auto i = static_cast<std::size_t>(arm);
  if (named_[i] == batch_) return true;
  const auto number = static_cast<std::uint32_t>(arm);
  if (!write(RecordType::arm, {number_bytes(number), bytes_of(arms_[i])})) return false;
  named_[i] = batch_;
  return true;
}

bool Log::write(RecordType type, std::initializer_list<Bytes> payload) {
  const std::size_t n = total(payload);
  if (n > kMaxRecord || n + kFrame > capacity_ - size_) return false;
  std::byte* const frame = buffer_.get() + size_;
  Put put(frame + 8);
  put.number(static_cast<std::uint8_t>(type));
  for (const Bytes part : payload) put.bytes(part);
  Put(frame).number(static_cast<std::uint32_t>(n)).number(crc32c({frame + 8, n + 1}));
  size_ += kFrame + n;
  return true;
}

std::size_t Log::swap(std::unique_ptr<std::byte[]>& empty) {
  buffer_.swap(empty);
  ++batch_;
  return std::exchange(size_, 0);
}

}  // namespace turnout::state
