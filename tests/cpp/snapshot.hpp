// A whole router in memory: tiny vocabulary, planted network, flat index, the small catalog of tables.hpp.
#pragma once

#include <cmath>
#include <string>

#include "check.hpp"
#include "tables.hpp"
#include "tiny_onnx.hpp"
#include "turnout/router.hpp"

namespace planted {

using namespace turnout;

inline constexpr int kDim = 16, kLatent = 3, kSkills = 2, kColumns = 2 * kLatent + 1 + kSkills;

inline std::vector<float> unit_rows(int n, std::uint64_t seed) {
  Philox rng(seed);
  std::vector<float> rows;
  for (int i = 0; i < n; ++i) {
    double norm = 0;
    double row[kDim];
    for (double& v : row) {
      v = rng.normal();
      norm += v * v;
    }
    for (const double v : row) rows.push_back(static_cast<float>(v / std::sqrt(norm)));
  }
  return rows;
}

// The lexical block of a router that has one: random tables, scores of about 1.
inline constexpr int kLexical = 16;
inline embed::LexicalTables lexical_tables() {
  Philox rng(12);
  embed::LexicalTables t;
  t.width = kLexical;
  t.rows.resize(1024 * kLexical);
  for (auto& v : t.rows) v = static_cast<std::int8_t>(rng.next() % 255 - 127);
  t.weights.assign(1024, 500);
  t.scale.assign(kLexical, 0.005f);
  for (int i = 0; i < embed::kMarkRows * kLexical; ++i) t.marks.push_back(static_cast<float>(0.1 * rng.normal()));
  return t;
}

inline std::shared_ptr<const embed::Embedder> embedder(bool lexical = false) {
  std::string vocab = "[PAD]\n[UNK]\n";
  for (char c = 'a'; c <= 'z'; ++c) vocab += std::string(1, c) + "\n##" + std::string(1, c) + "\n";
  embed::Tokenizer tokenizer(vocab);
  Philox rng(11);
  std::vector<std::int8_t> rows(static_cast<std::size_t>(tokenizer.size() * kDim));
  for (auto& v : rows) v = static_cast<std::int8_t>(rng.next() % 255 - 127);
  std::vector<std::int16_t> weights(static_cast<std::size_t>(tokenizer.size()), 1000);
  return std::make_shared<embed::StaticEmbedder>(std::move(tokenizer), rows, weights, kDim,
                                                 embed::StaticEmbedder::Options{"planted", 4, 12},
                                                 lexical ? lexical_tables() : embed::LexicalTables{});
}

// `answers` adds the columns of guess floor and output scale, with weights of this size; below 0: no such columns.
// `lexical` scores follow the numbers of a vector. `domains`: both skills are a posterior.
inline std::shared_ptr<const difficulty::Model> model(double answers = -1, int lexical = 0, bool domains = false) {
  Philox rng(5);
  std::vector<float> weight(kColumns * kDim), bias(kColumns);
  for (auto& w : weight) w = static_cast<float>(2 * rng.normal());
  const int columns = kColumns + (answers < 0 ? 0 : 2);
  for (int i = kColumns * kDim; i < columns * kDim; ++i) weight.push_back(static_cast<float>(answers * rng.normal()));
  bias.resize(static_cast<std::size_t>(columns));
  std::vector<float> wide;  // the weights of the lexical scores follow those of each row
  for (int row = 0; row < columns; ++row) {
    wide.insert(wide.end(), weight.begin() + row * kDim, weight.begin() + (row + 1) * kDim);
    for (int i = 0; i < lexical; ++i) wide.push_back(static_cast<float>(0.3 * rng.normal()));
  }
  const auto bytes = tiny::gemm(kDim + lexical, columns, wide, bias, kLatent, kSkills);
  const auto runtime = onnx::Runtime::load(check::required_env("TURNOUT_ORT_LIBRARY"));
  difficulty::Tables tables;
  tables.latent = kLatent;
  tables.skills = kSkills;
  tables.lexical = lexical;
  tables.heads.resize((1 + kSkills) * kLatent, 0.3f);
  tables.centroids = unit_rows(4, 21);
  if (domains) {
    tables.domains = kSkills;
    tables.domain_offsets = {-1, 2};
    tables.domain_floors = {0.05f, 0.3f};
    std::fill(tables.heads.begin() + kLatent, tables.heads.end(), 0.0f);
  }
  return std::make_shared<difficulty::Model>(onnx::Session::create(runtime, tiny::view(bytes), "planted.onnx"), tables);
}

inline std::shared_ptr<const capability::Index> index(int n) {
  const auto vectors = unit_rows(n, 31);
  capability::Columns columns;
  columns.vectors = vectors;
  for (int i = 0; i < n; ++i) {
    columns.kinds.push_back(static_cast<std::uint8_t>(i % 4));
    columns.requires_.push_back(i % 2 ? 1u : 0u);
    columns.usd_per_call.push_back(0.001f * static_cast<float>(i % 3));
  }
  const auto bytes = tiny::flat_index(kDim, vectors);
  auto engine = capability::Engine::load(check::required_env("TURNOUT_FAISS_LIBRARY"));
  return std::make_shared<capability::Index>(capability::FaissIndex(engine, tiny::view(bytes), "planted.faiss"),
                                             columns);
}

inline catalog::Catalog table() {
  catalog::Catalog c = tables::small();
  for (std::size_t i = 0; i < c.llms.size(); ++i) {
    c.llms[i].ability = static_cast<double>(i) - 1;
    c.llms[i].usd_per_mtok_out *= std::pow(8.0, static_cast<double>(i));
    c.llms[i].skill.assign(kSkills, 0.1);
  }
  c.operators[1].parallel = true;
  c.operators[2].slots[0].uses_tools = true;
  c.capabilities.clear();
  for (int i = 0; i < 50; ++i)
    c.capabilities.push_back(
        {"tool" + std::to_string(i), static_cast<catalog::Kind>(i % 4), "does", i % 2 ? 1u : 0u, 0.001 * (i % 3), 0.5});
  return c;
}

inline Snapshot snapshot(double answers = -1, bool lexical = false, bool domains = false) {
  Snapshot s;
  s.catalog = table();
  s.embedder = embedder(lexical);
  s.difficulty = model(answers, lexical ? kLexical : 0, domains);
  s.capability = index(50);
  s.operators.cut_points = {0.25, 0.5, 0.75};
  s.names.bundle = "planted";
  s.names.embedder = "planted";
  for (const auto& llm : s.catalog.llms) s.names.llms.push_back(llm.id);
  for (const auto& capability : s.catalog.capabilities) s.names.capabilities.push_back(capability.id);
  for (const auto& oper : s.catalog.operators) {
    s.names.operators.push_back(oper.id);
    s.names.roles.emplace_back(oper.slots.size(), "role");
  }
  return s;
}

// With domains, and LLMs that have a discrimination and a length of their own, but for the first.
inline Snapshot own_responses() {
  Snapshot s = snapshot(0.5, false, true);
  for (std::size_t i = 1; i < s.catalog.llms.size(); ++i) {
    auto& llm = s.catalog.llms[i];
    llm.discrimination = 0.5 * static_cast<double>(i);
    llm.length_gain = 2.0 - static_cast<double>(i);
    llm.length_skill = {0.25, -0.5 * static_cast<double>(i)};
  }
  return s;
}

}  // namespace planted
