// difficulty: vector -> latent, calibrated difficulty, skills: one ONNX run. Never knows which LLMs exist.
//
// The network is the encoder of a VAE with its heads folded in: one output [B, 2 Z + 1 + S], or two columns more, which
// are the latent mean, the latent log-variance, the difficulty logit b(q), the skills s(q) and, where given, the guess
// floor and the logarithm of the output scale. b and the skills are linear in the latent where heads.npy has a row for
// them, so a sampled latent moves them by head . (z - mean); nothing else moves. The last skills may be logits of the
// query's domain: they leave the room as its posterior, whose domains have an offset to b and a floor each.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "turnout/core.hpp"
#include "turnout/onnx.hpp"

namespace turnout::difficulty {

struct Tables {
  int latent = 0;                // Z
  int skills = 0;                // S
  int lexical = 0;               // R: the last R numbers of a vector are lexical scores, the others a unit vector
  std::vector<float> heads;      // [1 + S, Z]
  std::vector<float> centroids;  // [K, dim - R], unit rows: where the training data lies
  float domain_threshold = -1;   // a query whose best cosine to a centroid is below it is out of domain
  double mean_difficulty = 0.5;  // of the training data; for empty text
  // The last K skills are a posterior over domains; [K]: what each adds to b and to the floor.
  int domains = 0;
  std::vector<float> domain_offsets, domain_floors;
};

inline constexpr float kMaxFloor = 0.95f, kMaxOutputScale = 16;

// exp, clamped to [1 / kMaxOutputScale, kMaxOutputScale].
float output_scale(double logarithm);

// What is known of one query.
struct Assessment {
  double difficulty = 0.5;  // d = sigmoid(b): P(the reference LLM fails), were there no guessing
  double logit = 0;         // b = logit(d)
  float latent_mean[kMaxLatent] = {};
  float latent_logvar[kMaxLatent] = {};
  float skills[kMaxSkills] = {};  // the last ones: P(domain), where the model has domains
  float floor = 0;                // share of right answers that guessing gives: P = floor + (1 - floor) sigmoid(...)
  float output_scale = 1;         // length of answers, in multiples of each LLM's own
  float log_output_scale = 0;     // its logarithm, before it was clamped
  float domain_similarity = 1;
  bool out_of_domain = false;
};

// Buffers and bound tensors of one thread: one query bound once, a batch bound again when its size changes.
class Workspace {
 public:
  Workspace(std::shared_ptr<const onnx::Session> session, int dim, int columns);

 private:
  friend class Model;
  void bind_batch(int n);

  std::shared_ptr<const onnx::Session> session_;
  std::vector<float> single_in_, single_out_, batch_in_, batch_out_;
  onnx::Binding single_;
  std::optional<onnx::Binding> batch_;
  int bound_ = 0;
};

class Model {
 public:
  Model(std::shared_ptr<const onnx::Session> session, Tables tables);
  ~Model();
  int dim() const { return dim_; }
  int lexical() const { return tables_.lexical; }
  int unit_dim() const { return dim_ - tables_.lexical; }
  int latent() const { return tables_.latent; }
  int skills() const { return tables_.skills; }
  int domains() const { return tables_.domains; }
  const Tables& tables() const { return tables_; }

  Workspace workspace() const { return Workspace(session_, dim_, columns_); }
  // One query, greedy (the latent mean). Whatever leaves this room is finite: Error(input) where a huge vector
  // overflows.
  void assess(const float* x, Workspace& ws, Assessment& out) const;
  // n <= kMaxBatch rows [n, dim], one engine run.
  void assess(const float* x, int n, Workspace& ws, Assessment* out) const;
  // Moves an assessment to a latent sampled from its posterior N(mean, exp(logvar)).
  void sample(Assessment& assessment, Philox& rng) const;
  // The assessment of a query without text.
  Assessment mean() const;

 private:
  void read(const float* x, const float* row, Assessment& out) const;
  void read_answer(const float* columns, Assessment& out) const;
  double read_domains(Assessment& out) const;
  std::shared_ptr<const onnx::Session> session_;
  Tables tables_;
  int dim_ = 0, columns_ = 0;
};

}  // namespace turnout::difficulty
