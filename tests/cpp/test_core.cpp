#include "check.hpp"
#include "turnout/core.hpp"

using namespace turnout;

// Reference values: numpy.random.Philox(key=[7, 0]).random_raw(6), an independent implementation of the same generator.
TEST(philox_equals_an_independent_implementation) {
  const std::uint64_t expected[] = {0xdf4034b829e9fba4u, 0x4b9d10cdf8e64087u, 0x6b8b857e506aac98u,
                                    0x67c7c945b1ba6e52u, 0x15352da77ecee8e6u, 0xb256888327f72bccu};
  Philox rng(7);
  for (const std::uint64_t value : expected) CHECK(rng.next() == value);
}

TEST(philox_streams_differ_and_repeat) {
  Philox a(1, 0), b(1, 1), c(1, 0);
  const auto first = a.next();
  CHECK(first != b.next());
  CHECK(first == c.next());
}

TEST(uniform_and_normal_have_their_moments) {
  Philox rng(3);
  double sum = 0, squares = 0, uniform = 0;
  constexpr int n = 100000;
  for (int i = 0; i < n; ++i) {
    const double x = rng.normal();
    sum += x;
    squares += x * x;
    const double u = rng.uniform();
    CHECK(u >= 0 && u < 1);
    uniform += u;
  }
  CHECK_NEAR(sum / n, 0.0, 0.02);
  CHECK_NEAR(squares / n, 1.0, 0.03);
  CHECK_NEAR(uniform / n, 0.5, 0.01);
}

TEST(units_add_and_compare) {
  CHECK((Usd(1.5) + Usd(0.5)).value == 2.0);
  CHECK(Usd(1) < Usd::unlimited());
  CHECK(!Seconds::unlimited().limited());
  CHECK((2.0 * Seconds(3)).value == 6.0);
}

TEST(dot_is_right_for_every_length) {
  float a[70], b[70];
  for (int i = 0; i < 70; ++i) {
    a[i] = 0.25f * static_cast<float>(i % 7 - 3);
    b[i] = 0.5f * static_cast<float>(i % 5 - 2);
  }
  for (int n = 0; n <= 70; ++n) {
    double exact = 0;
    for (int i = 0; i < n; ++i) exact += static_cast<double>(a[i]) * b[i];
    CHECK(dot(a, b, n) == static_cast<float>(exact));  // all terms are multiples of 1/8: no rounding
  }
}

TEST(errors_carry_the_path) {
  const Error error(ErrorKind::config, "pool.llms[2].price", "expected a number >= 0, got -1");
  CHECK(std::string(error.what()) == "pool.llms[2].price: expected a number >= 0, got -1");
  CHECK(error.path == "pool.llms[2].price");
}
