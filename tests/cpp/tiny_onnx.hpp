// An ONNX file (protocol buffers, field numbers of onnx.proto3) of one Gemm, put together by hand: no package needed.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <vector>

namespace tiny {

inline std::string varint(std::uint64_t v) {
  std::string out;
  for (; v >= 0x80; v >>= 7) out += static_cast<char>((v & 0x7F) | 0x80);
  return out + static_cast<char>(v);
}
inline std::string number(int field, std::uint64_t v) {
  return varint(static_cast<std::uint64_t>(field) << 3) + varint(v);
}
inline std::string bytes(int field, const std::string& data) {
  return varint((static_cast<std::uint64_t>(field) << 3) | 2) + varint(data.size()) + data;
}

inline std::string tensor(const std::string& name, const std::vector<std::uint64_t>& dims,
                          const std::vector<float>& values) {
  std::string raw(values.size() * 4, '\0');
  if (!raw.empty()) std::memcpy(raw.data(), values.data(), raw.size());
  std::string out;
  for (const auto d : dims) out += number(1, d);
  return out + number(2, 1) + bytes(8, name) + bytes(9, raw);
}

// float32 [batch, columns]; the batch is free.
inline std::string port(const std::string& name, std::uint64_t columns) {
  const std::string shape = bytes(1, bytes(2, "B")) + bytes(1, number(1, columns));
  return bytes(1, name) + bytes(2, bytes(1, number(1, 1) + bytes(2, shape)));
}

// assessment [B, columns] = embedding [B, dim] weight^T + bias, with weight [columns, dim]; metadata latent and skills.
inline std::string gemm(int dim, int columns, const std::vector<float>& weight, const std::vector<float>& bias,
                        int latent, int skills) {
  const auto d = static_cast<std::uint64_t>(dim), c = static_cast<std::uint64_t>(columns);
  const std::string transpose = bytes(5, bytes(1, "transB") + number(3, 1) + number(20, 2));
  const std::string node =
      bytes(1, "embedding") + bytes(1, "w") + bytes(1, "b") + bytes(2, "assessment") + bytes(4, "Gemm") + transpose;
  const std::string graph = bytes(1, node) + bytes(2, "tiny") + bytes(5, tensor("w", {c, d}, weight)) +
                            bytes(5, tensor("b", {c}, bias)) + bytes(11, port("embedding", d)) +
                            bytes(12, port("assessment", c));
  const auto property = [](const char* key, int value) {
    return bytes(14, bytes(1, key) + bytes(2, std::to_string(value)));
  };
  return number(1, 8) + bytes(7, graph) + bytes(8, number(2, 13)) + property("latent", latent) +
         property("skills", skills);
}

inline std::span<const std::byte> view(const std::string& data) {
  return {reinterpret_cast<const std::byte*>(data.data()), data.size()};
}

// faiss::write_index of an IndexFlatIP: header, then the vectors.
inline std::string flat_index(int dim, const std::vector<float>& vectors) {
  const auto put = [](std::string& out, const auto& v) { out.append(reinterpret_cast<const char*>(&v), sizeof v); };
  std::string out = "IxFI";
  put(out, static_cast<std::int32_t>(dim));
  put(out, static_cast<std::int64_t>(vectors.size() / static_cast<std::size_t>(dim)));
  put(out, std::int64_t{1} << 20);
  put(out, std::int64_t{1} << 20);
  put(out, std::uint8_t{1});
  put(out, std::int32_t{0});
  put(out, static_cast<std::uint64_t>(vectors.size()));
  out.append(reinterpret_cast<const char*>(vectors.data()), vectors.size() * 4);
  return out;
}

}  // namespace tiny
