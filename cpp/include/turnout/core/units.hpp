// Strong units: adding dollars to seconds does not compile.
#pragma once

#include <compare>
#include <limits>

namespace turnout {

template <class Tag>
struct Quantity {
  double value = 0.0;

  constexpr Quantity() = default;
  constexpr explicit Quantity(double v) : value(v) {}
  static constexpr Quantity unlimited() { return Quantity(std::numeric_limits<double>::infinity()); }
  constexpr bool limited() const { return value < std::numeric_limits<double>::infinity(); }

  constexpr auto operator<=>(const Quantity&) const = default;
  constexpr Quantity& operator+=(Quantity o) {
    value += o.value;
    return *this;
  }
  friend constexpr Quantity operator+(Quantity a, Quantity b) { return Quantity(a.value + b.value); }
  friend constexpr Quantity operator-(Quantity a, Quantity b) { return Quantity(a.value - b.value); }
  friend constexpr Quantity operator*(double k, Quantity q) { return Quantity(k * q.value); }
};

using Usd = Quantity<struct UsdTag>;
using Seconds = Quantity<struct SecondsTag>;
using Probability = double;  // in [0, 1]; checked where it enters

}  // namespace turnout
