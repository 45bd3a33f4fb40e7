"""The cases: what is called, on which inputs, by whom, and how far it agrees with the native core."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from turnout import _native
from turnout.assemble import MARK_ROWS
from turnout.assign import solve
from turnout.bench.workload import Workload, assignment_problems
from turnout.budget import Ledger
from turnout.reference import assign as reference_assign
from turnout.telemetry import Telemetry

IN_TOKENS = 100  # of a vector's query
BATCHES = (1, 8, 64, 256)


# Of `native_calls`, which need the workload.
ROUTING_NAMES = (
    "route_text",
    "route_text_budget",
    "route_text_telemetry",
    "route_text_account",
    "route_text_cold",
    "route_embedding",
    "embed",
    "difficulty",
    "capability_1000",
    "embed_lexical",
    "assign",
    "assign_constrained",
    "assign_constrained_mixed",
    "route_batch_embedding",
    "route_batch_embedding_64",
)


@dataclass(frozen=True)
class Case:
    """One row of the table.

    Attributes
    ----------
    name, rival : str
        Which case, and who runs it; ``native`` is ours.
    call : callable
        Of one input.
    inputs : sequence
    batch : int
        Rows of one call.
    runs, idle_s : int, float
        Repetitions, and seconds of sleep before each call.
    agreement : callable, optional
        () -> share of inputs on which the rival decides as the native core does.
    native_us : callable, optional
        () -> microseconds of each, measured inside C++; for stages whose binding would cost more than the stage.
    counted : callable, optional
        () -> heap allocations of a call, counted inside C++; default: those of `call`, from Python.
    """

    name: str
    rival: str
    call: Callable[[Any], Any]
    inputs: Sequence[Any]
    batch: int = 1
    runs: int = 5
    idle_s: float = 0.0
    agreement: Callable[[], float] | None = None
    native_us: Callable[[], Any] | None = field(default=None, repr=False)
    counted: Callable[[], float] | None = field(default=None, repr=False)

    @property
    def key(self) -> str:
        """Of our cases: the name, the batch, and how it is called where that is not the usual way."""
        way = self.rival.removeprefix("native")
        return f"{self.name}{way}/{self.batch}"

    @property
    def ours(self) -> bool:
        return self.rival.startswith("native")


def binding_budget(w: Workload) -> float:
    """A budget that binds on about half of the queries: the median of their plans' p90."""
    return float(np.median(w.router.route_batch(w.texts).usd_bound)) * 0.5


def _chunks(w: Workload, batch: int) -> list[Any]:
    rows = w.vectors[: max(batch, min(len(w.vectors), 1024))]
    return [np.ascontiguousarray(rows[i : i + batch]) for i in range(0, len(rows) - batch + 1, batch)] or [rows]


def _batch_case(w: Workload, name: str, router: Any, batch: int) -> Case:
    return Case(
        name,
        "native",
        lambda rows: router.route_batch(rows, in_tokens=IN_TOKENS, threads=1),
        _chunks(w, batch),
        batch=len(_chunks(w, batch)[0]),
    )


def repeated_times(problems: list[dict[str, Any]]) -> npt.NDArray[np.float64]:
    """Microseconds of each problem, the median of nine solutions in a row: the processor has learnt its branches."""
    return np.array([np.median(_native.assign_time(**problem, repeats=9)) for problem in problems])


def mixed_times(problems: list[dict[str, Any]], passes: int = 5) -> npt.NDArray[np.float64]:
    """Microseconds of each problem, the median of `passes` over all of them: each solution is of another problem."""
    times = [[float(_native.assign_time(**problem, repeats=1)[0]) for problem in problems] for _ in range(passes)]
    return np.asarray(np.median(times, axis=0), np.float64)


def assign_cases(w: Workload) -> list[Case]:
    """Twelve slots on sixteen LLMs, without and with a binding budget; timed inside C++.

    `assign` and `assign_constrained` solve each problem nine times in a row; `assign_constrained_mixed` solves the
    same problems as `assign_constrained`, another one each time, as a service meets them.
    """
    count = min(w.repeats, 500)
    free, bound = (assignment_problems(w.router, count, binding) for binding in (False, True))
    return [
        Case(name, "native", lambda p: solve(**p), problems, native_us=functools.partial(timed, problems))
        for name, problems, timed in (
            ("assign", free, repeated_times),
            ("assign_constrained", bound, repeated_times),
            ("assign_constrained_mixed", bound, mixed_times),
        )
    ]


