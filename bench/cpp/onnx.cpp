// Microseconds of a bound run of a network, one thread, warm, and its heap allocations, the runtime's and ours:
//   bench_onnx NETWORK.onnx    (float32 inputs and outputs, whose one free dimension is the batch)
// Needs TURNOUT_ORT_LIBRARY. Fails when a row of a batch has other bits than alone.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <vector>

#include "allocations.hpp"
#include "tiny_onnx.hpp"
#include "turnout/onnx.hpp"

using namespace turnout;
using namespace turnout::onnx;

namespace {

constexpr int kRuns = 2000;

// A port's buffer for so many rows.
struct Buffer {
  Buffer(const Port& port, std::int64_t rows) {
    tensor.element = port.element;
    std::int64_t size = 1;
    for (const auto n : port.shape) {
      tensor.shape.push_back(n < 0 ? rows : n);
      size *= tensor.shape.back();
    }
    values.resize(static_cast<std::size_t>(size));
    tensor.data = values.data();
  }
  std::vector<float> values;
  Tensor tensor;
};

struct Report {
  double median_us;
  double runtime_allocations, our_allocations;
  std::vector<float> out;
};

Report measure(const std::shared_ptr<const Session>& session, std::int64_t rows) {
  Buffer in(session->inputs().at(0), rows), out(session->outputs().at(0), rows);
  Philox rng(1);
  std::generate(in.values.begin(), in.values.end(), [&] { return static_cast<float>(rng.normal() / 16); });
  Binding binding(session, {&in.tensor, 1}, {&out.tensor, 1});
  std::vector<double> us;
  for (int i = 0; i < kRuns; ++i) {
    const auto start = std::chrono::steady_clock::now();
    binding.run();
    us.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(us.begin(), us.end());
  set_allocation_counter(allocations::count);
  const long all = allocations::count(), inside = engine_allocations();
  for (int i = 0; i < kRuns; ++i) binding.run();
  const double runtime = static_cast<double>(engine_allocations() - inside) / kRuns;
  const double ours = static_cast<double>(allocations::count() - all) / kRuns - runtime;
  set_allocation_counter(nullptr);
  return {us[us.size() / 2], runtime, ours, out.values};
}

std::string read(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(std::string(path) + ": cannot be read");
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

int main(int argc, char** argv) try {
  const char* library = std::getenv("TURNOUT_ORT_LIBRARY");
  if (library == nullptr || argc != 2) throw std::runtime_error("set TURNOUT_ORT_LIBRARY and give one ONNX file");
  const auto runtime = Runtime::load(library);
  const std::string model = read(argv[1]);
  const auto session = Session::create(runtime, tiny::view(model), argv[1]);
  std::printf("ONNX Runtime %s, %s\n", runtime->version().c_str(), argv[1]);
  const Report one = measure(session, 1), many = measure(session, kMaxBatch);
  for (const auto& [rows, r] : {std::pair{1, &one}, std::pair{kMaxBatch, &many}})
    std::printf("  %2d rows: %.1f us a run, %.2f us a row; allocations: runtime %.1f, ours %.1f\n", rows, r->median_us,
                r->median_us / rows, r->runtime_allocations, r->our_allocations);
  const bool same = std::equal(one.out.begin(), one.out.end(), many.out.begin());
  std::printf("  the first row of a batch has %s bits as alone\n", same ? "the same" : "OTHER");
  return same ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 2;
}
