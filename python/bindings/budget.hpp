// A ledger and an account as Python holds them; the router's binding reads both.
#pragma once

#include <memory>

#include "bindings.hpp"
#include "turnout/budget.hpp"

namespace turnout::python {

// The clock that Python gave, or the steady clock where it is None; the GIL is held.
double read_clock(const py::object& clock);

// Any thread may use it that holds the GIL, which it needs to let go of the clock.
struct PyLedger {
  budget::Ledger ledger;
  py::object clock;  // None: the steady clock
  PyLedger(const budget::Config& config, py::object c) : ledger(config), clock(std::move(c)) {}
  double now() const { return read_clock(clock); }
};

struct PyAccount {
  std::shared_ptr<PyLedger> owner;
  budget::AccountId id;
};

struct PyReservation {
  std::shared_ptr<PyLedger> owner;
  budget::ReservationId id;
  budget::Amount amount;
};

void bind_budget_rules(py::module_& m);

}  // namespace turnout::python
