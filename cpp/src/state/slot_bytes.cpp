#include "state/slot_bytes.hpp"

#include <algorithm>

#include "state/checks.hpp"
#include "state/crc32c.hpp"

namespace turnout::state {
namespace {

constexpr std::string_view kSlotsMagic = "turnslot";

void put_part(Writer& out, const Part& part) { out.number(part.epoch).bytes(std::as_bytes(std::span(*part.sums))); }

void put_arm(Writer& out, const ArmEvidence& arm, const std::string& name) {
  out.text(name).number(arm.changes);
  for (const std::int64_t n : arm.failures) out.number(n);
  out.number(static_cast<std::uint8_t>(arm.base.sums != nullptr));
  out.number(static_cast<std::uint8_t>(arm.parts.size()));
  if (arm.base.sums) put_part(out, arm.base);
  for (const Part& part : arm.parts) put_part(out, part);
}

// By name, so that equal evidence has equal bytes whatever the numbers of its arms.
std::vector<std::size_t> known_arms(const Slot& slot, const Names& names) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < slot.arms.size(); ++i)
    if (slot.arms[i].changes > 0) out.push_back(i);
  std::sort(out.begin(), out.end(), [&](std::size_t a, std::size_t b) { return *names[a] < *names[b]; });
  return out;
}

void put_slot(Writer& out, const Slot& slot, const Names& names) {
  const auto arms = known_arms(slot, names);
  out.number(slot.replica).number(slot.epoch).number(slot.sequence).number(static_cast<std::uint32_t>(arms.size()));
  for (const std::size_t i : arms) put_arm(out, slot.arms[i], *names[i]);
}

// Reads what encode_slots() wrote; every number is checked before it is used.
class SlotReader {
 public:
  SlotReader(Reader in, int dim, const char* path) : in_(in), dim_(dim), path_(path) {}

  std::vector<NamedSlot> all() {
    const auto count = in_.number<std::uint32_t>();
    expect(count <= in_.left() / 24, "says more slots than it holds");
    std::vector<NamedSlot> out(count);
    for (std::size_t i = 0; i < out.size(); ++i) {
      slot(out[i]);
      expect(i == 0 || out[i - 1].slot.replica < out[i].slot.replica, "its replicas are not in order");
    }
    expect(in_.done(), "goes on after its end, or ends early");
    return out;
  }

 private:
  void slot(NamedSlot& out) {
    out.slot.replica = in_.number<std::uint64_t>();
    out.slot.epoch = in_.number<std::uint32_t>();
    out.slot.sequence = in_.number<std::uint64_t>();
    const auto arms = in_.number<std::uint32_t>();
    expect(out.slot.replica != 0 && out.slot.sequence != 0 && arms <= kMaxArms && arms <= in_.left() / 68,
           "a slot's head is out of range");
    out.slot.arms.resize(arms);
    for (std::size_t i = 0; i < arms; ++i) {
      out.names.emplace_back(in_.text());
      expect(!out.names[i].empty() && out.names[i].size() <= kMaxName && (i == 0 || out.names[i - 1] < out.names[i]),
             "its arms are not in order");
      arm(out.slot.arms[i], out.slot.epoch);
    }
  }

  void arm(ArmEvidence& out, std::uint32_t epoch) {
    out.changes = in_.number<std::uint64_t>();
    for (std::int64_t& n : out.failures) n = in_.number<std::int64_t>();
    const auto base = in_.number<std::uint8_t>();
    const auto parts = in_.number<std::uint8_t>();
    expect(in_.ok() && out.changes > 0 && base <= 1 && parts <= kMaxEpochs, "an arm's head is out of range");
    for (const std::int64_t n : out.failures) expect(n >= 0 && n <= kMaxSum, "a count is out of range");
    if (base == 1) out.base = part(true);
    for (int i = 0; i < parts; ++i) {
      out.parts.push_back(part(false));
      const Part* before = i > 0 ? &out.parts[static_cast<std::size_t>(i) - 1] : base == 1 ? &out.base : nullptr;
      expect(before == nullptr || before->epoch < out.parts.back().epoch, "its epochs are not in order");
    }
    expect((parts > 0 ? out.parts.back().epoch : out.base.epoch) <= epoch, "an epoch is later than its slot's");
  }

  Part part(bool folded) {
    Part out;
    out.epoch = in_.number<std::uint32_t>();
    const std::size_t n = sum_count(dim_);
    const Bytes bytes = in_.bytes(n * sizeof(std::int64_t));
    expect(in_.ok(), "ends early");
    out.sums = std::make_shared<Sums>(n);
    std::memcpy(out.sums->data(), bytes.data(), bytes.size());
    expect(in_range(*out.sums, static_cast<std::size_t>(dim_), folded), "a sum is out of range");
    return out;
  }

  // Of an epoch's own sums has_room() relies on more: none is beyond what the weight allows.
  static bool in_range(const Sums& sums, std::size_t d, bool folded) {
    bool ok = true;
    for (const std::int64_t s : sums) ok &= s >= -kMaxSum && s <= kMaxSum;
    for (std::size_t k = 0; k < kMoment; ++k) ok &= sums[k] >= 0;
    for (std::size_t i = 0, diagonal = kMoment + d; i < d; diagonal += d - i, ++i) ok &= sums[diagonal] >= 0;
    if (folded || sums[kWeight] > kMaxSum >> 30) return ok;
    const std::int64_t most = sums[kWeight] << 30;
    for (std::size_t k = kMoment; k < sums.size(); ++k) ok &= sums[k] >= -most && sums[k] <= most;
    return ok;
  }

  void expect(bool ok, const char* what) const {
    if (!ok) refuse(path_, what);
  }

  Reader in_;
  int dim_;
  const char* path_;
};

}  // namespace

void put_head(Writer& out, std::string_view magic, const Config& config) {
  out.bytes(bytes_of(magic)).number(kFormat).number(static_cast<std::uint32_t>(config.dim)).text(config.space);
}

Reader check_head(Bytes bytes, std::string_view magic, const Config& config, const char* path) {
  if (bytes.size() < 12 || text_of(bytes.first(8)) != magic) refuse(path, "expected bytes of this kind, got others");
  if (crc32c(bytes.first(bytes.size() - 4)) != Reader(bytes.last(4)).number<std::uint32_t>())
    refuse(path, "damaged: the checksum differs");
  Reader in(bytes.subspan(8, bytes.size() - 12));
  const auto format = in.number<std::uint32_t>(), dim = in.number<std::uint32_t>();
  const std::string at(path), space(in.text());
  if (!in.ok() || format != kFormat)
    refuse(at + ".format", "expected " + std::to_string(kFormat) + ", got " + std::to_string(format));
  if (dim != static_cast<std::uint32_t>(config.dim))
    refuse(at + ".dim", "expected " + std::to_string(config.dim) + ", got " + std::to_string(dim));
  if (space != config.space) refuse(at + ".space", "expected '" + config.space + "', got '" + space + "'");
  return in;
}

std::vector<std::byte> finish(Writer& out) {
  out.number(crc32c(out.view()));
  return out.take();
}

std::vector<std::byte> encode_slots(std::span<const Slot* const> slots, const Names& names, const Config& config) {
  Writer out;
  put_head(out, kSlotsMagic, config);
  out.number(static_cast<std::uint32_t>(slots.size()));
  for (const Slot* slot : slots) put_slot(out, *slot, names);
  return finish(out);
}

std::vector<NamedSlot> decode_slots(Bytes bytes, const Config& config, const char* path) {
  return SlotReader(check_head(bytes, kSlotsMagic, config, path), config.dim, path).all();
}

}  // namespace turnout::state
