"""A whole evaluation: bundle, outcomes and pools -> the report."""

from __future__ import annotations

import importlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from turnout.bundle import Bundle
from turnout.core import ConfigError, InputError
from turnout.evaluate import bundled, frontier, protocol
from turnout.evaluate.measure import plain
from turnout.evaluate.protocol import Fold
from turnout.evaluate.report import FORMAT, task_report
from turnout.evaluate.task import Pools, Task, require_rows, tasks
from turnout.outcomes import Outcomes, folds
from turnout.schema import fail
from turnout.train.metrics import spearman

Train = Callable[[Outcomes, Path], None]
"""Trains a bundle on all the outcomes that it is given, and writes it to the folder."""
Progress = Callable[[str], None]
FOLDS = 5


def trainer() -> Train:
    """`turnout train` as a function.

    Raises
    ------
    ConfigError
        The extra for training is not installed.
    """
    try:
        train: Train = importlib.import_module("turnout.train.run").train_bundle
    except ImportError as error:
        message = f"a bundle is trained for each fold, which needs turnout[train] ({error})"
        raise fail(ConfigError, "out-of-fold", message) from None
    return train


def evaluate(
    bundle: str | Path | None,
    outcomes: Outcomes,
    *,
    pools: Pools | None = None,
    train: Train | None = None,
    draws: int = 1000,
    seed: int = 0,
    known_only: bool = False,
    progress: Progress = lambda _: None,
) -> dict[str, Any]:
    """Evaluates a bundle beside the baselines, on every pool.

    Parameters
    ----------
    bundle : path or None
        None: the one that ships.
    outcomes : Outcomes
        One set or several (`turnout.outcomes.concat`).
    pools : mapping, optional
        Set -> name -> LLMs or "*"; default: one pool a set, of all LLMs with enough scores and costs.
    train : callable, optional
        Evaluates out of fold: for each of 5 folds of all queries a bundle is trained on the others. Default: the
        bundle as it is decides the queries of the split "test".
    draws : int
        Of the bootstrap.
    known_only : bool
        Leave out the LLMs that the bundle does not know; by default they are an error.

    Returns
    -------
    dict
        Plain data: what ``turnout evaluate --json`` writes. docs/evaluate.md says what each field is.

    Raises
    ------
    InputError
        An LLM is unknown to the bundle, a pool does not fit the outcomes, or there are too few rows.
    """
    path = None if bundle is None else Path(bundle)
    found = tasks(outcomes, pools)
    left_out: list[str] = []
    if train is None and known_only:
        found, left_out = _known(path, found)
    with tempfile.TemporaryDirectory(prefix="turnout-") as folder:
        trained = None if train is None else _trained(outcomes, train, Path(folder), progress)
        reports = []
        for task in found:
            progress(f"evaluating {task.name}")
            split = [_test(task, path)] if trained is None else _out_of_fold(task, trained)
            decided = protocol.decide(task, split, seed)
            reports.append(task_report(decided, split, draws, seed) | _of_bundle(path, task, split))
    manifest = Bundle.load(path).manifest
    return {
        "format": FORMAT,
        "format_version": 1,
        "bundle": {"name": manifest.name, "version": manifest.version, "training": manifest.training},
        "mode": "test" if train is None else "out-of-fold",
        "draws": draws,
        "seed": seed,
        "unknown_llms_left_out": left_out,
        "weights": frontier.WEIGHTS.tolist(),
        "tasks": reports,
    }


def _known(path: Path | None, found: Sequence[Task]) -> tuple[list[Task], list[str]]:
    """The tasks with the LLMs that the bundle knows, and the names of the others."""
    kept, unknown = [], dict[str, None]()
    for task in found:
        known = bundled.known_llms(path, task.llms)
        unknown |= dict.fromkeys(llm for llm in task.llms if llm not in known)
        if len(known) < 2:
            raise fail(
                InputError, task.name, f"the bundle knows fewer than 2 of its LLMs: {', '.join(known) or 'none'}"
            )
        columns = [task.llms.index(llm) for llm in known]
        cost = None if task.cost is None else task.cost[:, columns]
        kept.append(replace(task, llms=tuple(known), score=task.score[:, columns], cost=cost))
    return kept, list(unknown)


def _test(task: Task, path: Path | None) -> Fold:
    return protocol.split_fold(task, bundled.router_of(path, task.llms))


def _trained(outcomes: Outcomes, train: Train, folder: Path, progress: Progress) -> list[Path]:
    """A bundle for each fold, trained on all queries of the other folds, whatever their split."""
    fold = folds(outcomes.texts, FOLDS)
    everything = replace(outcomes, splits=["train"] * outcomes.queries)
    out = []
    for k in range(FOLDS):
        progress(f"training without fold {k + 1} of {FOLDS}")
        out.append(folder / f"fold{k}")
        train(everything.keep(fold != k), out[-1])
    return out


def _out_of_fold(task: Task, trained: Sequence[Path]) -> list[Fold]:
    fold = folds(task.texts, FOLDS)
    found = []
    for k, path in enumerate(trained):
        require_rows(task, fold == k, f"fold-{k + 1}")
        router = bundled.router_of(path, task.llms)
        found.append(Fold(np.flatnonzero(fold != k), np.flatnonzero(fold == k), router))
    return found


def _of_bundle(path: Path | None, task: Task, split: Sequence[Fold]) -> dict[str, Any]:
    """What only a bundle can say: which costs it had to take from the log, and how deep its plans are."""
    depth: dict[str, int] = {}
    first: dict[str, int] = {}
    logit = np.zeros(len(task.texts))
    for fold in split:
        logit[fold.held] = fold.router.assess([task.texts[i] for i in fold.held]).logit
        batch = fold.router.route_batch([task.texts[i] for i in fold.held])
        _count(depth, [str(d) for d in batch.depth.tolist()])
        names = [*fold.router.llms, "none"]
        _count(first, [names[i] for i in batch.llm_index.tolist()])
    rows = np.concatenate([fold.held for fold in split])
    return {
        "unpriced": bundled.unpriced(path, task.llms) if len(split) == 1 else [],
        "assessed_difficulty_spearman": plain(spearman(logit[rows], 1.0 - task.set_score[rows])),
        "plans": {"depth": dict(sorted(depth.items())), "first_llm": first},
    }


def _count(into: dict[str, int], names: Sequence[str]) -> None:
    for name in names:
        into[name] = into.get(name, 0) + 1
