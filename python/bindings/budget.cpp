#include "budget.hpp"

#include <limits>
#include <optional>

#include "clock.hpp"
#include "fast_call.hpp"
#include "read.hpp"

namespace turnout::python {

double read_clock(const py::object& clock) {
  if (!clock.is_none()) return number_of(clock().ptr());
  return steady_seconds();
}

namespace {

using namespace budget;
using Owner = std::shared_ptr<PyLedger>;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Limits limits(const py::handle& usd, const py::handle& tokens, const py::handle& seconds, const py::handle& calls) {
  const auto of = [](const py::handle& n, const char* path) { return n.is_none() ? kInfinity : real_of(n, path); };
  return {Usd(of(usd, "limits.usd")), of(tokens, "limits.tokens"), Seconds(of(seconds, "limits.seconds")),
          of(calls, "limits.calls")};
}

std::string number(double value) { return py::repr(py::float_(value)).cast<std::string>(); }

std::string repr(const Amount& a) {
  return "Amount(usd=" + number(a.usd.value) + ", tokens=" + number(a.tokens) + ", seconds=" + number(a.seconds.value) +
         ", calls=" + number(a.calls) + ")";
}

// The refused account by its path: it may be closed before anybody looks.
struct PyRefusal {
  Refusal::Reason reason;
  std::string account;
  std::optional<std::string> dimension;
  double missing;
};

PyRefusal described(const PyAccount& a, const Refusal& r) {
  const std::string path = a.owner->ledger.path(r.account);
  if (r.reason == Refusal::Reason::table_full) return {r.reason, path, std::nullopt, 0};
  return {r.reason, path, dimension_name(r.dimension), r.missing};
}

std::string sentence(const PyRefusal& r) {
  if (r.reason == Refusal::Reason::table_full)
    return "as many reservations are held as the ledger has places for (max_reservations)";
  return number(r.missing) + " " + *r.dimension + " more than remains";
}

[[noreturn]] void raise(const PyRefusal& r) {
  const std::string path = r.dimension ? r.account + "." + *r.dimension : r.account;
  const py::object cls = py::module_::import("turnout.core").attr("BudgetExceeded");
  py::object error = cls(path + ": " + sentence(r));
  error.attr("path") = path;
  error.attr("account") = r.account;
  error.attr("dimension") = r.dimension;
  error.attr("missing") = r.missing;
  PyErr_SetObject(cls.ptr(), error.ptr());
  throw py::error_already_set();
}

// usd, tokens, seconds, calls, ttl: interned once, kept for the life of the process.
const std::array<PyObject*, 5>& keywords() {
  static const std::array<PyObject*, 5> names = {
      PyUnicode_InternFromString("usd"), PyUnicode_InternFromString("tokens"), PyUnicode_InternFromString("seconds"),
      PyUnicode_InternFromString("calls"), PyUnicode_InternFromString("ttl")};
  return names;
}

py::object hold(PyObject* self, PyObject* const* args, Py_ssize_t positional, PyObject* names, bool or_raise) {
  std::array<double, 5> n{0, 0, 0, 0, kInfinity};
  read_keywords(args, positional, names, keywords(), or_raise ? "reserve" : "try_reserve", n);
  const auto& account = py::handle(self).cast<const PyAccount&>();
  PyReservation made{account.owner, {}, {Usd(n[0]), n[1], Seconds(n[2]), n[3]}};
  const Refusal refusal = account.owner->ledger.reserve(account.id, made.amount, account.owner->now(), n[4], made.id);
  if (!refusal) return py::cast(std::move(made));
  if (or_raise) raise(described(account, refusal));
  return py::cast(described(account, refusal));
}

PyObject* reserve(PyObject* self, PyObject* const* args, Py_ssize_t positional, PyObject* names) {
  return c_method([&] { return hold(self, args, positional, names, true); });
}

PyObject* try_reserve(PyObject* self, PyObject* const* args, Py_ssize_t positional, PyObject* names) {
  return c_method([&] { return hold(self, args, positional, names, false); });
}

// What is not given counts as reserved.
PyObject* commit(PyObject* self, PyObject* const* args, Py_ssize_t positional, PyObject* names) {
  return c_method([&] {
    const auto& r = py::handle(self).cast<const PyReservation&>();
    std::array<double, 4> n{r.amount.usd.value, r.amount.tokens, r.amount.seconds.value, r.amount.calls};
    const auto& all = keywords();
    read_keywords(args, positional, names, std::array{all[0], all[1], all[2], all[3]}, "commit", n);
    return py::cast(r.owner->ledger.commit(r.id, {Usd(n[0]), n[1], Seconds(n[2]), n[3]}, r.owner->now()));
  });
}

PyMethodDef keyword_method(const char* name, PyObject* (*f)(PyObject*, PyObject* const*, Py_ssize_t, PyObject*)) {
  return {name, reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(f)), METH_FASTCALL | METH_KEYWORDS, nullptr};
}

PyMethodDef reserve_method = keyword_method("reserve", reserve);
PyMethodDef try_reserve_method = keyword_method("try_reserve", try_reserve);
PyMethodDef commit_method = keyword_method("commit", commit);

std::optional<PyRefusal> check(const PyAccount& self, double usd, double tokens, double seconds, double calls) {
  const Refusal refusal =
      self.owner->ledger.check(self.id, {Usd(usd), tokens, Seconds(seconds), calls}, self.owner->now());
  if (!refusal) return std::nullopt;
  return described(self, refusal);
}

Settlement release(const PyReservation& self) { return self.owner->ledger.release(self.id, self.owner->now()); }

py::tuple units(const Units& u) { return py::make_tuple(u[0], u[1], u[2], u[3]); }

// (path, limits, spent, held, overrun), each in units; a limit that is none is None.
py::tuple state(const AccountState& s) {
  py::list limit;
  for (const std::int64_t u : s.limits) limit.append(u == kUnlimited ? py::object(py::none()) : py::int_(u));
  return py::make_tuple(s.path, py::tuple(limit), units(s.spent), units(s.held), units(s.overrun));
}

py::list snapshot(const PyLedger& self) {
  py::list states;
  for (const AccountState& s : self.ledger.snapshot(self.now())) states.append(state(s));
  return states;
}

py::dict counts(const PyLedger& self) {
  const Counts c = self.ledger.counts();
  py::dict out;
  out["reserved"] = c.reserved;
  out["refused"] = c.refused;
  out["committed"] = c.committed;
  out["released"] = c.released;
  out["expired"] = c.expired;
  out["late"] = c.late;
  out["overrun"] = c.overrun;
  out["stale"] = c.stale;
  return out;
}

AccountState state_of(const PyAccount& a) { return a.owner->ledger.state(a.id, a.owner->now()); }

void bind_values(py::module_& m) {
  py::class_<Amount>(m, "Amount", "Dollars, tokens, seconds and calls.")
      .def(py::init([](double usd, double tokens, double seconds, double calls) {
             return Amount{Usd(usd), tokens, Seconds(seconds), calls};
           }),
           py::kw_only(), py::arg("usd") = 0.0, py::arg("tokens") = 0.0, py::arg("seconds") = 0.0,
           py::arg("calls") = 0.0)
      .def_property_readonly("usd", [](const Amount& a) { return a.usd.value; })
      .def_readonly("tokens", &Amount::tokens)
      .def_property_readonly("seconds", [](const Amount& a) { return a.seconds.value; })
      .def_readonly("calls", &Amount::calls)
      .def(
          "__eq__", [](const Amount& a, const Amount& b) { return a == b; }, py::is_operator())
      .def("__hash__",
           [](const Amount& a) { return py::hash(py::make_tuple(a.usd.value, a.tokens, a.seconds.value, a.calls)); })
      .def("__repr__", [](const Amount& a) { return repr(a); });

  py::class_<Settlement>(m, "Settlement", "What a commit or release did; true where it counted.")
      .def(py::init([](bool counted, bool late, bool overrun) { return Settlement{counted, late, overrun}; }),
           py::kw_only(), py::arg("counted") = false, py::arg("late") = false, py::arg("overrun") = false)
      .def_readonly("counted", &Settlement::counted)
      .def_readonly("late", &Settlement::late)
      .def_readonly("overrun", &Settlement::overrun)
      .def("__bool__", [](const Settlement& s) { return s.counted; })
      .def(
          "__eq__", [](const Settlement& a, const Settlement& b) { return a == b; }, py::is_operator())
      .def("__hash__", [](const Settlement& s) { return s.counted + 2 * s.late + 4 * s.overrun; })
      .def("__repr__", [](const Settlement& s) {
        const auto flag = [](bool b) { return b ? "True" : "False"; };
        return std::string("Settlement(counted=") + flag(s.counted) + ", late=" + flag(s.late) +
               ", overrun=" + flag(s.overrun) + ")";
      });

  py::class_<PyRefusal>(m, "Refusal", "Why a reservation was not made. Falsy.")
      .def_property_readonly("reason", [](const PyRefusal& r) { return reason_name(r.reason); })
      .def_readonly("account", &PyRefusal::account)
      .def_readonly("dimension", &PyRefusal::dimension)
      .def_readonly("missing", &PyRefusal::missing)
      .def("__bool__", [](const PyRefusal&) { return false; })
      .def("__repr__", [](const PyRefusal& r) { return "<Refusal by " + r.account + ": " + sentence(r) + ">"; });
}

void bind_reservation(py::module_& m) {
  py::class_<PyReservation> cls(m, "Reservation", "A hold on an account and all of its ancestors. Truthy.");
  add_method(cls, commit_method);
  cls.def_property_readonly("id", [](const PyReservation& r) { return r.id.value; })
      .def_readonly("amount", &PyReservation::amount)
      .def("release", release)
      .def(
          "extend",
          [](const PyReservation& r, double ttl) { return r.owner->ledger.extend(r.id, ttl, r.owner->now()); },
          py::arg("ttl"))
      .def("__enter__", [](const py::object& self) { return self; })
      .def("__exit__",
           [](const PyReservation& self, const py::args&) {
             if (self.owner->ledger.is_held(self.id, self.owner->now())) release(self);
           })
      .def("__repr__", [](const PyReservation& r) {
        return "<Reservation " + std::to_string(r.id.value) + " of " + repr(r.amount) + ">";
      });
}

void bind_account(py::module_& m) {
  py::class_<PyAccount> cls(m, "Account", "An account of a ledger.");
  add_method(cls, reserve_method);
  add_method(cls, try_reserve_method);
  cls.def("check", check, py::kw_only(), py::arg("usd") = 0.0, py::arg("tokens") = 0.0, py::arg("seconds") = 0.0,
          py::arg("calls") = 0.0)
      .def(
          "open",
          [](const PyAccount& a, const std::string& name, const py::handle& usd, const py::handle& tokens,
             const py::handle& seconds, const py::handle& calls) {
            return PyAccount{a.owner,
                             a.owner->ledger.open(a.id, name, limits(usd, tokens, seconds, calls), a.owner->now())};
          },
          py::arg("name"), py::kw_only(), py::arg("usd") = py::none(), py::arg("tokens") = py::none(),
          py::arg("seconds") = py::none(), py::arg("calls") = py::none())
      .def(
          "set_limits",
          [](const PyAccount& a, const py::handle& usd, const py::handle& tokens, const py::handle& seconds,
             const py::handle& calls) {
            a.owner->ledger.set_limits(a.id, limits(usd, tokens, seconds, calls), a.owner->now());
          },
          py::kw_only(), py::arg("usd") = py::none(), py::arg("tokens") = py::none(), py::arg("seconds") = py::none(),
          py::arg("calls") = py::none())
      .def("close", [](const PyAccount& a) { a.owner->ledger.close(a.id, a.owner->now()); })
      .def_property_readonly("path", [](const PyAccount& a) { return a.owner->ledger.path(a.id); })
      .def_property_readonly("is_open", [](const PyAccount& a) { return a.owner->ledger.is_open(a.id); })
      .def_property_readonly("remaining",
                             [](const PyAccount& a) { return a.owner->ledger.remaining(a.id, a.owner->now()); })
      .def_property_readonly("pressure",
                             [](const PyAccount& a) { return a.owner->ledger.pressure(a.id, a.owner->now()); })
      .def_property_readonly("limits",
                             [](const PyAccount& a) {
                               const Limits l = limits_of(state_of(a).limits);
                               return Amount{l.usd, l.tokens, l.seconds, l.calls};
                             })
      .def_property_readonly("spent", [](const PyAccount& a) { return amount_of(state_of(a).spent); })
      .def_property_readonly("held", [](const PyAccount& a) { return amount_of(state_of(a).held); })
      .def_property_readonly("overrun", [](const PyAccount& a) { return amount_of(state_of(a).overrun); })
      .def(
          "__eq__", [](const PyAccount& a, const PyAccount& b) { return a.owner == b.owner && a.id == b.id; },
          py::is_operator())
      .def("__hash__",
           [](const PyAccount& a) {
             return py::hash(
                 py::make_tuple(reinterpret_cast<std::uintptr_t>(a.owner.get()), a.id.index, a.id.generation));
           })
      .def("__repr__", [](const PyAccount& a) {
        if (!a.owner->ledger.is_open(a.id)) return std::string("<Account, closed>");
        return "<Account " + a.owner->ledger.path(a.id) + ": remaining " +
               repr(a.owner->ledger.remaining(a.id, a.owner->now())) + ">";
      });
}

void bind_ledger(py::module_& m) {
  py::class_<PyLedger, Owner>(m, "Ledger", "The tree of accounts.")
      .def(py::init([](py::object clock, const py::handle& max_accounts, const py::handle& max_reservations) {
             const auto size = [](const py::handle& n, const char* path) {
               return integer_of<int>(n, path, ErrorKind::config);
             };
             return std::make_shared<PyLedger>(
                 Config{size(max_accounts, "ledger.max_accounts"), size(max_reservations, "ledger.max_reservations")},
                 std::move(clock));
           }),
           py::arg("clock"), py::arg("max_accounts"), py::arg("max_reservations"))
      .def(
          "open",
          [](const Owner& self, const std::string& path, const py::handle& usd, const py::handle& tokens,
             const py::handle& seconds, const py::handle& calls) {
            return PyAccount{self, self->ledger.open(path, limits(usd, tokens, seconds, calls), self->now())};
          },
          py::arg("path"), py::arg("usd"), py::arg("tokens"), py::arg("seconds"), py::arg("calls"))
      .def(
          "find",
          [](const Owner& self, const std::string& path) -> std::optional<PyAccount> {
            const AccountId id = self->ledger.find(path);
            if (id == kNoAccount) return std::nullopt;
            return PyAccount{self, id};
          },
          py::arg("path"))
      .def("sweep", [](const PyLedger& self) { return const_cast<PyLedger&>(self).ledger.sweep(self.now()); })
      .def("snapshot", snapshot)
      .def("counts", counts)
      .def("held", [](const PyLedger& self) { return self.ledger.held_count(self.now()); });
}

}  // namespace

void bind_budget(py::module_& m) {
  bind_values(m);
  bind_reservation(m);
  bind_account(m);
  bind_ledger(m);
  bind_budget_rules(m);
}

}  // namespace turnout::python
