"""What is measured: queries, a router with 1,000 capabilities and 16 LLMs, and assignment problems of 12 slots."""

from __future__ import annotations

import csv
import gzip
import itertools
import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from turnout import _native
from turnout.assemble import native_llms
from turnout.assign import Stage, solve
from turnout.catalog import PolicyNames, load_operators
from turnout.core import InputError
from turnout.reference.costs import MEAN, P90, SlotCost, slot_cost
from turnout.router import Router
from turnout.schema import fail

Floats = npt.NDArray[np.float64]

CAPABILITIES = 1000

_VERBS = (
    "search fetch convert summarise translate plot schedule validate compress extract rank draft audit deploy".split()
)
_OBJECTS = (
    "invoices, flight prices, weather forecasts, source code, legal contracts, chemical reactions, star catalogues, "
    "tax forms, medical records, road maps, sensor readings, stock quotes, recipes, court rulings, song lyrics, "
    "sales leads, log files, "
    "survey answers, satellite images, bus timetables, museum archives, gene sequences, job adverts, sports results"
).split(", ")
_PLACES = "for a region, by date, from a database, in real time".split(", ")

_TOPICS = (
    "the boiling point of water at 2,500 metres",
    "a contract that was signed under duress",
    "an eigenvalue of a 3 by 3 symmetric matrix",
    "the causes of the Thirty Years' War",
    "a deadlock between two database transactions",
    "the equilibrium constant of an esterification",
    "inheritance of an X-linked recessive trait",
    "the price elasticity of demand for petrol",
)
_ASKS = (
    "Explain {} in two sentences.",
    "Give a worked example of {}, with every step shown, and state which assumptions you made on the way.",
    "Which of the following is true of {}? Answer with a letter and justify it.\n"
    "A. It cannot happen\nB. It depends on the initial state\nC. It always happens\nD. It happens once",
    "Write a Python function that models {}; include type hints, a docstring and three tests that can fail.",
    "A colleague claims that {} is irrelevant in practice. Argue against that with numbers, then list two limits of "
    "your argument.",
)


def built_in_queries() -> list[str]:
    """Queries of 10 to 60 tokens, our own writing: what is measured without --data."""
    return [ask.format(topic) for topic, ask in itertools.product(_TOPICS, _ASKS)] * 13


def dev_queries(folder: Path) -> list[str]:
    """Every query of ``<folder>/outcomes/*.queries.csv.gz``.

    Raises
    ------
    InputError
        The folder holds no such file.
    """
    files = sorted((folder / "outcomes").glob("*.queries.csv.gz"))
    if not files:
        raise fail(InputError, str(folder), "holds no outcomes/*.queries.csv.gz")
    texts = []
    csv.field_size_limit(1 << 24)
    for path in files:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
            texts += [row["text"] for row in csv.DictReader(file)]
    return texts


def capabilities_toml(count: int) -> str:
    """`count` made-up tools, every description different."""
    lines = []
    triples = itertools.product(_OBJECTS, _VERBS, _PLACES)
    for i, (thing, verb, place) in enumerate(itertools.islice(triples, count)):
        lines.append(
            f'[[capabilities]]\nid = "tool_{i}"\nkind = "tool"\ndescription = "{verb.title()} {thing} {place}."\n'
            f"usd_per_call = {0.0001 * (i % 7)}\nseconds = 0.5\n"
        )
    return "\n".join(lines)


def router_with(capabilities: int, bundle: Path | None) -> Router:
    """The default pool with this many capabilities."""
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(capabilities_toml(capabilities))
        file.flush()
        return Router.load(bundle, capabilities=file.name)


def mixed_lengths(texts: list[str], count: int, seed: int = 0) -> list[str]:
    """`count` texts drawn without replacement, so that every set and length is there."""
    rng = np.random.default_rng(seed)
    if len(texts) <= count:
        return list(texts)
    return [texts[i] for i in rng.choice(len(texts), count, replace=False)]


SLOTS = 12


def plan_operators(router: Router) -> list[_native.Operator]:
    """Operators of the bundle's table that make a plan of twelve call slots, each at most once, the largest first."""
    data = router.parts.bundle.bytes("operators/operators.toml")
    table = sorted(load_operators(data, PolicyNames()), key=lambda op: (not op.generates, -len(op.slots)))
    plan: list[_native.Operator] = []
    for op in sorted(table[1:], key=lambda op: -len(op.slots)):
        left = SLOTS - sum(len(used.slots) for used in [table[0], *plan])
        if 0 < len(op.slots) <= left:
            plan.append(op)
    return [table[0], *plan]


