// Many decisions: columns at once, Decisions on demand from their packed form.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "decision.hpp"

namespace turnout::python {

struct PyBatch {
  PyBatch(SharedNames shared, int rows);

  // Thread-safe for disjoint rows.
  void store(int start, int n, const trace::Decision* decisions);
  int rows() const { return static_cast<int>(records.size()); }
  trace::Decision decision(int row) const;

  SharedNames names;
  std::vector<std::vector<std::byte>> records;  // one packed Decision a row
  // Columns. `llm` and `tool` are indices into the router's names, -1 for none.
  std::vector<std::int32_t> llm, tool, depth, calls;
  std::vector<double> difficulty, p_correct, usd, usd_bound, seconds, utility;
  std::vector<std::uint8_t> feasible;
  std::vector<std::uint32_t> reasons;
};

// The Arrow C Data Interface over a batch: (schema capsule, array capsule) of one struct array.
py::tuple arrow_array(const PyBatch& batch);
// And as a stream of one record batch.
py::capsule arrow_stream(const PyBatch& batch);

}  // namespace turnout::python
