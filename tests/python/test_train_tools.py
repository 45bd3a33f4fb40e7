"""Training of the tool side on planted topics: queries and descriptions share words, and what all queries share."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bundles
import turnout
from turnout.assemble import capability_text
from turnout.bundle import Bundle
from turnout.reference.router import ReferenceRouter

pytest.importorskip("sklearn")
pytest.importorskip("threadpoolctl")

from turnout.train.tools import Settings, calibrate, embed, train_tools
from turnout.train.tools import __main__ as command
from turnout.train.tools.data import read_queries, read_tools
from turnout.train.tools.selector import quality

SHARED = "what is the of a an and or how many".split()
TOPICS = [
    ["capital", "history"],
    ["find", "search"],
    ["prove", "integral"],
    ["solve", "matrix"],
    ["write", "web"],
    ["function", "python"],
    ["court", "law"],
    ["contract", "year"],
    ["chemistry", "reaction"],
    ["energy", "photon"],
]
NO_TOPIC = "war plus minus two three test".split()
UNSEEN = 8, 9  # tools that no training query names


def query(words: Sequence[str], rng: np.random.Generator) -> str:
    """Some words of a topic among many that all queries share."""
    picked = [*rng.choice(words, 2), *rng.choice(SHARED, 5)]
    return " ".join(rng.permutation(picked))


def rows(rng: np.random.Generator, topics: Sequence[int], count: int, split: str) -> list[tuple[str, str, str]]:
    """(text, relevant, split); texts may repeat."""
    return [(query(TOPICS[i], rng), json.dumps([f"tool_{i}"]), split) for i in topics for _ in range(count)]


def write_csv(path: Path, header: Sequence[str], lines: Sequence[Sequence[str]]) -> Path:
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([header, *lines])
    return path


# Descriptions name the second word of a topic, and words that all queries share: a plain cosine goes by those.
TOOLS = [(f"tool_{i}", f"{topic[1]} {SHARED[i]} {SHARED[i]} {SHARED[i]}") for i, topic in enumerate(TOPICS)]


def planted(folder: Path, none: int = 0) -> tuple[Path, Path]:
    """Files of tools and queries; `none` training queries fit no tool."""
    rng = np.random.default_rng(3)
    seen = [i for i in range(len(TOPICS)) if i not in UNSEEN]
    lines = [*rows(rng, seen, 60, "train"), *rows(rng, range(len(TOPICS)), 30, "test")]
    lines += [(query(NO_TOPIC, rng), "[]", "train") for _ in range(none)]
    numbered = [(f"q{i}", *line) for i, line in enumerate(lines)]
    tools = write_csv(folder / "tools.csv", ["tool_id", "text"], TOOLS)
    return tools, write_csv(folder / "queries.csv", ["query_id", "text", "relevant", "split"], numbered)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return planted(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def trained(small_bundle: Path, data: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("trained") / "bundle"
    train_tools(*data, small_bundle, output)
    return output


def unmatched(count: int = 100) -> list[str]:
    rng = np.random.default_rng(11)
    return [query(NO_TOPIC, rng) for _ in range(count)]


def scores(folder: Path, vectors: np.ndarray, texts: list[str]) -> np.ndarray:
    return (embed(Bundle.load(folder), texts) @ vectors.T).astype(float)


def vectors_of(folder: Path) -> np.ndarray:
    return Bundle.load(folder).array("capability/vectors.npy", np.float32, (None, bundles.DIM))


def test_trained_tools_are_found_where_plain_similarity_fails(trained: Path, data: tuple[Path, Path]) -> None:
    tools = read_tools(data[0])
    queries = read_queries(data[1], tools.ids)
    held_out = queries.keep(~queries.train & ~queries.relevant[:, list(UNSEEN)].any(1))
    plain = quality(scores(trained, embed(Bundle.load(trained), tools.texts), held_out.texts), held_out.relevant)
    after = quality(scores(trained, vectors_of(trained), held_out.texts), held_out.relevant)
    assert plain["hit@1"] < 0.5
    assert after["hit@1"] > 0.85 and after["recall@5"] > 0.97


def test_unseen_tools_are_found_among_trained_ones(trained: Path, data: tuple[Path, Path]) -> None:
    tools = read_tools(data[0])
    queries = read_queries(data[1], tools.ids)
    of_unseen = queries.keep(queries.relevant[:, list(UNSEEN)].any(1))
    plain = quality(scores(trained, embed(Bundle.load(trained), tools.texts), of_unseen.texts), of_unseen.relevant)
    after = quality(scores(trained, vectors_of(trained), of_unseen.texts), of_unseen.relevant)
    assert after["recall@5"] > plain["recall@5"] + 0.1
    assert after["recall@5"] > 0.8


def test_queries_that_no_tool_fits_are_told_apart_and_get_no_tools(trained: Path, data: tuple[Path, Path]) -> None:
    from sklearn.metrics import roc_auc_score

    tools = read_tools(data[0])
    queries = read_queries(data[1], tools.ids)
    matched = queries.keep(~queries.train & ~queries.relevant[:, list(UNSEEN)].any(1)).texts
    best = scores(trained, vectors_of(trained), matched + unmatched()).max(1)
    assert roc_auc_score([1] * len(matched) + [0] * 100, best) > 0.9
    router = turnout.Router.load(trained)
    asked = [router.route(text) for text in matched]
    assert np.mean(["tools_withheld" in d.reasons for d in asked]) < 0.15
    other = [router.route(text) for text in unmatched()]
    withheld = [d for d in other if "tools_withheld" in d.reasons]
    assert len(withheld) > 50
    assert all(d.tools == () for d in withheld)
    assert "withheld" in withheld[0].explain()
    assert router.route_batch(unmatched())[other.index(withheld[0])] == withheld[0]


def test_queries_without_a_tool_sharpen_the_threshold(small_bundle: Path, tmp_path: Path) -> None:
    train_tools(*planted(tmp_path, none=80), small_bundle, tmp_path / "bundle")
    router = turnout.Router.load(tmp_path / "bundle")
    assert np.mean([not router.route(text).tools for text in unmatched()]) > 0.85
    assert Bundle.load(tmp_path / "bundle").manifest.training["tools"]["queries_without_tool"] == 80


def test_without_a_threshold_something_is_always_proposed(
    small_bundle: Path, data: tuple[Path, Path], tmp_path: Path
) -> None:
    train_tools(*data, small_bundle, tmp_path / "bundle", Settings(keep=None))
    router = turnout.Router.load(tmp_path / "bundle")
    assert all(router.route(text).tools for text in unmatched(20))


def test_relevance_is_calibrated(trained: Path, data: tuple[Path, Path]) -> None:
    router = turnout.Router.load(trained)
    queries = read_queries(data[1], read_tools(data[0]).ids)
    held_out = queries.keep(~queries.train & ~queries.relevant[:, list(UNSEEN)].any(1))
    p, y = [], []
    for text, fits in zip(held_out.texts, held_out.relevant, strict=True):
        decision = router.route(text, constraints=turnout.Constraints(cost_bias=0.5))
        relevance = router.relevance(decision)
        assert len(relevance) == len(decision.tools)
        p += relevance
        y += [bool(fits[router.capabilities.index(name)]) for name, _ in decision.tools]
    assert calibrate.expected_error(np.array(p), np.array(y), 5) < 0.1


def test_a_bundle_without_calibration_says_so(small: turnout.Router) -> None:
    with pytest.raises(turnout.ConfigError, match=r"capability/config\.json: no such file"):
        small.relevance(small.route("what is the law"))


def test_equal_to_the_twin(trained: Path) -> None:
    router = turnout.Router.load(trained)
    twin = ReferenceRouter(router.parts)
    withheld = 0
    for text in [*unmatched(20), *(query(topic, np.random.default_rng(1)) for topic in TOPICS)]:
        for constraints in (None, turnout.Constraints(cost_bias=2.0), turnout.Constraints(kinds=["agent"])):
            native = router.route(text, constraints=constraints).to_dict()
            other = twin.route(text, constraints=constraints)
            assert [name for name, _ in native["tools"]] == [name for name, _ in other["tools"]]
            assert native["reasons"] == other["reasons"]
            withheld += "tools_withheld" in native["reasons"]
    assert withheld > 0


def test_the_same_data_and_seed_give_the_same_bytes(
    small_bundle: Path, data: tuple[Path, Path], trained: Path, tmp_path: Path
) -> None:
    train_tools(*data, small_bundle, tmp_path / "again")
    train_tools(*data, small_bundle, tmp_path / "other", Settings(seed=1))
    first, again, other = (Bundle.load(folder) for folder in (trained, tmp_path / "again", tmp_path / "other"))
    assert first.files == again.files and first.manifest == again.manifest
    assert first.manifest.version != other.manifest.version


def test_the_rest_of_the_base_stays(small_bundle: Path, trained: Path) -> None:
    base, after = Bundle.load(small_bundle), Bundle.load(trained)
    kept = [name for name in base.files if not name.startswith("capability/")]
    assert all(after.files[name] == base.files[name] for name in kept)
    assert after.manifest.metrics["tools"]["held_out"]["recall@5"] > 0.8
    assert b"Tools and agents, trained" in after.files["model_card.md"]


def test_training_a_trained_bundle_replaces_its_tools_in_place(data: tuple[Path, Path], trained: Path) -> None:
    before = Bundle.load(trained)
    train_tools(*data, trained, trained)
    assert Bundle.load(trained).files == before.files


# Tools that are given at load ----------------------------------------------------------------------------------------


def toml(tools: Sequence[tuple[str, str]]) -> str:
    return "".join(f'[[capabilities]]\nid = "{i}"\nkind = "tool"\ndescription = "{d}"\n' for i, d in tools)


def test_known_tools_keep_their_vectors_and_new_ones_are_projected(trained: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(toml([TOOLS[3], ("tool_9", TOOLS[9][1]), ("new_tool", "war plus minus")]))
    index = turnout.Router.load(trained, capabilities=own).parts.index
    assert index is not None
    assert (index.vectors[0] == vectors_of(trained)[3]).all()
    assert (index.vectors[1] == vectors_of(trained)[9]).all()
    assert 0.0 < np.linalg.norm(index.vectors[2]) <= 1.00001


def test_the_projection_gives_unseen_tools_their_vectors(trained: Path) -> None:
    from turnout.assemble import bundled_projection

    bundle = Bundle.load(trained)
    plain = embed(bundle, [capability_text(*TOOLS[i]) for i in UNSEEN])
    projected = bundled_projection(bundle, bundles.DIM).apply(plain)
    assert np.allclose(projected, vectors_of(trained)[list(UNSEEN)], atol=1e-5)


# What is refused -----------------------------------------------------------------------------------------------------

QUERIES = [
    [f"q{i}", query(TOPICS[2 + i % 2], np.random.default_rng(i)), "tool_2" if i % 2 else "tool_3; tool_4"]
    for i in range(40)
]


def spoiled(cell: tuple[int, int] | None = None, value: str = "") -> list[list[str]]:
    lines = [list(line) for line in QUERIES]
    if cell is not None:
        lines[cell[0]][cell[1]] = value
    return lines


WRONG: list[tuple[Any, Any, str]] = [
    (TOOLS, spoiled((3, 2), '["tool_77"]'), r"queries\.csv: row 3, column 'relevant': no tool is called 'tool_77'"),
    (TOOLS, spoiled((3, 2), '["tool_2"'), r"row 3, column 'relevant': not a JSON list"),
    (TOOLS, spoiled((5, 1), "  "), r"queries\.csv: row 5, column 'text': expected a text"),
    (TOOLS, spoiled((7, 0), "q2"), r"queries\.csv: row 7, column 'query_id': 'q2' stands in row 2 too"),
    (TOOLS, spoiled()[:10], r"at least 20 queries of the split 'train' that name a tool, got 10"),
    ([*TOOLS, TOOLS[1]], spoiled(), r"tools\.csv: row 10, column 'tool_id': 'tool_1' stands in row 1 too"),
    ([*TOOLS, ("x", "")], spoiled(), r"tools\.csv: row 10, column 'text': expected a text"),
    ([*TOOLS, ("", "x")], spoiled(), r"tools\.csv: row 10, column 'tool_id'"),
    ([], spoiled(), r"tools\.csv: it has no tools"),
    (TOOLS, [[a, b, "tool_2"] for a, b, _ in spoiled()], "at least 2 tools, got 1"),
    (TOOLS, [[a, "prove the integral", c] for a, _, c in spoiled()], "too many repeat one text"),
]


@pytest.mark.parametrize(("tools", "queries", "message"), WRONG, ids=range(len(WRONG)))
def test_wrong_files_are_refused_by_row_and_column(
    small_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], tools: Any, queries: Any, message: str
) -> None:
    first = write_csv(tmp_path / "tools.csv", ["tool_id", "text"], tools)
    second = write_csv(tmp_path / "queries.csv", ["query_id", "text", "relevant"], queries)
    with pytest.raises(turnout.InputError, match=message):
        train_tools(first, second, small_bundle, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    args = [str(first), str(second), "-o", str(tmp_path / "out"), "--bundle", str(small_bundle)]
    assert command.main(args) == 2
    assert capsys.readouterr().err.startswith("error: ")


def test_queries_that_say_nothing_of_their_tools_are_refused(small_bundle: Path, tmp_path: Path) -> None:
    tools, queries = planted(tmp_path)
    with open(queries, newline="") as file:
        header, *lines = csv.reader(file)
    shuffled = np.random.default_rng(1).permutation([line[2] for line in lines]).tolist()
    write_csv(queries, header, [[a, b, c, "train"] for (a, b, *_), c in zip(lines, shuffled, strict=True)])
    with pytest.raises(turnout.InputError, match="they say nothing about their tools"):
        train_tools(tools, queries, small_bundle, tmp_path / "out")


def test_columns_may_have_other_names(small_bundle: Path, tmp_path: Path) -> None:
    tools = write_csv(tmp_path / "t.csv", ["name", "what"], TOOLS)
    queries = write_csv(tmp_path / "q.csv", ["id", "question", "tools"], QUERIES)
    names = ["tool_id=name", "tool_text=what", "query_id=id", "text=question", "relevant=tools"]
    args = [str(tools), str(queries), "-o", str(tmp_path / "out"), "--bundle", str(small_bundle), "--columns", *names]
    assert command.main(args) == 0
    assert turnout.Router.load(tmp_path / "out").capabilities == [name for name, _ in TOOLS]
    with pytest.raises(turnout.InputError, match=r"columns\.texd: expected one of .*did you mean 'text'"):
        train_tools(tools, queries, small_bundle, tmp_path / "out", columns={"texd": "x"})


def test_tools_of_a_toml_file_keep_their_prices(small_bundle: Path, data: tuple[Path, Path], tmp_path: Path) -> None:
    own = tmp_path / "capabilities.toml"
    own.write_text(toml(TOOLS) + "usd_per_call = 0.25\n")
    train_tools(own, data[1], small_bundle, tmp_path / "bundle")
    parts = turnout.Router.load(tmp_path / "bundle").parts
    assert [c.usd_per_call for c in parts.capabilities] == [0.0] * 9 + [0.25]


def test_any_text_survives_as_a_description(tmp_path: Path) -> None:
    texts = ['"quotes" and \\ and \t and \n', "\x7f \x01 \u2028 äöü \U0001f600", "plain"]
    path = tmp_path / "tools.jsonl"
    path.write_text("\n".join(json.dumps({"tool_id": f"t{i}", "text": t}) for i, t in enumerate(texts)))
    assert read_tools(path).texts == [capability_text(f"t{i}", t) for i, t in enumerate(texts)]


def test_a_folder_that_is_no_bundle_is_not_replaced(
    small_bundle: Path, data: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "mine").write_text("precious")
    with pytest.raises(turnout.InputError, match="exists and is no bundle"):
        train_tools(*data, small_bundle, tmp_path)
    assert (tmp_path / "mine").read_text() == "precious"


def test_a_bundle_without_an_embedder_is_refused(data: tuple[Path, Path], tmp_path: Path) -> None:
    base = bundles.make(tmp_path / "base", external=("theirs", 32))
    with pytest.raises(turnout.InputError, match="an embedder of its own"):
        train_tools(*data, base, tmp_path / "out")


@pytest.mark.parametrize(
    ("option", "value"), [("--keep", "0"), ("--keep", "1.5"), ("--seed", "-1"), ("--columns", "x")]
)
def test_wrong_options_are_refused(
    data: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, value: str
) -> None:
    assert command.main([*map(str, data), "-o", str(tmp_path / "out"), option, value]) == 2
    assert f"error: {option}: expected" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("capability/config.json", b'{"slope": 0, "intercept": 1}', r"slope: expected a finite number > 0"),
        ("capability/config.json", b'{"slope": 2}', "intercept"),
        ("capability/config.json", b'{"slope": 2, "intercept": 1, "treshold": 0}', "treshold"),
        ("capability/config.json", b'{"slope": 2, "intercept": 1, "threshold": "0"}', "threshold"),
        ("capability/vectors.npy", None, "expected rows of norm at most 1, got one of 1.5"),
    ],
)
def test_damaged_files_of_the_tool_side_are_refused(
    trained: Path, tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    files = dict(Bundle.load(trained).files)
    vectors = vectors_of(trained).copy()
    vectors[2] *= 1.5 / np.linalg.norm(vectors[2])
    files[name] = bundles._npy(vectors) if content is None else content
    with pytest.raises(turnout.BundleError, match=message):
        turnout.Router.load(bundles.write(tmp_path / "bundle", files))


# Calibration ---------------------------------------------------------------------------------------------------------


def test_the_line_and_the_shift_are_recovered() -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(20_000, 3)).astype(np.float32)
    s = rng.normal(size=(20_000, 5))
    shift = np.array([1.0, -0.5, 0.0])
    p = 1 / (1 + np.exp(-(1.5 * s + (x @ shift)[:, None] - 1.0)))
    line = calibrate.fit_line(s, x, rng.random(s.shape) < p, penalty=1e-6)
    assert line.slope == pytest.approx(1.5, abs=0.05) and line.intercept == pytest.approx(-1.0, abs=0.05)
    assert line.shift == pytest.approx(shift, abs=0.05)
    a, b = calibrate.fit_offset_line(s, x @ shift, rng.random(s.shape) < p)
    assert (a, b) == pytest.approx((1.5, -1.0), abs=0.05)


def test_thresholds() -> None:
    scores = np.arange(100.0)
    kept = calibrate.choose_threshold(scores, np.ones(100, bool), 0.9)
    assert (scores >= kept).mean() == pytest.approx(0.9, abs=0.011)
    assert calibrate.choose_threshold(scores, scores >= 40, 0.9) == 40.0
    assert calibrate.choose_threshold(np.array([5.0, 6.0, 1.0, 2.0, 5.5]), np.array([1, 1, 0, 0, 0], bool), 0.9) == 5.0