def _stage(op: _native.Operator, first: bool) -> Stage:
    weights = tuple(slot.weight for slot in op.slots)
    return Stage(weights, op.fix, op.break_, tuple(op.curve), not first, op.parallel, op.distinct)


def _matrix(slots: list[_native.Slot], llms: list[_native.Llm], value: Callable[[SlotCost], float]) -> Floats:
    return np.array([[value(slot_cost(slot, llm)) for llm in llms] for slot in slots])


def assignment_problem(router: Router, rng: np.random.Generator, binding: bool) -> dict[str, Any]:
    """Keyword arguments of `turnout.assign.solve` for one query: a plan of 12 slots on the router's 16 LLMs.

    The query has a random length, difficulty and worth; a budget that binds is a share of the best plan's bound.
    """
    operators, llms = plan_operators(router), native_llms(router.parts.pool, router.parts.policies)
    slots = [slot for op in operators for slot in op.slots]
    tokens, b = float(rng.integers(20, 800)), rng.normal(0.2, 1.0)
    problem: dict[str, Any] = {
        "stages": [_stage(op, first=i == 0) for i, op in enumerate(operators)],
        "quality": np.array([1.0 / (1.0 + math.exp(-(m.ability + rng.normal(0, 0.3) - b))) for m in llms]),
        "usd": _matrix(slots, llms, lambda cost: cost.usd(MEAN, tokens)),
        "usd_bound": _matrix(slots, llms, lambda cost: cost.usd(P90, tokens)),
        "seconds": _matrix(slots, llms, lambda cost: cost.seconds[MEAN]),
        "seconds_bound": _matrix(slots, llms, lambda cost: cost.seconds[P90]),
        "allowed": np.ones((len(slots), len(llms)), bool),
        "value_usd": float(10.0 ** rng.uniform(-2.5, 0)),
        "usd_per_second": 0.0,
        "budget": None,
        "max_seconds": None,
    }
    if binding:
        best = solve(**problem)
        problem["budget"] = float(rng.uniform(0.1, 0.9)) * best.usd_bound
    return problem


def assignment_problems(router: Router, count: int, binding: bool, seed: int = 0) -> list[dict[str, Any]]:
    """Problems whose budget binds, or that have none."""
    rng = np.random.default_rng(seed)
    return [assignment_problem(router, rng, binding) for _ in range(count)]


def vectors_of(router: Router, texts: list[str]) -> npt.NDArray[np.float32]:
    """float32[N, D], C order."""
    return np.ascontiguousarray(np.stack([router.embed(text) for text in texts]))


@dataclass(frozen=True)
class Workload:
    """Everything that the cases read.

    Attributes
    ----------
    router, small : Router
        With 1,000 and with 64 capabilities.
    texts : list of str
    vectors : float32[N, D]
        Of `texts`.
    capability_vectors : float32[1000, D], without lexical scores
    repeats : int
        How many inputs a fast case is measured on.
    source : str
        Where the texts come from.
    """

    router: Router
    small: Router
    texts: list[str]
    vectors: npt.NDArray[np.float32]
    capability_vectors: npt.NDArray[np.float32]
    repeats: int
    source: str

    @property
    def units(self) -> npt.NDArray[np.float32]:
        """The vectors without lexical scores: what capabilities are compared with."""
        return np.ascontiguousarray(self.vectors[:, : self.capability_vectors.shape[1]])

    @property
    def index(self) -> _native.CapabilityIndex:
        """Of the 1,000 capabilities."""
        return _index(self.router)


def _index(router: Router) -> _native.CapabilityIndex:
    assert router.parts.index is not None  # it was made with capabilities
    return router.parts.index


def make_workload(bundle: Path | None, data: Path | None, quick: bool) -> Workload:
    """Loads the routers and draws the queries."""
    repeats = 300 if quick else 2000
    texts = built_in_queries() if data is None else dev_queries(data)
    texts = mixed_lengths(texts, repeats)
    router = router_with(CAPABILITIES, bundle)
    return Workload(
        router,
        router_with(64, bundle),
        texts,
        vectors_of(router, texts),
        _index(router).vectors,
        repeats,
        "built-in" if data is None else str(data.name),
    )
