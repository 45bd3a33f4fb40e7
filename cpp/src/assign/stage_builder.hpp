// The ways to run one stage: LLMs for its slots, merged slot by slot, superfluous ones dropped as they appear.
#pragma once

#include "assign/internal.hpp"

namespace turnout::assign {

class StageBuilder {
 public:
  StageBuilder(Workspace::Impl& w, int stage);

  // Appends the stage's options; none when some slot cannot be filled.
  void build();

 private:
  bool waits() const { return stage_.parallel && w_.terms.usd_per_second > 0; }
  bool last() const { return slot_ + 1 >= stage_.slots; }
  // Gain and net are the only criteria, so that the last survivor decides.
  bool flat() const { return !w_.limited && !waits(); }
  int window() const { return flat() ? 1 : kWindow; }

  // merge.cpp
  void begin();
  void take_candidates();
  void add_slot();
  bool may_extend(const Point& x, int llm, bool equal) const;
  void cross(int i, bool equal);
  Point point(const Child& child) const;
  int materialise(int pending);
  void drop_outdone();
  void sift_to(Point* out, int& n);
  template <class Before>
  bool outdone(const Point* kept, int count, const Point& x, const Before& before) const;
  LlmSet llms(const Point& x) const { return w_.sets[x.parent].with(x.choice); }
  int compress(int n);
  void keep(int n);
  void give_steps();

  // options.cpp
  void finish();
  void refilter();
  void append(const Point& x);

  Workspace::Impl& w_;
  const Problem& p_;
  const Stage& stage_;
  Options& options_;
  Worth of_g_, worth_;                 // of g, of competence
  const Point* candidates_[kMaxLlms];  // of the slot at hand
  int slot_ = 0, level_count_ = 0, candidate_count_ = 0, children_ = 0;
};

// thin.cpp
int thin(Point* points, int n);

}  // namespace turnout::assign
