#include "turnout/state.hpp"

#include <algorithm>
#include <string_view>

#include "bindings.hpp"
#include "read.hpp"

namespace turnout::python {
namespace {

using namespace state;
using Bytes = std::span<const std::byte>;
// arm, probability, quality, USD, seconds; arm, prior, USD.
using CandidateTuple = std::tuple<std::int32_t, double, double, double, double>;
using StepTuple = std::tuple<std::int32_t, double, double>;

py::bytes to_bytes(Bytes data) { return {reinterpret_cast<const char*>(data.data()), data.size()}; }
Bytes view(const py::bytes& data) {
  const std::string_view text = data;
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// f() without the GIL, as bytes.
template <class F>
py::bytes released(const F& f) {
  std::vector<std::byte> out;
  {
    const py::gil_scoped_release release;
    out = f();
  }
  return to_bytes(out);
}

// Arrays that own what the vector held.
template <class T>
py::array_t<T> array_of(std::vector<T>& values, std::vector<py::ssize_t> shape) {
  auto* const owned = new std::vector<T>(std::move(values));
  const py::capsule owner(owned, [](void* p) { delete static_cast<std::vector<T>*>(p); });
  return py::array_t<T>(std::move(shape), owned->data(), owner);
}
template <class T>
py::array_t<T> column(std::vector<T>& values) {
  return array_of(values, {static_cast<py::ssize_t>(values.size())});
}
template <class T>
py::array_t<T> matrix(std::vector<T>& values, std::size_t rows, int width) {
  return array_of(values, {static_cast<py::ssize_t>(rows), static_cast<py::ssize_t>(width)});
}
template <class T>
void check_length(const std::vector<T>& values, int most, const char* path) {
  if (values.size() > static_cast<std::size_t>(most))
    throw Error(ErrorKind::input, path,
                "expected at most " + std::to_string(most) + ", got " + std::to_string(values.size()));
}

Ticket make_ticket(const py::object& context, const std::vector<CandidateTuple>& candidates, int chosen,
                   const std::vector<StepTuple>& steps, double prior, double value_usd, double usd_per_second,
                   std::uint64_t state_version) {
  const auto x = exact<float>(context, "context", 1);
  check_length(candidates, kMaxCandidates, "candidates");
  check_length(steps, kMaxNodes, "steps");
  Ticket t;
  t.state_version = state_version;
  t.value_usd = value_usd;
  t.usd_per_second = usd_per_second;
  t.prior = prior;
  t.dim = static_cast<std::int32_t>(std::min<py::ssize_t>(x.size(), kMaxContext + 1));
  t.candidate_count = static_cast<std::int32_t>(candidates.size());
  t.chosen = chosen;
  t.step_count = static_cast<std::int32_t>(steps.size());
  std::copy_n(x.data(), std::min<int>(t.dim, kMaxContext), t.context);
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const auto& [arm, probability, quality, usd, seconds] = candidates[i];
    t.candidates[i] = {arm, probability, quality, usd, seconds};
  }
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const auto& [arm, step_prior, usd] = steps[i];
    t.steps[i] = {arm, step_prior, usd};
  }
  return t;
}

Failure failure_of(std::string_view name) {
  for (int k = 0; k < kFailures; ++k)
    if (name == failure_name(static_cast<Failure>(k))) return static_cast<Failure>(k);
  throw Error(ErrorKind::input, "outcome.failure", "there is no failure '" + std::string(name) + "'");
}

py::dict totals(const Memory& m, int arm) {
  Totals t;
  {
    const py::gil_scoped_release release;
    m.totals(arm, t);
  }
  py::dict out, failures;
  out["weight"] = t.weight;
  out["precision"] = column(t.precision);
  out["moment"] = column(t.moment);
  out["score"] = t.score;
  out["prior"] = t.prior;
  out["usd"] = t.usd;
  out["usd_expected"] = t.usd_expected;
  out["usd_count"] = t.usd_count;
  for (int k = 1; k < kFailures; ++k) failures[failure_name(static_cast<Failure>(k))] = t.failures[k];
  out["failures"] = failures;
  return out;
}

py::dict counts(const Memory& m) {
  const Counts c = m.counts();
  py::dict out;
  out["opened"] = c.opened;
  out["open"] = c.open;
  out["forgotten"] = c.forgotten;
  for (int k = 0; k < kReceipts; ++k) out[receipt_name(static_cast<Receipt>(k))] = c.receipts[k];
  out["refused"] = c.refused;
  out["pending_bytes"] = c.pending_bytes;
  out["lost_records"] = c.lost_records;
  return out;
}

py::dict columns(Feedback& f) {
  const std::size_t n = f.ticket.size();
  py::dict out;
  out["ticket"] = column(f.ticket);
  out["epoch"] = column(f.epoch);
  out["state_version"] = column(f.state_version);
  out["chosen"] = column(f.chosen);
  out["candidate_count"] = column(f.candidate_count);
  out["probabilities"] = matrix(f.probabilities, n, kMaxCandidates);
  out["arms"] = matrix(f.arms, n, kMaxCandidates);
  out["arm_names"] = py::tuple(py::cast(f.arm_names));
  out["predicted_quality"] = matrix(f.predicted_quality, n, kMaxCandidates);
  out["predicted_usd"] = matrix(f.predicted_usd, n, kMaxCandidates);
  out["predicted_seconds"] = matrix(f.predicted_seconds, n, kMaxCandidates);
  out["context"] = matrix(f.context, n, f.dim);
  out["prior"] = column(f.prior);
  out["value_usd"] = column(f.value_usd);
  out["usd_per_second"] = column(f.usd_per_second);
  out["score"] = column(f.score);
  out["usd"] = column(f.usd);
  out["in_tokens"] = column(f.in_tokens);
  out["out_tokens"] = column(f.out_tokens);
  out["seconds"] = column(f.seconds);
  out["failure"] = column(f.failure);
  out["learned"] = column(f.learned).attr("astype")("bool");
  return out;
}

py::dict feedback(const std::vector<py::bytes>& parts) {
  std::vector<Bytes> views;
  for (const py::bytes& part : parts) views.push_back(view(part));
  Feedback f;
  {
    const py::gil_scoped_release release;
    f = read_log(views);
  }
  py::dict out = columns(f);
  out["tickets"] = f.tickets;
  out["unanswered"] = f.unanswered;
  out["orphans"] = f.orphans;
  py::list notes;
  for (const auto& [ticket, bytes] : f.notes) notes.append(py::make_tuple(ticket, to_bytes(bytes)));
  out["notes"] = py::tuple(notes);
  out["read"] = py::tuple(py::cast(f.read));
  return out;
}

std::shared_ptr<Memory> make(int dim, std::string space, std::uint64_t replica, std::uint32_t prefix,
                             std::size_t tickets, double discount, int epochs, std::size_t log_bytes) {
  return std::make_shared<Memory>(Config{dim, std::move(space), replica, prefix, tickets, discount, epochs, log_bytes});
}

void bind_decisions(py::class_<Memory, std::shared_ptr<Memory>>& c) {
  c.def(
       "open",
       [](Memory& m, const py::object& context, const std::vector<CandidateTuple>& candidates, int chosen,
          const std::vector<StepTuple>& steps, double prior, double value_usd, double usd_per_second,
          std::uint64_t state_version) {
         Ticket t = make_ticket(context, candidates, chosen, steps, prior, value_usd, usd_per_second, state_version);
         m.open(t);
         return t.id;
       },
       py::arg("context"), py::kw_only(), py::arg("candidates"), py::arg("chosen"), py::arg("steps"), py::arg("prior"),
       py::arg("value_usd"), py::arg("usd_per_second"), py::arg("state_version"))
      .def(
          "report",
          [](Memory& m, std::uint64_t ticket, int node, double score, double usd, double in_tokens, double out_tokens,
             double seconds, std::string_view failure, bool learn) {
            const Outcome outcome{score, usd, in_tokens, out_tokens, seconds, failure_of(failure)};
            return receipt_name(m.report(ticket, node, outcome, learn));
          },
          py::arg("ticket"), py::arg("node") = -1, py::kw_only(), py::arg("score") = kUnknown,
          py::arg("usd") = kUnknown, py::arg("in_tokens") = kUnknown, py::arg("out_tokens") = kUnknown,
          py::arg("seconds") = kUnknown, py::arg("failure") = "none", py::arg("learn") = true)
      .def(
          "note", [](Memory& m, std::uint64_t ticket, const py::bytes& data) { m.note(ticket, view(data)); },
          py::arg("ticket"), py::arg("data"))
      .def(
          "arm", [](Memory& m, const py::object& name) { return m.arm(text_of(name, "arm")); }, py::arg("name"))
      .def("arm_name", &Memory::arm_name, py::arg("arm"))
      .def_property_readonly("arms", &Memory::arms)
      .def("advance", &Memory::advance, py::arg("epoch"), py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("epoch", &Memory::epoch)
      .def_property_readonly("version", [](const Memory& m) { return m.version(); })
      .def(
          "arm_version", [](const Memory& m, int arm) { return m.version(arm); }, py::arg("arm"))
      .def("totals", totals, py::arg("arm"))
      .def("counts", counts);
}

void bind_bytes(py::class_<Memory, std::shared_ptr<Memory>>& c) {
  c.def("take", [](Memory& m) { return released([&] { return m.take(); }); })
      .def("snapshot", [](const Memory& m) { return released([&] { return m.snapshot(); }); })
      .def("slot", [](const Memory& m) { return released([&] { return m.slot(); }); })
      .def("slots", [](const Memory& m) { return released([&] { return m.slots(); }); })
      .def(
          "restore",
          [](Memory& m, const py::bytes& data) {
            const Bytes bytes = view(data);
            const py::gil_scoped_release release;
            m.restore(bytes);
          },
          py::arg("data"))
      .def(
          "apply",
          [](Memory& m, const py::bytes& data) {
            const Bytes bytes = view(data);
            const py::gil_scoped_release release;
            return m.apply(bytes);
          },
          py::arg("data"))
      .def(
          "merge",
          [](Memory& m, const py::bytes& data) {
            const Bytes bytes = view(data);
            const py::gil_scoped_release release;
            return m.merge(bytes);
          },
          py::arg("data"));
}

}  // namespace

void bind_state(py::module_& m) {
  const Config d;
  py::class_<Memory, std::shared_ptr<Memory>> memory(m, "Memory", "Evidence of arms, open tickets and their log.");
  memory
      .def(py::init(&make), py::kw_only(), py::arg("dim"), py::arg("space"), py::arg("replica"),
           py::arg("ticket_prefix"), py::arg("tickets") = d.tickets, py::arg("discount") = d.discount,
           py::arg("epochs") = d.epochs, py::arg("log_bytes") = d.log_bytes)
      .def_property_readonly("dim", [](const Memory& self) { return self.config().dim; })
      .def_property_readonly("space", [](const Memory& self) { return self.config().space; })
      .def_property_readonly("replica", [](const Memory& self) { return self.config().replica; });
  bind_decisions(memory);
  bind_bytes(memory);
  m.def("read_log", feedback, py::arg("parts"));
  m.attr("max_candidates") = kMaxCandidates;
  py::list failures;
  for (int k = 0; k < kFailures; ++k) failures.append(failure_name(static_cast<Failure>(k)));
  m.attr("failure_names") = py::tuple(failures);
}

}  // namespace turnout::python