LEXICAL, BUCKET_BITS = 32, 16


def lexical_cases(w: Workload) -> list[Case]:
    """`embed` with a lexical block of random tables, on the bundle's own token table."""
    bundle = w.router.parts.bundle
    config = bundle.embed_config()
    if config.kind != "static":
        return []
    rng, buckets = np.random.default_rng(5), 1 << BUCKET_BITS
    tables = (
        rng.integers(-128, 128, (buckets, LEXICAL)).astype(np.int8),
        rng.integers(0, 2048, buckets).astype(np.int16),
        np.full(LEXICAL, 0.002, np.float32),
        rng.normal(0, 0.2, (MARK_ROWS, LEXICAL)).astype(np.float32),
    )
    embedder = _native.StaticEmbedder(
        bundle.bytes("embed/vocab.txt"),
        bundle.array("embed/rows.npy", np.int8, (None, config.dim)),
        bundle.array("embed/weights.npy", np.int16, (None,)),
        name="lexical",
        head=config.head,
        tail=config.tail,
        lexical=tables,
    )
    return [Case("embed_lexical", "native", embedder.embed, w.texts)]


def live_cases(w: Workload) -> list[Case]:
    """Decisions with telemetry that has something to say of each LLM, and on an account: reserved, then released."""
    router = w.router
    telemetry = Telemetry(router.llms, capacity=dict.fromkeys(router.llms, 10))
    for i, llm in enumerate(router.llms):
        for k in range(8):
            telemetry.record(llm, ok=(i + k) % 5 != 0, seconds=1.0 + i % 3, expected_seconds=1.5)
    account = Ledger().open("bench/run", usd=1e6, calls=1e9)

    def on_account(query: Any) -> None:
        held = router.route(query, account=account).reservation
        if held is None:
            raise AssertionError("the plan was not reserved")
        held.release()

    return [
        Case("route_text_telemetry", "native", lambda q: router.route(q, telemetry=telemetry), w.texts),
        Case("route_text_account", "native", on_account, w.texts),
    ]


def native_calls(w: Workload) -> list[Case]:
    """Every case of ours."""
    router, vectors = w.router, list(w.vectors)
    parts = router.parts
    budget = binding_budget(w)
    model, index = parts.difficulty, w.index
    cold = 40 if w.repeats < 1000 else 200
    cases = [
        Case("route_text", "native", router.route, w.texts),
        Case("route_text_budget", "native", lambda q: router.route(q, budget_usd=budget), w.texts),
        *live_cases(w),
        Case("route_text_cold", "native", router.route, w.texts[:cold], runs=2, idle_s=0.01),
        Case("route_embedding", "native", lambda x: router.route(x, in_tokens=IN_TOKENS), vectors),
        Case("embed", "native", router.embed, w.texts),
        Case("difficulty", "native", model.assess, vectors),
        Case(
            "capability_1000",
            "native",
            lambda x: index.search(x[None], 4),
            list(w.units),
            native_us=lambda: index.time_search(w.units, 4)[0],
        ),
        *lexical_cases(w),
        *assign_cases(w),
    ]
    cases += [_batch_case(w, "route_batch_embedding", router, batch) for batch in BATCHES]
    cases += [_batch_case(w, "route_batch_embedding_64", w.small, batch) for batch in (256,)]
    return cases


def reference_assignments(w: Workload) -> list[Case]:
    """The pure-Python twin of assign on a few of the same problems."""
    cases = []
    for name, binding in (("assign", False), ("assign_constrained", True)):
        problems = assignment_problems(w.router, 4, binding)

        def agree(problems: list[dict[str, Any]] = problems) -> float:
            return float(np.mean([solve(**p).llms == reference_assign.solve(**p).llms for p in problems]))

        cases.append(Case(name, "python", lambda p: reference_assign.solve(**p), problems, runs=1, agreement=agree))
    return cases
