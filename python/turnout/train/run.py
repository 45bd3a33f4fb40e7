"""Training from start to end: outcomes -> a bundle's folder."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from turnout import __version__
from turnout.core import InputError
from turnout.outcomes import Outcomes
from turnout.pool import Pool
from turnout.schema import fail
from turnout.train import bundle, crossfit, files, pipeline
from turnout.train.base import Base
from turnout.train.checkpoints import Checkpoints
from turnout.train.vae import Settings

LEAST_QUERIES = 100  # of the training split; far fewer than will do well
STAGES = 2 * crossfit.FOLDS + 2  # that progress is counted in

Progress = Callable[[str, int, int], None]
"""What was done last, how many stages of how many are done."""


def _quiet(message: str, done: int, total: int) -> None:
    """Tells nobody."""


def train_bundle(
    outcomes: Outcomes,
    output: str | Path,
    *,
    settings: Settings | None = None,
    base: Base | Path | None = None,
    pool: str | Path | None = None,
    name: str | None = None,
    date: datetime.date | None = None,
    checkpoints: Path | None = None,
    progress: Progress = _quiet,
    excluded: Sequence[str] = (),
) -> dict[str, Any]:
    """Trains a bundle on the training split and writes its folder.

    Parameters
    ----------
    outcomes : Outcomes
        Of one set or several; only the split "train" is used. LLMs that answered two sets put these on one scale.
    output : path
        The bundle's folder, replaced as a whole.
    settings : Settings, optional
    base : Base or path, optional
        The bundle whose token table, operators, tools and agents are taken over; default: the one that ships.
    pool : path, optional
        TOML file of the bundle's own pool; default: all LLMs with recorded costs.
    name : str, optional
        Of the bundle; default: the sets' names.
    date : date, optional
        When it was made. It is part of the files, so that without one equal data give equal bytes.
    checkpoints : path, optional
        A folder that keeps finished stages; a run on the same data with the same settings goes on from them.
    progress : callable, optional
    excluded : sequence of str
        What was left out of the sets before, for the model card.

    Returns
    -------
    dict
        The manifest, with the figures out of fold.

    Raises
    ------
    InputError
        Fewer than 100 training queries, fewer than 2 LLMs with outcomes, or `output` is something that is no bundle.
    ConfigError
        The base or the pool does not hold together, or no cost is known and no pool was given.
    """
    bundle.check_replaceable(Path(output))
    inside = _training_part(outcomes)
    ground = base if isinstance(base, Base) else Base.load(base)
    if pool is not None:
        Pool.load(pool)
        ground = replace(ground, pool=Path(pool).read_bytes())
    found = settings or Settings()
    digest = pipeline.data_digest(inside)
    done = 0

    def tell(message: str, kept: bool = False, step: int = 0) -> None:
        nonlocal done
        done += step
        progress(message + (" (kept from an earlier run)" if kept else ""), done, STAGES)

    stage = Checkpoints(checkpoints, _key(digest, found, ground), lambda stage, kept: tell(stage, kept, 1))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # one thread adds up in one order: equal data and seed give equal bytes
    try:
        with threadpool_limits(1):
            trained = pipeline.train(inside, ground, found, stage, tell)
            facts = pipeline.facts(trained, digest) | {"excluded": list(excluded)}
            header = _write(trained, facts, Path(output), name or "+".join(inside.set_names), date)
    finally:
        torch.set_num_threads(threads)
    stage.clear()
    return header


def _training_part(outcomes: Outcomes) -> Outcomes:
    """The training split's queries that have outcomes, and the LLMs and sets that have some there."""
    answered = np.bincount(outcomes.query, minlength=outcomes.queries) > 0
    inside = outcomes.keep(answered & np.array([s == "train" for s in outcomes.splits], bool))
    if inside.queries < LEAST_QUERIES:
        message = f"expected at least {LEAST_QUERIES} queries with outcomes in the split 'train', got {inside.queries}"
        raise fail(InputError, "queries", message)
    llms = [inside.llms[m] for m in np.unique(inside.llm).tolist()]
    if len(llms) < 2:
        raise fail(
            InputError, "outcomes", f"expected at least 2 LLMs with outcomes in the split 'train', got {len(llms)}"
        )
    used = np.unique(inside.sets)
    names = tuple(inside.set_names[k] for k in used.tolist())
    return replace(inside.select_llms(llms), set_names=names, sets=np.searchsorted(used, inside.sets))


def _key(digest: str, settings: Settings, base: Base) -> str:
    what = repr((digest, sorted(asdict(settings).items()), base.table.name, __version__))
    return hashlib.sha256(what.encode()).hexdigest()[:16]


def _write(
    trained: pipeline.Trained, training: dict[str, Any], output: Path, name: str, date: datetime.date | None
) -> dict[str, Any]:
    figures = files.measured(trained)
    content = files.render(trained, training, figures, name, date)
    header = bundle.manifest(content, name, training, figures, date.isoformat() if date else None)
    bundle.write(output, content, header)
    return header
