"""What is measured: queries, a router with 1,000 capabilities and 16 LLMs, and assignment problems of 12 slots."""

from __future__ import annotations

import csv
import gzip
import itertools
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from turnout.assign import Stage, solve
from turnout.core import InputError
from turnout.router import Router
from turnout.schema import fail

CAPABILITIES = 1000
SLOTS, LLMS = 12, 16

_VERBS = "search fetch convert summarise translate plot schedule validate compress extract rank draft audit deploy".split()
_OBJECTS = (
    "invoices, flight prices, weather forecasts, source code, legal contracts, chemical reactions, star catalogues, tax forms, "
    "medical records, road maps, sensor readings, stock quotes, recipes, court rulings, song lyrics, sales leads, log files, "
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
    "A colleague claims that {} is irrelevant in practice. Argue against that with numbers, then list two limits of your argument.",
)


def built_in_queries() -> list[str]:
    """Queries of 10 to 60 tokens, our own writing: what is measured without --data."""
    return [ask.format(topic) for topic, ask in itertools.product(_TOPICS, _ASKS)] * 5


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


def plan_stages() -> list[Stage]:
    """Twelve call slots: an ensemble of three, a debate of three, and three operators of two slots each."""
    third, half = (1 / 3,) * 3, (0.5, 0.5)
    return [
        Stage(third, distinct=True, parallel=True),
        Stage(third, fix=0.5, break_=0.1, parallel=True, optional=True),
        *(Stage(half, fix=fix, break_=0.08, optional=True) for fix in (0.4, 0.35, 0.3)),
    ]


def assignment_problem(rng: np.random.Generator, binding: bool) -> dict[str, Any]:
    """Keyword arguments of `turnout.assign.solve`: 12 slots on 16 LLMs, the budget a share of the best plan's bound."""
    quality = np.sort(rng.uniform(0.2, 0.92, LLMS))
    price = np.sort(10.0 ** rng.uniform(-5, -2.3, LLMS)) * rng.uniform(0.6, 1.6, LLMS)
    usd = price * rng.uniform(0.5, 3.0, (SLOTS, 1))
    seconds = rng.uniform(0.5, 6.0, (SLOTS, LLMS))
    problem = {
        "stages": plan_stages(),
        "quality": quality,
        "usd": usd,
        "usd_bound": usd * rng.uniform(1.3, 2.2, (1, LLMS)),
        "seconds": seconds,
        "seconds_bound": 1.6 * seconds,
        "allowed": np.ones((SLOTS, LLMS), bool),
        "value_usd": float(10.0 ** rng.uniform(-2.5, 0)),
        "usd_per_second": 0.0,
        "budget": None,
        "max_seconds": None,
    }
    if binding:
        best = solve(**problem)
        problem["budget"] = float(rng.uniform(0.1, 0.9)) * best.usd_bound
    return problem


def assignment_problems(count: int, binding: bool, seed: int = 0) -> list[dict[str, Any]]:
    """Problems whose budget binds, or that have none."""
    rng = np.random.default_rng(seed)
    return [assignment_problem(rng, binding) for _ in range(count)]


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
    capability_vectors : float32[1000, D]
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


def make_workload(bundle: Path | None, data: Path | None, quick: bool) -> Workload:
    """Loads the routers and draws the queries."""
    repeats = 100 if quick else 2000
    texts = built_in_queries() if data is None else dev_queries(data)
    texts = mixed_lengths(texts, repeats)
    router = router_with(CAPABILITIES, bundle)
    return Workload(
        router,
        router_with(64, bundle),
        texts,
        vectors_of(router, texts),
        router.parts.index.vectors,
        repeats,
        "built-in" if data is None else str(data.name),
    )
