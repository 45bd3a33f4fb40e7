// One more slot: every way to fill the slots so far, with every candidate of this one, less what is superfluous.
#include "assign/stage_builder.hpp"

namespace turnout::assign {
namespace {

constexpr int kFew = 24;  // children that are sifted as they are
constexpr int kBuckets = 32;

}  // namespace

// The first slot's candidates are the first level, the cheapest first; nothing about them is superfluous.
void StageBuilder::begin() {
  take_candidates();
  level_count_ = candidate_count_;
  for (int i = 0; i < level_count_; ++i) w_.level[i] = *candidates_[candidate_count_ - 1 - i];
  give_steps();
}

void StageBuilder::take_candidates() {
  const Slot& slot = w_.slots[stage_.first_slot + slot_];
  candidate_count_ = 0;
  for (int k = 0; k < slot.count; ++k)
    if (slot.alive[k]) candidates_[candidate_count_++] = &slot.points[k];
}

void StageBuilder::add_slot() {
  const bool equal = w_.slots[stage_.first_slot + slot_].points == w_.slots[stage_.first_slot + slot_ - 1].points;
  if (!equal) take_candidates();
  int pending = 0;
  children_ = 0;
  for (int i = 0; i < level_count_; ++i) {
    cross(i, equal);
    if (pending + children_ > kPending - candidate_count_) pending = compress(materialise(pending));
  }
  keep(materialise(pending));
}

// Equal slots take LLMs in non-decreasing order: the other orders are the same plan, and lose the tie.
bool StageBuilder::may_extend(const Point& x, int llm, bool equal) const {
  if (x.relaxed || slot_ == 0) return true;
  if (equal && llm < x.choice) return false;
  return !stage_.distinct || !w_.sets[x.parent].holds(llm);
}

void StageBuilder::cross(int i, bool equal) {
  const Point& x = w_.level[i];
  for (int k = 0; k < candidate_count_; ++k) {
    const Point& c = *candidates_[k];
    if (may_extend(x, c.choice, equal))
      w_.children[children_++] = {x.net + c.net, x.gain + c.gain, static_cast<std::uint16_t>(i),
                                  static_cast<std::uint16_t>(k)};
  }
}

Point StageBuilder::point(const Child& child) const {
  const Point& c = *candidates_[child.candidate];
  Point x = w_.level[child.parent];
  x.gain = child.gain;
  x.net = child.net;
  x.usd += c.usd;
  x.use[0] += c.use[0];
  x.use[1] = stage_.parallel ? std::max(x.use[1], c.use[1]) : x.use[1] + c.use[1];
  x.wait = std::max(x.wait, c.wait);
  x.choice = c.choice;
  return x;
}

// Children become points after the `pending` ones; returns how many there are then.
int StageBuilder::materialise(int pending) {
  if (children_ > kFew && (!stage_.distinct || last())) drop_outdone();
  for (int i = 0; i < children_; ++i) w_.pending[pending++] = point(w_.children[i]);
  children_ = 0;
  return pending;
}

// Most children are outdone by the cheapest child of a higher range of gain: one look instead of a sort.
void StageBuilder::drop_outdone() {
  Child* children = w_.children.data();
  const auto [low, high] = std::minmax_element(children, children + children_,
                                               [](const Child& a, const Child& b) { return a.gain < b.gain; });
  if (!(high->gain > low->gain)) return;
  const double base = low->gain, scale = (kBuckets - 1) / (high->gain - base);
  const auto bucket = [=](const Child& x) { return static_cast<int>((x.gain - base) * scale); };
  const Child* champion[kBuckets + 1] = {};
  for (int i = 0; i < children_; ++i) {
    const Child*& best = champion[bucket(children[i])];
    if (!w_.level[children[i].parent].relaxed && (best == nullptr || children[i].net < best->net)) best = &children[i];
  }
  Child best_above[kBuckets];
  bool any_above[kBuckets];
  const Child* best = nullptr;
  for (int b = kBuckets; b-- > 0;) {
    any_above[b] = best != nullptr;
    if (best != nullptr) best_above[b] = *best;
    if (champion[b] != nullptr && (best == nullptr || champion[b]->net < best->net)) best = champion[b];
  }
  int kept = 0;
  for (int i = 0; i < children_; ++i) {
    const Child x = children[i];
    const int b = bucket(x);
    if (!(any_above[b] && best_above[b].net < x.net && (flat() || uses_no_more(point(best_above[b]), point(x)))))
      children[kept++] = x;
  }
  children_ = kept;
}

void StageBuilder::sift_to(Point* out, int& n) {
  const auto before = [this](const Point& a, const Point& b) {
    const int earlier = compare_steps(w_, a.parent, b.parent);
    return earlier != 0 ? earlier < 0 : a.choice < b.choice;
  };
  const bool whole = !stage_.distinct || last();
  n = sift(w_.pending.data(), n, w_.keys.data(), out, before, [&](const Point* kept, int count, const Point& x) {
    return whole ? any_prunes(kept, count, x, window(), worth_, before) : outdone(kept, count, x, before);
  });
}

// Distinct LLMs: a pruner may hold an LLM that is still to come, so one more is needed than slots are left, no two of
// which share an LLM that x lacks. A relaxed point stands for any LLMs.
template <class Before>
bool StageBuilder::outdone(const Point* kept, int count, const Point& x, const Before& before) const {
  const int needed = stage_.slots - slot_;
  const LlmSet own = llms(x);
  LlmSet found[kMaxNodes];
  int pruners = 0;
  for (int k = count - 1; k >= std::max(0, count - kWindow); --k) {
    if (!prunes(kept[k], x, worth_, before)) continue;
    if (kept[k].relaxed) return true;
    if (x.relaxed) continue;
    found[pruners] = llms(kept[k]);
    bool shares = false;
    for (int i = 0; i < pruners; ++i) shares = shares || share_beside(found[i], found[pruners], own);
    if (!shares && ++pruners == needed) return true;
  }
  return false;
}

int StageBuilder::compress(int n) {
  sift_to(w_.spare.data(), n);
  if (n > kPending / 2) n = thin(w_.spare.data(), n);
  std::copy(w_.spare.begin(), w_.spare.begin() + n, w_.pending.begin());
  return n;
}

// The survivors are the next level; each gets its step.
void StageBuilder::keep(int n) {
  sift_to(w_.level.data(), n);
  if (n > kMaxOptions - 1) n = thin(w_.level.data(), n);
  level_count_ = n;
  give_steps();
}

void StageBuilder::give_steps() {
  for (int i = 0; i < level_count_; ++i) {
    Point& x = w_.level[i];
    if (stage_.distinct) w_.sets[w_.step_count] = llms(x);
    w_.steps[w_.step_count] = {x.parent, x.choice};
    x.parent = w_.step_count++;
  }
}

}  // namespace turnout::assign
