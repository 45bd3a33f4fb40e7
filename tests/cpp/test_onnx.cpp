#include "turnout/onnx.hpp"

#include <array>
#include <thread>

#include "allocations.hpp"
#include "check.hpp"
#include "tiny_onnx.hpp"

using namespace turnout;
using onnx::Element;
using onnx::Tensor;

namespace {

std::shared_ptr<const onnx::Runtime> runtime() {
  return onnx::Runtime::load(check::required_env("TURNOUT_ORT_LIBRARY"));
}

// y0 = x0 + 2 x1 + 0.5, y1 = -x0 - 1
std::shared_ptr<const onnx::Session> session() {
  const auto model = tiny::gemm(2, 2, {1, 2, -1, 0}, {0.5f, -1}, 0, 1);
  return onnx::Session::create(runtime(), tiny::view(model), "tiny.onnx");
}

}  // namespace

TEST(ports_and_metadata) {
  const auto s = session();
  CHECK(s->inputs().size() == 1 && s->outputs().size() == 1);
  CHECK(s->inputs()[0].name == "embedding" && s->inputs()[0].element == Element::float32);
  CHECK((s->inputs()[0].shape == std::vector<std::int64_t>{-1, 2}));
  CHECK(s->metadata("skills") == "1" && s->metadata("nothing").empty());
  CHECK(!runtime()->version().empty());
}

TEST(run) {
  std::array<float, 6> x{1, 2, 3, 4, 5, 6}, y{};
  const Tensor in{x.data(), Element::float32, {3, 2}}, out{y.data(), Element::float32, {3, 2}};
  session()->run({&in, 1}, {&out, 1});
  CHECK((y == std::array<float, 6>{5.5f, -2, 11.5f, -4, 17.5f, -6}));
}

static void run_bound() {
  std::array<float, 2> x{1, 2}, y{};
  const Tensor in{x.data(), Element::float32, {1, 2}}, out{y.data(), Element::float32, {1, 2}};
  onnx::Binding binding(session(), {&in, 1}, {&out, 1});
  binding.run();
  CHECK(y[0] == 5.5f);
  x = {0, 0};
  binding.run();
  CHECK(y[0] == 0.5f && y[1] == -1);
}

TEST(wrong_tensors_are_refused) {
  std::array<float, 8> x{}, y{};
  const auto s = session();
  const Tensor good_in{x.data(), Element::float32, {1, 2}}, good_out{y.data(), Element::float32, {1, 2}};
  const Tensor bad[] = {
      {x.data(), Element::float32, {1, 3}}, {x.data(), Element::float32, {2}}, {x.data(), Element::int64, {1, 2}}};
  for (const Tensor& tensor : bad) {
    CHECK_ERROR(s->run({&tensor, 1}, {&good_out, 1}), ErrorKind::input, "inputs[0]");
    CHECK_ERROR(s->run({&good_in, 1}, {&tensor, 1}), ErrorKind::input, "outputs[0]");
  }
  CHECK_ERROR(s->run({}, {&good_out, 1}), ErrorKind::input, "inputs");
  CHECK_ERROR(s->run({&good_in, 1}, {}), ErrorKind::input, "outputs");
  const Tensor two[] = {good_out, good_out};
  CHECK_ERROR(s->run({&good_in, 1}, two), ErrorKind::input, "outputs");
}

static void refuse_broken() {
  const auto model = tiny::gemm(2, 2, {1, 2, -1, 0}, {0.5f, -1}, 0, 1);
  for (const std::string& broken : {std::string(), std::string("garbage"), model.substr(0, model.size() / 2)})
    CHECK_ERROR(onnx::Session::create(runtime(), tiny::view(broken), "broken.onnx"), ErrorKind::bundle, "broken.onnx");
}

// y = x over doubles, which turnout does not take.
TEST(other_element_types_are_refused) {
  using tiny::bytes, tiny::number;
  const auto port = [](const char* name) {
    return bytes(1, name) + bytes(2, bytes(1, number(1, 11) + bytes(2, bytes(1, number(1, 2)))));
  };
  const std::string node = bytes(1, bytes(1, "x") + bytes(2, "y") + bytes(4, "Identity"));
  const std::string graph = node + bytes(2, "doubles") + bytes(11, port("x")) + bytes(12, port("y"));
  const std::string model = number(1, 8) + bytes(7, graph) + bytes(8, number(2, 13));
  CHECK_ERROR(onnx::Session::create(runtime(), tiny::view(model), "doubles.onnx"), ErrorKind::bundle, "doubles.onnx");
}

TEST(threads_must_be_at_least_one) {
  const auto model = tiny::gemm(2, 2, {1, 2, -1, 0}, {0.5f, -1}, 0, 1);
  CHECK_ERROR(onnx::Session::create(runtime(), tiny::view(model), "tiny.onnx", 0), ErrorKind::input, "threads");
}

TEST(a_bound_run_allocates_nothing_of_ours) {
  std::array<float, 2> x{1, 2}, y{};
  const Tensor in{x.data(), Element::float32, {1, 2}}, out{y.data(), Element::float32, {1, 2}};
  onnx::Binding binding(session(), {&in, 1}, {&out, 1});
  binding.run();
  set_allocation_counter(allocations::count);
  const long all = allocations::count(), inside = engine_allocations();
  for (int i = 0; i < 100; ++i) binding.run();
  const long ours = allocations::count() - all - (engine_allocations() - inside);
  CHECK(engine_allocations() > inside);  // the counter counts
  set_allocation_counter(nullptr);
  CHECK(ours == 0);
}

TEST(threads_share_a_session) {
  const auto shared = session();
  std::array<int, 4> wrong{};
  const auto work = [&](std::size_t t) {
    std::array<float, 2> x{}, y{};
    const Tensor in{x.data(), Element::float32, {1, 2}}, out{y.data(), Element::float32, {1, 2}};
    onnx::Binding binding(shared, {&in, 1}, {&out, 1});
    for (int i = 0; i < 500; ++i) {
      x = {static_cast<float>(t), static_cast<float>(i)};
      binding.run();
      wrong[t] += y[0] != x[0] + 2 * x[1] + 0.5f || y[1] != -x[0] - 1;
    }
  };
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < wrong.size(); ++t) threads.emplace_back(work, t);
  for (auto& thread : threads) thread.join();
  CHECK((wrong == std::array<int, 4>{}));
}

TEST(the_same_path_is_the_same_runtime) { CHECK(runtime() == runtime()); }

TEST(libraries_that_are_none_are_refused) {
  CHECK_ERROR(onnx::Runtime::load("/nowhere/libonnxruntime.so"), ErrorKind::engine, "/nowhere/libonnxruntime.so");
  CHECK_ERROR(onnx::Runtime::load("libm.so.6"), ErrorKind::engine, "libm.so.6");
  CHECK_ERROR(onnx::Runtime::load("libm.so.6"), ErrorKind::engine, "libm.so.6");
}

TEST(a_binding_sees_new_values_in_the_same_buffer) { run_bound(); }

TEST(broken_models_are_refused) { refuse_broken(); }

TEST(nothing_leaks) {
  const auto keep = session();
  const long before = onnx::live_objects();
  for (int i = 0; i < 50; ++i) run_bound();
  for (int i = 0; i < 50; ++i) refuse_broken();
  CHECK(onnx::live_objects() == before);
}
