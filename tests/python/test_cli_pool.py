"""``turnout pool`` and ``turnout tune``: what they print, that they write only when asked, and their errors."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import bundles
import turnout
from turnout.ability import AbilityEstimate, chances, estimate_ability, evidence
from turnout.bundle import Bundle
from turnout.cli.app import app
from turnout.outcomes import read
from turnout.pool import Pool, starting_point
from turnout.tune import Trials

POOL = """# Ours.
[[llms]]
id = "tiny"  # cheap
ability = "tiny"
usd_per_mtok_in = 0.05
usd_per_mtok_out = 0.1
price_date = 2026-01-01
context_tokens = 4096
max_output_tokens = 512

[[llms]]
id = "mine"
scores = { mmlu_pro = 0.6 }
usd_per_mtok_in = 2.5
usd_per_mtok_out = 10.0
price_date = 2026-01-01
context_tokens = 32768
max_output_tokens = 4096
"""
PRICES = ("--usd-per-mtok-in", "1", "--usd-per-mtok-out", "2")
THETA = np.array([0.9, 0.3, -0.3])


class Result(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], small_bundle: Path) -> Run:
    """Runs the command line in this process, on the small bundle."""

    def call(*arguments: Any) -> Result:
        with pytest.raises(SystemExit) as ended:
            app(args=[*map(str, arguments), "--bundle", str(small_bundle)], prog_name="turnout")
        captured = capsys.readouterr()
        return Result(int(ended.value.code or 0), captured.out, captured.err)

    return call


@pytest.fixture
def pool(tmp_path: Path) -> Path:
    path = tmp_path / "pool.toml"
    path.write_text(POOL)
    return path


class Files(NamedTuple):
    queries: Path
    outcomes: Path
    texts: list[str]
    scores: list[float]


def write_table(path: Path, rows: list[dict[str, Any]]) -> Path:
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def recorded(folder: Path, router: turnout.Router, count: int = 400, seed: int = 0, **more: float) -> Files:
    """Outcomes of an LLM of THETA, named "theirs", and of "tiny", which is right on a third."""
    rng = np.random.default_rng(seed)
    texts = [" ".join(rng.choice(bundles.WORDS, 6)) for _ in range(count)]
    p = chances(THETA, evidence(router.assess(texts), np.zeros(count)))
    scores = (rng.random(count) < p).astype(float).tolist()
    rows = [{"query_id": f"q{i}", "model": "theirs", "score": score} | more for i, score in enumerate(scores)]
    rows += [{"query_id": f"q{i}", "model": "tiny", "score": float(i % 3 == 0)} | more for i in range(count)]
    queries = [{"query_id": f"q{i}", "text": text, "split": "train"} for i, text in enumerate(texts)]
    name = f"{seed}-{count}"
    files = write_table(folder / f"{name}.q.csv", queries), write_table(folder / f"{name}.o.csv", rows)
    return Files(*files, texts, scores)


def learned_of(path: Path, id: str) -> Any:
    entry = next(llm for llm in Pool.load(path).llms if llm.id == id)
    assert entry.learned is not None
    return entry.learned


# Add, update, show ----------------------------------------------------------------------------------------------------


def test_add_prints_a_diff_and_writes_nothing(run: Run, pool: Path) -> None:
    result = run("pool", "add", pool, "--id", "new", *PRICES, "--score", "mmlu_pro=.7", "--price-date", "2026-05-01")
    assert result.code == 0 and "--write" in result.err and pool.read_text() == POOL
    assert (
        result.out
        == f"""--- {pool}
+++ {pool}
@@ -16,3 +16,12 @@
 price_date = 2026-01-01
 context_tokens = 32768
 max_output_tokens = 4096
