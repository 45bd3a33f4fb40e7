"""``turnout demo``: queries of several domains and difficulties, decided one by one."""

from __future__ import annotations

from time import perf_counter
from typing import NamedTuple

from turnout import _native
from turnout.cli.output import plan_of, print_json, print_table, print_trace, say, shorten, usd, width
from turnout.router import Router

# (domain, query) of the kinds that the default bundle was trained on, which are exams, code and maths.
QUERIES: tuple[tuple[str, str], ...] = (
    ("biology", "Which organ pumps blood through the human body?\nA. Liver\nB. Heart\nC. Lung\nD. Kidney"),
    ("biology", "Which cell organelle makes ATP?\nA. Mitochondrion\nB. Golgi body\nC. Nucleus\nD. Ribosome"),
    (
        "history",
        "Which of these best explains why the Peace of Westphalia is called the origin of state sovereignty?\n"
        "A. It ended papal rule\nB. Each prince chose the religion of his land\nC. It founded the League of Nations\n"
        "D. It abolished the Empire",
    ),
    ("maths", "Tom has 5 apples. He buys 7 more and gives 4 to his sister. How many apples does Tom have now?"),
    ("code", "Write a Python function that reverses a string."),
    ("tools", "Search the web for yesterday's closing price of copper and convert it to euros per kilogram."),
    (
        "medicine",
        "A patient of 58 has crushing chest pain and ST elevation in II, III and aVF. Which artery is blocked most "
        "likely?\nA. Left anterior descending\nB. Right coronary\nC. Circumflex\nD. Left main",
    ),
    ("maths", "A shop sells pens at 3 for $2. How much do 12 pens cost?"),
    ("code", "Write a Python function that merges overlapping intervals and returns them sorted."),
    (
        "law",
        "A defendant shot at a scarecrow that he took for his neighbour. Of what may he be convicted?\n"
        "A. Attempted murder\nB. Murder\nC. Assault\nD. Nothing, for it was impossible",
    ),
    (
        "engineering",
        "A transmission line of 50 ohms is terminated by 25 + j50 ohms. Find the standing wave ratio.\nA. 1.8\nB. 2.6\n"
        "C. 4.3\nD. 5.1\nE. 6.2\nF. 8.0",
    ),
    (
        "physics",
        "A neutral pion of energy 900 MeV decays into two photons. Find the minimum opening angle between the photons "
        "in the laboratory frame.\nA. 8.6 degrees\nB. 17.2 degrees\nC. 24.5 degrees\nD. 34.4 degrees",
    ),
    ("maths", "How many ordered triples (a, b, c) of positive integers satisfy abc = 3600 and gcd(a, b, c) = 1?"),
    ("maths", "Find the number of integers n with 1 <= n <= 2024 such that n^2 + n is divisible by 12."),
)
LEGEND = (
    "d: difficulty, the probability that a reference LLM fails; P: probability that\n"
    "the plan's answer is correct; USD: its expected cost; us: microseconds that the\n"
    "decision took"
)


class Row(NamedTuple):
    domain: str
    query: str
    decision: _native.Decision
    microseconds: float


def _route(router: Router, domain: str, query: str) -> Row:
    start = perf_counter()
    decision = router.route(query)
    return Row(domain, query, decision, (perf_counter() - start) * 1e6)


def _print_rows(rows: list[Row]) -> None:
    columns = width()
    room = None if columns is None else columns - 27
    cells = [
        (
            f"{row.decision.difficulty:.2f}",
            f"{row.decision.p_correct:.2f}",
            usd(row.decision.usd),
            f"{row.microseconds:.0f}",
            f"{shorten(f'{row.domain}: {row.query}', room)}\n{plan_of(row.decision)}",
        )
        for row in rows
    ]
    print_table(("d", "P", "USD", "us", "query, and the plan for it"), cells)
    say(LEGEND)


def run_demo(router: Router, as_json: bool) -> None:
    """Routes `QUERIES` and prints them."""
    for domain, query in QUERIES:
        _route(router, domain, query)  # warm, so that the timings are those of a service
    rows = sorted((_route(router, *query) for query in QUERIES), key=lambda row: row.decision.difficulty)
    if as_json:
        print_json(
            [
                {
                    "domain": r.domain,
                    "query": r.query,
                    "microseconds_total": r.microseconds,
                    "decision": r.decision.to_dict(),
                }
                for r in rows
            ]
        )
        return
    _print_rows(rows)
    say("\nWhy, for the hardest:", style="bold")
    print_trace(rows[-1].decision.trace)
