// What is known of a query before anything is decided: its assessment, and what every LLM would make of it.
#include <algorithm>
#include <cmath>

#include "router/checks.hpp"
#include "router/tables.hpp"
#include "router/workspace.hpp"

namespace turnout {

void Router::assess(std::span<const std::string_view> texts, int row, Workspace& ws, difficulty::Assessment* out,
                    int* tokens) const {
  check_owner(ws.owner == this);
  for (std::size_t i = 0; i < texts.size(); ++i) check_text(texts[i], row + static_cast<int>(i));
  const auto width = static_cast<std::size_t>(dim());
  for (std::size_t start = 0; start < texts.size(); start += kMaxBatch) {
    const std::size_t n = std::min<std::size_t>(kMaxBatch, texts.size() - start);
    if (ws.vectors.size() < n * width) ws.vectors.resize(n * width);
    for (std::size_t i = 0; i < n; ++i)
      tokens[start + i] =
          text_embedder(snapshot_).embed(texts[start + i], ws.embed, ws.vectors.data() + i * width).tokens;
    snapshot_.difficulty->assess(ws.vectors.data(), static_cast<int>(n), ws.difficulty, out + start);
    for (std::size_t i = start; i < start + n; ++i)
      if (tokens[i] == 0) out[i] = snapshot_.difficulty->mean();
  }
}

void Router::assess(const float* vectors, int n, int row, Workspace& ws, difficulty::Assessment* out) const {
  check_owner(ws.owner == this);
  const std::ptrdiff_t width = dim();
  for (int i = 0; i < n; ++i) check_vector(vectors + i * width, unit_dim(), dim(), row + i);
  for (int start = 0; start < n; start += kMaxBatch)
    snapshot_.difficulty->assess(vectors + start * width, std::min(kMaxBatch, n - start), ws.difficulty, out + start);
}

void Router::predict(const difficulty::Assessment& a, double* quality) const {
  const int skills = snapshot_.difficulty->skills();
  const auto floor = static_cast<double>(a.floor);
  for (int m = 0; m < tables_->llms; ++m) {
    const float shift = dot(tables_->skills.data() + m * skills, a.skills, skills);
    const auto i = static_cast<std::size_t>(m);
    const double logit = tables_->abilities[i] + shift - tables_->discriminations[i] * a.logit;
    quality[m] = floor + (1.0 - floor) * (1.0 / (1.0 + std::exp(-logit)));
  }
}

void Router::direct_usd(const difficulty::Assessment& a, double in_tokens, trace::Statistic statistic,
                        double* usd) const {
  for (int m = 0; m < tables_->llms; ++m)
    usd[m] = tables_->usd(tables_->direct_slot, m, static_cast<int>(statistic), in_tokens, tables_->output_scale(m, a));
}

}  // namespace turnout