+
+[[llms]]
+id = "new"
+scores = {{ mmlu_pro = 0.7 }}
+usd_per_mtok_in = 1.0
+usd_per_mtok_out = 2.0
+price_date = 2026-05-01
+context_tokens = 128000
+max_output_tokens = 4096
"""
    )


def test_add_writes_what_it_shows(run: Run, pool: Path, small_bundle: Path) -> None:
    arguments = (
        "pool",
        "add",
        pool,
        "--id",
        "new",
        *PRICES,
        "--like",
        "large",
        "--policy",
        "json",
        "--policy",
        "tools",
    )
    shown, written = run(*arguments), run(*arguments, "--write")
    assert shown.out == written.out and "written" in written.err
    router = turnout.Router.load(small_bundle, pool=pool)
    assert router.llms == ["tiny", "mine", "new"] and router.parts.pool[2].entry.policy == ["json", "tools"]
    assert pool.read_text().startswith(POOL)


def test_outcomes_are_learned(run: Run, pool: Path, tmp_path: Path, small: turnout.Router, small_bundle: Path) -> None:
    files = recorded(tmp_path, small, out_tokens=300, latency_s=2.5)
    asked = ("--queries", files.queries, "--outcomes", files.outcomes, "--model", "theirs")
    result = run("pool", "add", pool, "--id", "new", *PRICES, "--score", "mmlu_pro=.5", *asked, "--write")
    assert result.code == 0, result.err
    known = learned_of(pool, "new")
    table = Bundle.load(small_bundle).abilities()
    prior = starting_point(table, Pool.load(pool).llms[2])
    expected = estimate_ability(small, files.texts, files.scores, prior)
    assert known.ability == pytest.approx(expected.ability, rel=1e-5) and known.outcomes == 400 and known.bundle == "1"
    assert abs(known.ability - THETA[0]) < 3 * known.ability_se < 3 * prior.ability_se
    lines = result.out.splitlines()
    assert lines[0].startswith("new: 400 outcomes, mean score 0.")
    assert re.match(rf"before +\{prior.ability:+.2f}", lines[2]) and lines[3].lstrip().startswith("after")
    assert "output tokens of a usual answer: mean 300, p90 300" in result.out and "mean 2.50" in result.out
    assert Pool.load(pool).llms[2].output_tokens_mean == 300.0
    assert turnout.Router.load(small_bundle, pool=pool).parts.pool[2].ability == known.ability


def test_updates_in_two_parts_agree_with_one(run: Run, pool: Path, tmp_path: Path, small: turnout.Router) -> None:
    parts = [recorded(tmp_path, small, 150, seed, out_tokens=100 * (1 + seed)) for seed in (0, 1)]
    for files in parts:
        asked = ("--queries", files.queries, "--outcomes", files.outcomes, "--model", "theirs", "--write")
        assert run("pool", "update", pool, "--id", "mine", *asked).code == 0
    known = learned_of(pool, "mine")
    texts, scores = parts[0].texts + parts[1].texts, parts[0].scores + parts[1].scores
    table = small.parts.bundle.abilities()
    once = estimate_ability(small, texts, scores, starting_point(table, Pool.from_dict(pool_data()).llms[1]))
    assert known.outcomes == once.n == 300 and abs(known.ability - once.ability) < 0.2 * once.ability_se
    assert Pool.load(pool).llms[1].output_tokens_mean == 150.0
    assert "# Ours.\n" in pool.read_text() and 'id = "tiny"  # cheap\n' in pool.read_text()


def pool_data() -> dict[str, Any]:
    import tomllib

    return tomllib.loads(POOL)


def test_replace_learns_afresh_and_keeps_what_is_not_said(
    run: Run, pool: Path, tmp_path: Path, small: turnout.Router
) -> None:
    files = recorded(tmp_path, small, 100)
    asked = ("--queries", files.queries, "--outcomes", files.outcomes, "--model", "theirs", "--write")
    for _ in range(2):
        assert run("pool", "add", pool, "--replace", "--id", "mine", "--usd-per-mtok-in", "9", *asked).code == 0
        assert learned_of(pool, "mine").outcomes == 100
    mine = Pool.load(pool).llms[1]
    assert (mine.usd_per_mtok_in, mine.usd_per_mtok_out, mine.scores) == (9.0, 10.0, {"mmlu_pro": 0.6})
    assert run("pool", "add", pool, "--replace", "--id", "mine", "--like", "large", "--write").code == 0
    mine = Pool.load(pool).llms[1]
    assert (mine.learned, mine.scores, mine.like) == (None, None, "large")


def test_another_bundle_says_what_to_do(run: Run, pool: Path, tmp_path: Path, small: turnout.Router) -> None:
    files = recorded(tmp_path, small, 100)
    asked = ("--queries", files.queries, "--outcomes", files.outcomes, "--model", "theirs", "--write")
    run("pool", "update", pool, "--id", "mine", *asked)
    pool.write_text(pool.read_text().replace('bundle = "1"', 'bundle = "0"'))
    for arguments in (("pool", "show", pool), ("pool", "update", pool, "--id", "mine", *asked)):
        result = run(*arguments)
        assert result.code == 1 and result.err.count("\n") == 1
        assert result.err.startswith(f"error: {pool}: pool.llms[1].learned.bundle: learned on bundle '0'")
        assert "pool add --replace" in result.err
    assert run("pool", "add", pool, "--replace", "--id", "mine", *asked).code == 0
    assert learned_of(pool, "mine").bundle == "1"


def test_a_planted_best_llm_is_routed_to(run: Run, pool: Path, tmp_path: Path, small_bundle: Path) -> None:
    texts = [" ".join(np.random.default_rng(i).choice(bundles.WORDS, 6)) for i in range(60)]
    queries = write_table(tmp_path / "q.csv", [{"query_id": str(i), "text": text} for i, text in enumerate(texts)])
    rows = [{"query_id": str(i), "model": "best", "score": 1} for i in range(60)]
    asked = ("--queries", queries, "--outcomes", write_table(tmp_path / "o.csv", rows), "--write")
    prices = ("--usd-per-mtok-in", "2.5", "--usd-per-mtok-out", "10")
    assert run("pool", "add", pool, "--id", "best", *prices, "--score", "mmlu_pro=0.6", *asked).code == 0
    router = turnout.Router.load(small_bundle, pool=pool)
    chosen = router.predict(texts).correct.argmax(1)
    assert (chosen == 2).mean() > 0.95


def test_columns_are_mapped(run: Run, pool: Path, tmp_path: Path, small: turnout.Router) -> None:
    files = recorded(tmp_path, small, 50)
    files.outcomes.write_text(files.outcomes.read_text().replace("score", "grade"))
    asked = ("--queries", files.queries, "--outcomes", files.outcomes, "--model", "theirs")
    wrong = run("pool", "update", pool, "--id", "mine", *asked)
    assert wrong.code == 1 and "score" in wrong.err and str(files.outcomes) in wrong.err
    assert run("pool", "update", pool, "--id", "mine", *asked, "--columns", "score=grade").code == 0


def test_prices_without_a_date(run: Run, pool: Path) -> None:
    pool.write_text(POOL.replace("price_date = 2026-01-01\n", "", 1))
    shown = json.loads(run("pool", "show", pool, "--json").out)["llms"]
    assert [llm["price_date"] for llm in shown] == [None, "2026-01-01"]


def test_json(run: Run, pool: Path, tmp_path: Path, small: turnout.Router) -> None:
    files = recorded(tmp_path, small, 50)
    asked = ("--queries", files.queries, "--outcomes", files.outcomes, "--model", "theirs", "--json")
    data = json.loads(run("pool", "update", pool, "--id", "mine", *asked).out)
    assert data["lesson"]["n"] == 50 and data["written"] is False and data["diff"].startswith("---")
    assert data["lesson"]["posterior"]["interval"][0] < data["lesson"]["posterior"]["ability"]
    shown = json.loads(run("pool", "show", pool, "--json").out)
    assert [llm["id"] for llm in shown["llms"]] == ["tiny", "mine"] and shown["llms"][1]["source"] == "mmlu_pro 0.6"


def test_show(run: Run, pool: Path) -> None:
    pool.write_text(POOL + "\n[routing]\nvalue_usd = 0.5\n")
    result = run("pool", "show", pool)
    lines = result.out.splitlines()
    assert len(lines) == 4 and "tiny of the bundle" in lines[1] and lines[2].endswith("mmlu_pro 0.6")
    assert "-1.50" in lines[1] and "-1.70 .. -1.30" in lines[1] and "$0.5000" in lines[3]
    assert len(run("pool", "show").out.splitlines()) == 5  # the bundle's own pool


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--id", "new"], "--usd-per-mtok-in"),
        (["--id", "new", *PRICES, "--score", "mmlu_pro"], "expected name=value"),
        (["--id", "new", *PRICES, "--score", "mmlu_pro=high"], "--score"),
        (["--id", "new", *PRICES, "--queries", "q.csv"], "both"),
    ],
)
def test_wrong_calls(run: Run, pool: Path, arguments: list[str], part: str) -> None:
    result = run("pool", "add", pool, *arguments)
    assert result.code == 2 and result.out == "" and part in result.err


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--id", "mine", *PRICES, "--like", "tiny"], "pool.llms[1].id: 'mine' is in the pool already"),
        (["--id", "new", *PRICES], "pool.llms[2]: expected exactly one of ability, like, scores, got none"),
        (["--id", "new", *PRICES, "--score", "elo=0.5"], "pool.llms[2].scores.elo: no line"),
        (["--id", "new", *PRICES, "--score", "mmlu_pro=63"], "pool.llms[2].scores.mmlu_pro: expected a share"),
        (["--id", "new", *PRICES, "--like", "larg"], "pool.llms[2].like: 'larg' is not among"),
        (["--id", "new", *PRICES, "--like", "tiny", "--price-date", "soon"], "pool.llms[2].price_date"),
        (
            ["--id", "new", "--usd-per-mtok-in", "-1", "--usd-per-mtok-out", "1", "--like", "tiny"],
            "[2].usd_per_mtok_in: expec",
        ),
        (["--replace", "--id", "min"], "did you mean 'mine'"),
    ],
)
def test_errors_name_the_file_and_the_field(run: Run, pool: Path, arguments: list[str], part: str) -> None:
    result = run("pool", "add", pool, *arguments, "--write")
    assert (result.code, result.out, result.err.count("\n")) == (1, "", 1)
    assert str(pool) in result.err and part in result.err and pool.read_text() == POOL


def test_an_llm_without_outcomes(run: Run, pool: Path, tmp_path: Path, small: turnout.Router) -> None:
    files = recorded(tmp_path, small, 20)
    result = run("pool", "update", pool, "--id", "mine", "--queries", files.queries, "--outcomes", files.outcomes)
    assert result.code == 1 and "'mine' has no outcomes; they are of theirs, tiny; see --model" in result.err


# Tune -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def logs(tmp_path: Path, small: turnout.Router) -> Files:
    """Outcomes of both LLMs of the pool: "mine" is better and dearer."""
    files = recorded(tmp_path, small, 300)
    rows = list(csv.DictReader(files.outcomes.open()))
    for row in rows:
        mine = row["model"] == "theirs"
        row |= {"model": "mine" if mine else "tiny", "cost_usd": str(0.002 if mine else 0.00002)}
    write_table(files.outcomes, rows)
    return files


def tuned(run: Run, pool: Path, logs: Files, *arguments: Any) -> Any:
    result = run("tune", pool, logs.queries, logs.outcomes, *arguments, "--json")
    assert result.code == 0, result.err
    return json.loads(result.out)


def test_a_target_of_cost_is_met(run: Run, pool: Path, logs: Files, small_bundle: Path) -> None:
    free = tuned(run, pool, logs, "--target-quality", "0")
    dear = tuned(run, pool, logs, "--target-cost", "1")
    target = 0.5 * (free["after"]["usd"]["value"] + dear["after"]["usd"]["value"])
    found = tuned(run, pool, logs, "--target-cost", target)
    assert free["after"]["usd"]["value"] <= found["after"]["usd"]["value"] <= target
    assert free["after"]["quality"]["value"] < found["after"]["quality"]["value"] <= dear["after"]["quality"]["value"]
    assert pool.read_text() == POOL and not found["written"]
    trials = Trials(turnout.Router.load(small_bundle, pool=pool), read(logs.queries, logs.outcomes), {}, None)
    for value in np.geomspace(1e-6, 10, 60):  # it leaves no money that buys quality
        point = trials(float(value))
        assert point.cost > target or point.score <= found["after"]["quality"]["value"] + 0.01


def test_a_target_of_quality_is_met_at_the_least_cost(run: Run, pool: Path, logs: Files) -> None:
    low, high = (tuned(run, pool, logs, "--target-quality", q) for q in (0.5, 0.6))
    for found, target in ((low, 0.5), (high, 0.6)):
        assert found["after"]["quality"]["value"] >= target
        assert found["after"]["quality"]["low"] < found["after"]["quality"]["value"] < found["after"]["quality"]["high"]
    assert low["after"]["usd"]["value"] <= high["after"]["usd"]["value"]
    assert low["after"]["value_usd"] < high["after"]["value_usd"]


def test_recorded_outcomes_count_where_there_are_some(run: Run, pool: Path, logs: Files) -> None:
    only = [f"--disable-operators={name}" for name in ("cot", "ensemble", "react", "review")]
    found = tuned(run, pool, logs, "--target-quality", "0", *only)
    assert found["after"]["recorded"] == 1.0
    assert found["after"]["usd"]["value"] == pytest.approx(0.00002)
    assert found["after"]["quality"]["value"] == pytest.approx(1 / 3)


def test_tune_writes_only_when_asked(run: Run, pool: Path, logs: Files, small_bundle: Path) -> None:
    arguments = ("tune", pool, logs.queries, logs.outcomes, "--target-quality", "0.6")
    shown = run(*arguments)
    assert shown.code == 0 and "not written" in shown.err and pool.read_text() == POOL
    added = [line for line in shown.out.splitlines() if line.startswith("+") and not line.startswith("+++")]
    assert added[:2] == ["+", "+[routing]"] and re.fullmatch(r"\+value_usd = [0-9.e-]+", added[2])
    assert "300 queries of the train split" in shown.out and "recorded outcomes on" in shown.out
    written = run(*arguments, "--write")
    assert written.out == shown.out and pool.read_text() == POOL + "\n[routing]\n" + added[2][1:] + "\n"
    assert turnout.Router.load(small_bundle, pool=pool).value_usd == float(added[2].rpartition(" ")[2])
    again = run(*arguments)
    assert again.code == 0 and f"{pool}: nothing changes" in again.out and again.err == ""


def test_scaled_prices_scale_the_value_and_nothing_else(run: Run, pool: Path, logs: Files) -> None:
    found = tuned(run, pool, logs, "--target-quality", "0.6")
    text = POOL
    for old, new in (("0.05", "0.5"), ("= 0.1\n", "= 1.0\n"), ("2.5", "25.0"), ("= 10.0", "= 100.0")):
        text = text.replace(old, new)
    pool.write_text(text)
    rows = list(csv.DictReader(logs.outcomes.open()))
    write_table(logs.outcomes, [row | {"cost_usd": str(10 * float(row["cost_usd"]))} for row in rows])
    scaled = tuned(run, pool, logs, "--target-quality", "0.6")
    assert scaled["after"]["quality"] == found["after"]["quality"]
    assert scaled["after"]["usd"]["value"] == pytest.approx(10 * found["after"]["usd"]["value"])
    assert scaled["after"]["value_usd"] == pytest.approx(10 * found["after"]["value_usd"], rel=0.01)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--target-cost", "0"], "target_cost: 0 USD a query cannot be met: plans cost "),
        (["--target-quality", "1"], "target_quality: 1 cannot be met: the mean quality is 0."),
    ],
)
def test_targets_that_cannot_be_met(run: Run, pool: Path, logs: Files, arguments: list[str], part: str) -> None:
    result = run("tune", pool, logs.queries, logs.outcomes, *arguments, "--write")
    assert (result.code, result.out) == (1, "") and part in result.err and pool.read_text() == POOL


@pytest.mark.parametrize("arguments", [[], ["--target-cost", "1", "--target-quality", "0.5"]])
def test_one_target_is_asked_for(run: Run, pool: Path, logs: Files, arguments: list[str]) -> None:
    result = run("tune", pool, logs.queries, logs.outcomes, *arguments)
    assert result.code == 2 and "one of --target-cost and --target-quality" in result.err


def test_the_test_split_does_not_count(run: Run, pool: Path, logs: Files) -> None:
    lines = logs.queries.read_text().splitlines()
    lines[101:] = [line.removesuffix("train") + "test" for line in lines[101:]]
    logs.queries.write_text("\n".join(lines) + "\n")
    before = tuned(run, pool, logs, "--target-quality", "0.6")
    rows = list(csv.DictReader(logs.outcomes.open()))
    for row in rows:
        if int(row["query_id"][1:]) >= 100:
            row["score"] = 1 - float(row["score"])
    write_table(logs.outcomes, rows)
    assert before["queries"] == 100 and tuned(run, pool, logs, "--target-quality", "0.6") == before
    logs.queries.write_text(logs.queries.read_text().replace(",train", ",test"))
    result = run("tune", pool, logs.queries, logs.outcomes, "--target-quality", "0.6")
    assert result.code == 1 and "no query is of the split 'train'" in result.err


def test_outcomes_of_other_llms(run: Run, pool: Path, tmp_path: Path, small: turnout.Router) -> None:
    files = recorded(tmp_path, small, 20)
    files.outcomes.write_text(files.outcomes.read_text().replace("tiny", "a").replace("theirs", "b"))
    result = run("tune", pool, files.queries, files.outcomes, "--target-quality", "0")
    assert result.code == 1 and "no LLM of the pool is among their models: a, b" in result.err


def test_info_shows_the_value(run: Run, pool: Path) -> None:
    pool.write_text(POOL + "\n[routing]\nvalue_usd = 0.125\n")
    assert json.loads(run("info", "--pool", pool, "--json").out)["contents"]["value_usd"] == 0.125


def test_the_pools_value_holds_where_route_says_none(run: Run, pool: Path, small_bundle: Path) -> None:
    pool.write_text(POOL + "\n[routing]\nvalue_usd = 7.5\n")
    text = "prove the integral"
    printed = json.loads(run("route", text, "--pool", pool, "--json").out)
    router = turnout.Router.load(small_bundle, pool=POOL_AS_DICT)
    assert printed["utility"] == router.route(text, value_usd=7.5).utility


POOL_AS_DICT = pool_data()


def test_estimates_without_data_do_not_move() -> None:
    estimate = AbilityEstimate(np.array([1.0]), np.array([[0.25]]))
    assert estimate.interval() == pytest.approx((1 - 0.98, 1 + 0.98), abs=1e-3)
