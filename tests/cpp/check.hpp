// A small test harness: TEST(name) { CHECK(...); }. The build must need nothing but a compiler, so no framework is
// fetched.
#pragma once

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "turnout/core/error.hpp"

namespace check {

struct Case {
  const char* name;
  void (*run)();
};
inline std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}
inline int failures = 0;
inline int checks = 0;

struct Register {
  Register(const char* name, void (*run)()) { cases().push_back({name, run}); }
};

inline void that(bool ok, const char* text, const char* file, int line) {
  ++checks;
  if (!ok) {
    ++failures;
    std::fprintf(stderr, "%s:%d: failed: %s\n", file, line, text);
  }
}

// The message of the exception that f throws, or "" when it throws none.
template <class E>
std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const E& e) {
    return e.what();
  }
  return "";
}

// The value of an environment variable that a test needs; exits 77 (skipped, and said) when it is unset.
inline std::string required_env(const char* name) {
  if (const char* value = std::getenv(name)) return value;
  std::fprintf(stderr, "skipped: set %s (python -m turnout.engines prints it)\n", name);
  std::exit(77);
}

}  // namespace check

#define TEST(name)                                                  \
  static void test_##name();                                        \
  static const check::Register register_##name(#name, test_##name); \
  static void test_##name()
#define CHECK(expression) check::that(static_cast<bool>(expression), #expression, __FILE__, __LINE__)
// The statement throws turnout::Error of this kind with this path.
#define CHECK_ERROR(statement, expected_kind, expected_path)                                           \
  try {                                                                                                \
    statement;                                                                                         \
    check::that(false, #statement " throws", __FILE__, __LINE__);                                      \
  } catch (const turnout::Error& e) {                                                                  \
    check::that(e.kind == (expected_kind) && e.path == (expected_path), e.what(), __FILE__, __LINE__); \
  }
#define CHECK_NEAR(a, b, tolerance) check::that(std::abs((a) - (b)) <= (tolerance), #a " ~ " #b, __FILE__, __LINE__)

int main() {
  for (const auto& test : check::cases()) {
    const int before = check::failures;
    try {
      test.run();
    } catch (const std::exception& e) {
      ++check::failures;
      std::fprintf(stderr, "%s: threw %s\n", test.name, e.what());
    }
    std::printf("%s %s\n", check::failures == before ? "ok  " : "FAIL", test.name);
  }
  std::printf("%d checks, %d failed\n", check::checks, check::failures);
  return check::failures == 0 && check::checks > 0 ? 0 : 1;
}
