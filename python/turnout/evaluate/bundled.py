"""A bundle as a policy: what its router predicts for the LLMs of a pool."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from turnout.assemble import read_pool
from turnout.bundle import Ability, Bundle
from turnout.core import InputError
from turnout.pool import LlmEntry, Pool
from turnout.router import Router
from turnout.schema import fail

Floats = npt.NDArray[np.float64]
CONTEXT_TOKENS = 1 << 20  # of an LLM that the bundle's pool has no entry for: no limit that a query would meet


class Expected(NamedTuple):
    """What a router expects of each query and LLM: P(correct) and USD, float64 [N, M] each."""

    correct: Floats
    usd: Floats


def known_llms(path: Path | None, llms: Sequence[str]) -> list[str]:
    """Those that the bundle has an ability for, in its table or in its pool."""
    bundle = Bundle.load(path)
    entries = {entry.id for entry in read_pool(None, bundle).llms}
    known = entries | {ability.id for ability in bundle.abilities().llms}
    return [llm for llm in llms if llm in known]


def require_known(path: Path | None, llms: Sequence[str]) -> None:
    """Raises an InputError that names the LLMs that the bundle does not know, and says what can be done."""
    known = known_llms(path, llms)
    unknown = [llm for llm in llms if llm not in known]
    if unknown:
        raise fail(
            InputError,
            str(path or "default"),
            f"the bundle does not know {', '.join(unknown)}: train one on these outcomes (turnout train), add them "
            "(turnout pool add), name them as the bundle does (--alias THEIRS=OURS), or evaluate the others "
            "(--known-only)",
        )


def unpriced(path: Path | None, llms: Sequence[str]) -> list[str]:
    """Those that neither the bundle's pool nor its table has a price of: their prices can only be the log's."""
    bundle = Bundle.load(path)
    priced = {entry.id for entry in read_pool(None, bundle).llms}
    priced |= {ability.id for ability in bundle.abilities().llms if ability.usd_per_mtok_in is not None}
    return [llm for llm in llms if llm not in priced]


def router_of(path: Path | None, llms: Sequence[str]) -> Router:
    """A router over these LLMs in this order, with the bundle's own entries where it has them."""
    return Router.load(path, pool=Pool(entries_of(path, llms)))


def entries_of(path: Path | None, llms: Sequence[str]) -> list[LlmEntry]:
    """The pool's tables of these LLMs in this order."""
    require_known(path, llms)
    bundle = Bundle.load(path)
    entries = {entry.id: entry for entry in read_pool(None, bundle).llms}
    trained = {ability.id: ability for ability in bundle.abilities().llms}
    return [entries.get(llm) or _entry(trained[llm]) for llm in llms]


def _entry(llm: Ability) -> LlmEntry:
    """At the price that training read from its outcomes; without one a unit, which `at_log_prices` makes the log's."""
    unknown = llm.usd_per_mtok_in is None or llm.usd_per_mtok_out is None
    return LlmEntry(
        id=llm.id,
        ability=llm.id,
        usd_per_mtok_in=1.0 if unknown else llm.usd_per_mtok_in or 0.0,
        usd_per_mtok_out=1.0 if unknown else llm.usd_per_mtok_out or 0.0,
        usd_per_call=llm.usd_per_call or 0.0,
        context_tokens=CONTEXT_TOKENS,
        max_output_tokens=CONTEXT_TOKENS // 2,
    )


def expected(router: Router, texts: Sequence[str]) -> Expected:
    """Of every text."""
    found = router.predict(texts)
    return Expected(found.correct.astype(np.float64), found.usd.astype(np.float64))


def at_log_prices(usd: Floats, train: npt.NDArray[np.int64], mean_cost: Floats) -> Floats:
    """Expected USD [Q, M], each LLM's brought to the price level of the log: its mean over the training rows becomes
    the mean that was recorded there. Where all predictions are 0 that mean is expected of every query.
    """
    level = usd[train].mean(0)
    scaled = usd * (mean_cost / np.where(level > 0.0, level, 1.0))
    return np.where(level > 0.0, scaled, mean_cost)
