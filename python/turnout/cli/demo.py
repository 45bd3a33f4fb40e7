"""``turnout demo``: queries of several domains and difficulties, decided one by one."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from rich.table import Table

from turnout import _native
from turnout.cli.output import console, llms_of, operators_of, print_json, shorten, usd
from turnout.router import Router

# (domain, query); our own writing, easy to hard within a domain.
QUERIES: tuple[tuple[str, str], ...] = (
    ("chat", "Which colours do I mix to get green?"),
    ("geography", "What is the capital of Australia?"),
    ("maths", "A shop sells pens at 3 for $2. How much do 12 pens cost?"),
    ("maths", "Find the number of integers n with 1 <= n <= 2024 such that n^2 + n is divisible by 12."),
    ("physics", "A 2 kg block slides down a frictionless incline of 30 degrees. What is its acceleration?"),
    (
        "physics",
        "A neutral pion of energy 900 MeV decays into two photons. Find the minimum opening angle between the photons "
        "in the laboratory frame.\nA. 8.6 degrees\nB. 17.2 degrees\nC. 24.5 degrees\nD. 34.4 degrees",
    ),
    (
        "chemistry",
        "How many stereoisomers does 2,3,4-trichloropentane have, and which of them are meso?\nA. 3, 1 meso\n"
        "B. 4, 2 meso\nC. 8, none\nD. 6, 2 meso",
    ),
    (
        "law",
        "A landowner orally promised to sell a parcel, took a deposit, and watched the buyer build a house on it. When "
        "the landowner refuses to convey, which doctrine most likely takes the promise out of the statute of frauds?",
    ),
    ("code", "Write a Python function that reverses a string."),
    (
        "code",
        "Our asyncio service leaks memory under load: each request spawns a task that awaits a Redis lock. Find the "
        "likely cause and write a fix with a test that fails before it.",
    ),
    ("tools", "Search the web for yesterday's closing price of copper and convert it to euros per kilogram."),
    ("history", "In which year did the Peace of Westphalia end the Thirty Years' War?"),
)


def _rows(router: Router) -> list[tuple[str, str, _native.Decision, float]]:
    for _, query in QUERIES:
        router.route(query)  # warm
    rows = []
    for domain, query in QUERIES:
        start = perf_counter()
        decision = router.route(query)
        rows.append((domain, query, decision, (perf_counter() - start) * 1e6))
    return rows


def _table(rows: list[tuple[str, str, _native.Decision, float]]) -> Table:
    table = Table(title="turnout demo", title_justify="left", header_style="bold", pad_edge=False)
    for name in ("domain", "query"):
        table.add_column(name, overflow="ellipsis", no_wrap=name == "domain")
    table.add_column("difficulty", justify="right")
    table.add_column("plan")
    table.add_column("LLMs")
    table.add_column("P(correct)", justify="right")
    table.add_column("USD", justify="right")
    table.add_column("us", justify="right")
    for domain, query, decision, micros in rows:
        table.add_row(
            domain,
            shorten(query, 48),
            f"{decision.difficulty:.2f}",
            " > ".join(operators_of(decision)),
            ", ".join(llms_of(decision)),
            f"{decision.p_correct:.2f}",
            usd(decision.usd),
            f"{micros:.0f}",
        )
    return table


def run_demo(router: Router, as_json: bool) -> None:
    """Routes `QUERIES` and prints them."""
    rows = _rows(router)
    if as_json:
        records: list[dict[str, Any]] = [
            {"domain": domain, "query": query, "microseconds_total": micros, "decision": decision.to_dict()}
            for domain, query, decision, micros in rows
        ]
        print_json(records)
        return
    console().print(_table(rows))
    example = max(rows, key=lambda row: row[2].difficulty)
    console().print(f"\nWhy, for the hardest ({shorten(example[1], 60)!r}):", highlight=False)
    console().print(example[2].trace, highlight=False, markup=False, soft_wrap=True)
