"""Every example runs by itself and prints what its docstring says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
NUMBER = r"-?\d+(\.\d+)?"


def output(name: str) -> str:
    done = subprocess.run([sys.executable, EXAMPLES / name], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_quickstart() -> None:
    lines = output("quickstart.py").splitlines()
    assert "P(correct)" in lines[0]
    stages = ["embed", "difficulty", "capability", "operators", "assign", "plan", "reasons"]
    assert [line.split()[0] for line in lines[1:]] == stages


def test_budget() -> None:
    lines = output("budget.py").splitlines()
    pairs = [re.match(rf"\s*(?:no limit|\$({NUMBER})): p90 \$({NUMBER})", line) for line in lines]
    budgets = [float(m[1]) if m and m[1] else float("inf") for m in pairs]
    bounds = [float(m[3]) if m else float("nan") for m in pairs]
    assert len(lines) == 6
    assert all(bound <= budget for bound, budget in zip(bounds[:-1], budgets[:-1], strict=True))
    assert bounds[-1] > budgets[-1]
    assert [line.endswith("budget_infeasible") for line in lines] == [False] * 5 + [True]


def test_learn() -> None:
    before_after, known, receipt = output("learn.py").splitlines()
    names = re.fullmatch(r"before (\S+), after (\S+)", before_after)
    assert names and names[1] != names[2]
    assert re.fullmatch(rf"{names[1]}: \d+ outcomes, correction -\d\.\d\d, dead True", known) and receipt == "accepted"


def test_live() -> None:
    well, ill, rest, purse = output("live.py").splitlines()
    assert well.startswith("while all is well: {") and "refused" not in well and "failed" not in well
    broken = re.match(r"(\S+) breaks down: (.*); its breaker is open$", ill)
    assert broken and 1 <= int(re.search(r"'failed': (\d+)", broken[2])[1]) < 40
    assert f"'{broken[1]}'" not in broken[2]
    assert int(re.search(r"(\d+) refused$", rest)[1]) > 0
    spent, limit = re.match(r"spent \$([\d.]+) of \$([\d.]+), held \$0.0000, overrun \$0.0000$", purse).groups()
    assert 0.9 * float(limit) < float(spent) <= float(limit)


def command(*arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "turnout", *arguments], cwd=EXAMPLES.parent, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_pictures_of_the_documents_are_what_the_commands_draw(tmp_path: Path) -> None:
    images = EXAMPLES.parent / "docs/images"
    graph, plan = tmp_path / "graph-failure.svg", tmp_path / "plan-gantt.svg"
    path = ("examples/mcp_tools.json", "--from", "search_web", "--to", "send_mail", "--fail", "fetch_page")
    lines = command("graph", "show", *path, "-o", str(graph))
    assert lines[2:4] == [
        "fails      fetch_page",
        "reroute    search_web -> render_page -> read_image -> summarise -> write_report -> send_mail (cost 5)",
    ]
    assert "topology: hierarchical" in command("plan", "show", "--tasks", "examples/tasks.json", "-o", str(plan))[1]
    words = re.compile(r"<text[^>]*>([^<]*)</text>")  # where they stand may differ with the version of matplotlib
    for drawn in (graph, plan):
        assert words.findall(drawn.read_text()) == words.findall((images / drawn.name).read_text())


def test_batch_arrow() -> None:
    pytest.importorskip("pyarrow")
    lines = output("batch_arrow.py").splitlines()
    assert "'llm', 'operators', 'tool', 'difficulty'" in lines[0]
    assert sum(int(line.split()[0]) for line in lines[1:-1]) == 12
    assert lines[-1].startswith("Hardest: ")


def test_own_tools() -> None:
    blocks = re.split(r"\n(?! )", output("own_tools.py").strip())
    granted, without = zip(*(block.splitlines()[1:] for block in blocks), strict=True)
    best = [re.search(r"granted: (\w+)", line) for line in granted]
    assert [m and m[1] for m in best] == ["order_status", "refund", "product_search"]
    assert not any(name in line for line in without for name in ("order_status", "refund"))


def test_chat_messages() -> None:
    paid, excluded = output("chat_messages.py").splitlines()
    numbers = re.match(r"(\d+) tokens paid for, (\d+) decide", paid)
    assert numbers and int(numbers[1]) > int(numbers[2])
    assert excluded.startswith("Excluded: {'llama-3.1-8b': 'policy'}; chosen: [")
    assert "llama" not in excluded.split("chosen")[1]


def test_async_service() -> None:
    lines = output("async_service.py").splitlines()
    assert len(lines) == 3
    assert all(re.search(rf"\. -> \S+, difficulty {NUMBER}$", line) for line in lines)


def test_plug_in_by_hand() -> None:
    lines = [re.sub(r" on \S+:", "", line) for line in output("plug_in_by_hand.py").splitlines()]
    voter, draft, review = "multi_llm_ensemble/voter", "chain_of_thought/reasoner", "review"
    assert lines[:4] == [f"{voter} 42", f"{voter} 42", f"{voter} 32", "Answer: 42"]
    assert lines[4:7] == [f"{draft} 1.9990", f"{review}/critic too coarse", f"{review}/editor 2.0000"]
    assert lines[7:] == ["Answer: 2.0000"]


def test_cached_vectors() -> None:
    lines = output("cached_vectors.py").splitlines()
    assert lines[1:3] == ["embedded 1 time, routed 3 times", "same decision: True"]
    assert lines[3].startswith("refused: embedder: ")


def test_every_example_is_tested_and_listed() -> None:
    scripts = {path.stem for path in EXAMPLES.glob("*.py")}
    assert scripts <= {name.removeprefix("test_") for name in globals()}
    assert all(f"({name}.py)" in (EXAMPLES / "README.md").read_text(encoding="utf-8") for name in scripts)
