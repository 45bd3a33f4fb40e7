// Errors that point: what was expected, what came, and the path to the culprit.
#pragma once

#include <stdexcept>
#include <string>

namespace turnout {

enum class ErrorKind {
  input,   // a wrong call: shape, NaN, unknown name (Python: InputError, a ValueError)
  config,  // a pool, catalog or operator table that does not hold together (ConfigError, a ValueError)
  bundle,  // bytes of a bundle that are missing, corrupt or of an unknown version (BundleError)
  engine,  // ONNX Runtime or FAISS could not be loaded or answered with an error (EngineError)
};

class Error : public std::runtime_error {
 public:
  // `culprit` names it, as in "pool.llms[2].usd_per_mtok_in"; it may be empty.
  Error(ErrorKind error_kind, const std::string& culprit, const std::string& what)
      : std::runtime_error(culprit.empty() ? what : culprit + ": " + what), kind(error_kind), path(culprit) {}
  ErrorKind kind;
  std::string path;
};

}  // namespace turnout
