"""The report as rows of text: what the command line prints and the HTML shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

NONE = "-"
Report = dict[str, Any]


class Column(NamedTuple):
    """A heading, what it means, and the cell of a policy of a task."""

    title: str
    meaning: str
    cell: Callable[[Report, Report], str]


def number(value: float | None, digits: int = 2, sign: bool = False) -> str:
    if value is None:
        return NONE
    return f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"


def interval(values: Sequence[float | None] | None, digits: int = 2, sign: bool = False) -> str:
    """``value [low, high]``."""
    if values is None or values[0] is None:
        return NONE
    value, low, high = (number(v, digits, sign) for v in values)
    return f"{value} [{low}, {high}]"


def _difference(task: Report, policy: Report) -> str:
    found = [d["points"] for d in task["differences"] if d["against"] == policy["name"]]
    return interval(found[0], 2, sign=True) if found else NONE


def _ratio(task: Report, policy: Report) -> str:
    if "cost_ratio" not in policy:
        return NONE
    if not policy["reaches_best"]:
        return "never"
    value, low, high = policy["cost_ratio"]
    return f"{number(value)} [{number(low)}, {'never' if high is None else number(high)}]"


def _calibration(task: Report, policy: Report) -> str:
    if "calibration" not in policy:
        return NONE
    found = policy["calibration"]
    return f"{found['ece']:.3f} ({'<=' if found['passes'] else '>'} {found['limit'] + 0.01:.3f})"


def _plain(key: str, digits: int) -> Callable[[Report, Report], str]:
    return lambda task, policy: number(policy.get(key), digits)


def _of_interval(key: str, digits: int = 3) -> Callable[[Report, Report], str]:
    return lambda task, policy: interval(policy.get(key), digits)


POINTS = Column(
    "points", "AIQ over the hull of the single LLMs, in points", lambda t, p: interval(p.get("points"), 2, sign=True)
)
DIFFERENCE = Column("turnout less it", "the same of turnout less this policy, paired", _difference)
RATIO = Column("cost for best", "cost at the best single LLM's score, as a share of that LLM's cost", _ratio)
HALF = Column("at half cost", "score at half of the best single LLM's cost", _of_interval("half_quality"))
SCORE = Column("score", "mean score where cost does not count", _of_interval("score"))
ECE = Column("ECE (limit)", "calibration error of its probabilities, and what chance explains + 0.01", _calibration)
BRIER = Column("Brier", "mean squared error of its probabilities", lambda t, p: _brier(p))
AUC = Column("AUC", "of its P(correct), all LLMs together", _plain("auc", 3))
RHO = Column("rho", "rank correlation of its difficulty with 1 - mean score", _plain("difficulty_spearman", 3))
APGR = Column("APGR", "average performance gap recovered", _of_interval("apgr"))
CPT50 = Column("CPT50", "share of calls to the strong LLM that recovers half of the gap", _of_interval("cpt50"))
CPT80 = Column("CPT80", "share of calls to the strong LLM that recovers 80 % of the gap", _of_interval("cpt80"))
NAME = Column("policy", "", lambda t, p: _name(p))


def _brier(policy: Report) -> str:
    return number(policy["calibration"]["brier"], 4) if "calibration" in policy else NONE


def _name(policy: Report) -> str:
    notes = [text for text in (policy["note"], "sees more" if policy["kind"] == "reference" else "") if text]
    name: str = policy["name"]
    return f"{name} ({', '.join(notes)})" if notes else name


def frontier_columns(task: Report) -> list[Column]:
    """The first table of a task: money."""
    if not task["costed"]:
        return [SCORE, NAME]
    return [POINTS, DIFFERENCE, RATIO, HALF, *([APGR, CPT50, CPT80] if len(task["llms"]) == 2 else []), NAME]


def quality_columns(task: Report) -> list[Column]:
    """The second table: predictions."""
    return [*([SCORE] if task["costed"] else []), ECE, BRIER, AUC, RHO, NAME]


def rows(task: Report, columns: Sequence[Column]) -> list[list[str]]:
    """A row a policy that has something to show; the best points first, what has none last."""
    ranked = sorted(task["policies"], key=_rank)
    found = [[column.cell(task, policy) for column in columns] for policy in ranked]
    noted = [policy["kind"] == "missing" for policy in ranked]
    return [row for row, keep in zip(found, noted, strict=True) if keep or any(cell != NONE for cell in row[:-1])]


def _rank(policy: Report) -> tuple[bool, float]:
    points = (policy.get("points") or [None])[0]
    return points is None, -(points or 0.0)


def facts(task: Report, mode: str) -> list[str]:
    """What the tables rest on, a sentence each."""
    q, cost = task["queries"], task["cost_kinds"]
    kinds = ", ".join(f"{name} {count}" for name, count in cost.items())
    held = "test queries" if mode == "test" else "queries, each out of fold"
    out = [
        f"{len(task['llms'])} LLMs on {q['evaluated']} {held}; {q['train']} of the split train; "
        f"{q['dropped']} left out because a score or cost is missing",
        f"cheapest {task['cheapest']}, best {task['best']} (on the training split); costs: {kinds}",
    ]
    if task["costed"]:
        out.append(f"hull of the single LLMs: {interval(_times(task['hull_of_singles'], 100.0), 2)}")
    if task["undefined"]:
        out.append(f"AIQ is undefined: {task['undefined']}" if task["costed"] else task["undefined"])
    if task["left_out"]:
        out.append(f"not in the pool, too few scores and costs: {', '.join(task['left_out'])}")
    if task["unpriced"]:
        out.append(f"no price in the bundle, priced as in the log: {', '.join(task['unpriced'])}")
    if task["placebo_holds"] is not None:
        verdict = "is not above 0, as it must be" if task["placebo_holds"] else "IS ABOVE 0: do not trust the points"
        out.append(f"placebo (texts permuted): its interval {verdict}")
    rho = number(task["assessed_difficulty_spearman"], 3)
    out.append(f"rank correlation of turnout's difficulty with 1 - mean score of all LLMs of the set: {rho}")
    same, near = task["leakage"]["equal_stems"], task["leakage"]["near_duplicates"]
    ids = ", ".join(f"{held} ~ {train}" for held, train in (same["examples"] or near["examples"])[:3])
    leaks = f"{same['queries']} with an equal question, {near['queries']} nearly the same text"
    out.append(f"queries that stand in the training rows too: {leaks}{f' ({ids})' if ids else ''}")
    return out


def _times(values: Sequence[float | None], by: float) -> list[float | None]:
    return [None if v is None else v * by for v in values]


def legend(columns: Sequence[Column]) -> list[str]:
    """What the headings mean."""
    return [f"{column.title}: {column.meaning}" for column in columns if column.meaning]
