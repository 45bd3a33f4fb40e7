// Table of contents of turnout._native: one line a room, in the order of the flow.
#include "bindings.hpp"
#include "pickle.hpp"

PYBIND11_MODULE(_native, m, pybind11::mod_gil_not_used()) {
  using namespace turnout::python;
  m.doc() = "turnout's native core";
  bind_core(m);
  bind_onnx(m);
  bind_embed(m);
  bind_catalog(m);
  bind_difficulty(m);
  bind_capability(m);
  bind_operators(m);
  bind_assign(m);
  bind_plan(m);
  bind_dag(m);
  bind_graph(m);
  bind_healing(m);
  bind_budget(m);
  bind_telemetry(m);
  bind_bandit(m);
  bind_belief(m);
  bind_consensus(m);
  bind_state(m);
  bind_timing(m);
  bind_trace(m);
  bind_batch(m);
  bind_live(m);
  bind_learner(m);
  bind_router(m);
  bind_pickling(m);  // of all the classes above
}
