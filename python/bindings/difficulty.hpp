// The difficulty model as Python holds it, with one workspace for direct calls (a router has its own).
#pragma once

#include <memory>
#include <mutex>

#include "bindings.hpp"
#include "turnout/difficulty.hpp"

namespace turnout::python {

struct PyModel {
  PyModel(std::shared_ptr<const onnx::Session> network, difficulty::Tables tables)
      : model(std::move(network), std::move(tables)), workspace(model.workspace()) {}
  difficulty::Model model;
  difficulty::Workspace workspace;
  std::mutex mutex;
};

using SharedModel = std::shared_ptr<PyModel>;

}  // namespace turnout::python
