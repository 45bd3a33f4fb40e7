// The router as Python holds it, and what its calls share: workspaces, threads, checked rows.
#pragma once

#include "turnout/router.hpp"

#include <algorithm>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "decision.hpp"
#include "query.hpp"

namespace turnout::python {

// Workspaces are kept and handed out, so that a warm call finds its buffers grown and its tensors bound. A burst of
// threads leaves no more of them (about 3 MB each) than the machine can use at once.
class WorkspacePool {
 public:
  explicit WorkspacePool(const Router& router) : router_(router) {}
  using Pointer = decltype(std::declval<Router>().workspace());

  Pointer take() {
    {
      const std::lock_guard lock(mutex_);
      if (!free_.empty()) {
        Pointer ws = std::move(free_.back());
        free_.pop_back();
        return ws;
      }
    }
    return router_.workspace();
  }
  void give(Pointer ws) {
    const std::lock_guard lock(mutex_);
    if (free_.size() < kept_) free_.push_back(std::move(ws));
  }

 private:
  const Router& router_;
  std::mutex mutex_;
  std::vector<Pointer> free_;
  const std::size_t kept_ = std::max(4u, std::thread::hardware_concurrency());
};

class Lease {
 public:
  explicit Lease(WorkspacePool& pool) : pool_(pool), ws_(pool.take()) {}
  ~Lease() { pool_.give(std::move(ws_)); }
  Router::Workspace& operator*() { return *ws_; }

 private:
  WorkspacePool& pool_;
  WorkspacePool::Pointer ws_;
};

struct PyRouter {
  explicit PyRouter(Snapshot snapshot)
      : router(std::move(snapshot)),
        names(std::make_shared<const trace::Names>(router.snapshot().names)),
        pool(router) {
    pool.give(router.workspace());
  }
  Router router;
  SharedNames names;
  WorkspacePool pool;
};

inline constexpr int kMaxThreads = 256;

// Rows are split over threads in equal runs; each run is what one thread alone would have given. Runs for which the
// system gives no thread are done here.
template <class Run>
void in_threads(int rows, int threads, const Run& run) {
  const int workers = std::clamp(threads, 1, std::clamp(rows, 1, kMaxThreads));
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(workers));
  const auto start = [&](int w) { return static_cast<int>(std::int64_t{rows} * w / workers); };
  const auto work = [&](int w) {
    try {
      run(start(w), start(w + 1));
    } catch (...) {
      errors[static_cast<std::size_t>(w)] = std::current_exception();
    }
  };
  {
    std::vector<std::jthread> others;
    int given = 1;
    try {
      for (others.reserve(static_cast<std::size_t>(workers)); given < workers; ++given)
        others.emplace_back(work, given);
    } catch (const std::system_error&) {
    }
    work(0);
    for (int w = given; w < workers; ++w) work(w);
  }
  for (const auto& error : errors)
    if (error) std::rethrow_exception(error);
}

// The texts of a batch. They live as long as the views of them.
struct Texts {
  explicit Texts(const py::sequence& texts) : held(texts) {
    owners.reserve(held.size());
    views.reserve(held.size());
    for (std::size_t i = 0; i < held.size(); ++i) {
      const py::object item = held[i];
      if (!is_text(item))
        throw py::type_error("queries[" + std::to_string(i) + "]: expected str or bytes, got " +
                             std::string(py::str(py::type::of(item).attr("__name__"))));
      owners.emplace_back(item);
      views.push_back(owners.back().view());
    }
  }
  std::span<const std::string_view> rows(int start, int n) const {
    return {views.data() + start, static_cast<std::size_t>(n)};
  }

  py::tuple held;
  std::vector<TextView> owners;
  std::vector<std::string_view> views;
};

// float32[N, D] rows of the router's space.
inline Array<float> vectors_of(const PyRouter& self, const py::object& rows) {
  auto array = exact<float>(rows, "queries", 2);
  if (array.shape(0) > std::numeric_limits<int>::max())
    throw Error(ErrorKind::input, "queries", "expected fewer than 2^31 rows, got " + std::to_string(array.shape(0)));
  if (array.shape(1) != self.router.dim())
    throw Error(ErrorKind::input, "queries",
                "expected float32[N, " + std::to_string(self.router.dim()) + "], as '" + self.names->embedder +
                    "' gives, got [N, " + std::to_string(array.shape(1)) + "]");
  return array;
}

// predict and assess: what is known of queries without deciding.
void bind_predict(py::class_<PyRouter>& router);

}  // namespace turnout::python
