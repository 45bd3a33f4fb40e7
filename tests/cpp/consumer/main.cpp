#include <cstdio>
#include <turnout/router.hpp>

// Every room is linked; the shadowed name would be an error under the flags of the core itself.
int main() {
  const int n = 3;
  {
    const float n[] = {1, 2, 3};
    if (turnout::dot(n, n, 3) != 14) return 1;
  }
  try {
    turnout::Router router{turnout::Snapshot()};
  } catch (const turnout::Error& error) {
    std::printf("%s (%d)\n", error.what(), n);
    return error.path == "difficulty" ? 0 : 1;
  }
  return 1;
}
