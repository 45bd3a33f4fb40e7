// Time as the sum of a clock's forward steps. The caller's clock may have any origin and may jump.
#pragma once

namespace turnout::budget {

// A step back of more than kSlack is a jump: no time has passed, and counting goes on from there. A smaller one is two
// threads that read the clock in the other order: time stands until the clock has caught up. A step forward counts,
// however long it is.
class ForwardClock {
 public:
  static constexpr double kSlack = 1.0;  // seconds
  // Seconds since the first call. `now` must be within kMaxNow of 0. From jump to jump they are a difference of two
  // readings, so that rounding does not add up.
  double advance(double now) {
    if (!started_ || now < last_ - kSlack) {
      before_ = elapsed();
      anchor_ = last_ = now;
      started_ = true;
    } else if (now > last_) {
      last_ = now;
    }
    return elapsed();
  }
  double elapsed() const { return before_ + (last_ - anchor_); }

 private:
  double before_ = 0;  // elapsed at the last jump
  double anchor_ = 0, last_ = 0;
  bool started_ = false;
};

// 31,700 years: a double still tells tenths of a millisecond apart there. Time that a jump took beyond that would
// swallow every later time to live.
inline constexpr double kMaxNow = 1e12;

// Throws Error(input) with the path "now" unless it is within kMaxNow of 0.
void check_now(double now);

}  // namespace turnout::budget
