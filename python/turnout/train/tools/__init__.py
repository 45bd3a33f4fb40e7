"""Training of the tool side: from queries with the tools that fit them to a bundle that finds tools.

`train_tools` takes a base bundle, replaces its `capability` folder by one that is trained for the user's tools, and
writes a new bundle. Embedder and networks stay as they are. Needs the extra ``turnout[train]``, but not torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from turnout.assemble import bundled_embedder
from turnout.bundle import Bundle
from turnout.capability import build_index
from turnout.core import InputError
from turnout.outcomes import folds
from turnout.schema import fail
from turnout.train.bundle import check_replaceable, manifest, npy, to_json, write
from turnout.train.tools.data import Queries, Tools, read_queries, read_tools
from turnout.train.tools.selector import Data, Progress, Selector, Settings, quality, rounded, train

__all__ = ["Settings", "embed", "fit_selector", "train_tools"]

HEADING = "\n## Tools and agents, trained\n"


def _silent(message: str) -> None:
    del message


def embed(bundle: Bundle, texts: list[str]) -> npt.NDArray[np.float32]:
    """The vectors of texts in the bundle's space, float32[N, D].

    Raises
    ------
    InputError
        The bundle has no embedder of its own.
    """
    config = bundle.embed_config()
    embedder = bundled_embedder(bundle, config)
    if embedder is None:
        where = bundle.where("embed/config.json")
        raise fail(InputError, f"{where}.kind", "'external': training needs a bundle with an embedder of its own")
    return np.ascontiguousarray(embedder.embed_batch(texts)[:, : config.dim], np.float32)


def fit_selector(
    bundle: Bundle, tools: Tools, queries: Queries, settings: Settings | None = None, progress: Progress = _silent
) -> Selector:
    """Trains the tool side on the rows of the split ``train``; see `train_tools`."""
    settings = settings or Settings()
    rows = queries.keep(queries.train)
    if rows.relevant.any(0).sum() < 2:
        raise fail(InputError, "queries", "expected training queries of at least 2 tools, got 1")
    fold = folds(rows.texts, settings.folds)
    if len(set(fold[rows.relevant.any(1)].tolist())) < settings.folds:
        what = f"expected different training queries in each of {settings.folds} folds: too many repeat one text"
        raise fail(InputError, "queries", what)
    with threadpool_limits(1):  # one thread adds up in one order: equal data give equal bytes
        x, t = embed(bundle, rows.texts), embed(bundle, tools.texts)
        return train(Data(x, t, rows.relevant, fold), settings, progress)


def _figures(bundle: Bundle, queries: Queries, selector: Selector) -> dict[str, Any]:
    """What the manifest says of how good it is: out of fold, on unseen tools, and on rows that were held out."""
    figures = {key: selector.facts[key] for key in ("out_of_fold", "unseen_tools")}
    held_out = queries.keep(~queries.train & queries.relevant.any(1))
    if held_out.texts:
        x = embed(bundle, held_out.texts)
        figures["held_out"] = rounded(quality((x @ selector.vectors.T).astype(float), held_out.relevant))
    return figures


def _training(queries: Queries, selector: Selector, settings: Settings) -> dict[str, Any]:
    rows = queries.keep(queries.train)
    return {
        "tools": rows.relevant.shape[1],
        "tools_with_queries": int(rows.relevant.any(0).sum()),
        "queries": len(rows.texts),
        "queries_without_tool": int((~rows.relevant.any(1)).sum()),
        "seed": settings.seed,
        "damping": selector.facts["damping"],
        "penalty": selector.facts["penalty"],
        "projection_penalty": selector.facts["projection_penalty"],
    }


def _card(base: str, training: dict[str, Any], figures: dict[str, Any], threshold: float | None) -> str:
    """The base's model card with a section on the tools."""
    names = {"out_of_fold": "queries out of fold", "unseen_tools": "tools left out, among each other"}
    rows = "\n".join(
        f"| {names.get(key, 'queries held out')} | {row['hit@1']:.3f} | {row['recall@5']:.3f} | {row['mrr']:.3f} |"
        for key, row in figures.items()
    )
    cut = "none: the best are always proposed" if threshold is None else f"{threshold:.4f}"
    return f"""{base.partition(HEADING)[0]}{HEADING}
{training["tools"]} tools and agents, {training["tools_with_queries"]} of them with queries;
{training["queries"]} training queries, {training["queries_without_tool"]} of them without a tool that fits. Trained by
`python -m turnout.train.tools` (docs/tools.md). What the sections above say of tools is of the base bundle.

| measured on | hit@1 | recall@5 | MRR |
|---|---|---|---|
{rows}

ECE of P(relevant) out of fold: {figures["out_of_fold"]["ece"]:.3f}. Threshold of abstention: {cut}.
"""


def _files(selector: Selector, toml: bytes) -> dict[str, bytes]:
    config = {"slope": selector.slope, "intercept": selector.intercept}
    if selector.threshold is not None:
        config["threshold"] = selector.threshold
    projection = selector.projection
    return {
        "capability/capabilities.toml": toml,
        "capability/vectors.npy": npy(selector.vectors),
        "capability/index.faiss": build_index(selector.vectors),
        "capability/projection.npy": npy(np.stack([projection.whitening, projection.matrix])),
        "capability/shift.npy": npy(projection.shift),
        "capability/config.json": to_json(config),
    }


def train_tools(
    tools: str | Path,
    queries: str | Path,
    base: str | Path | None,
    output: str | Path,
    settings: Settings | None = None,
    progress: Progress = _silent,
    columns: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Writes a bundle whose tools and agents are `tools`, found as `queries` say.

    Parameters
    ----------
    tools : path
        ``capabilities.toml``, or a table (.csv, .jsonl, both may be .gz, or .parquet) of ``tool_id, text``.
    queries : path
        A table of ``query_id, text, relevant`` and where known ``split``. `relevant` names the tools that fit, as a
        JSON list or with ``;`` between them; none where no tool fits. Rows of another split than ``train`` are only
        measured.
    base : path, optional
        The bundle whose embedder and networks are used; default: the one that ships.
    output : path
        The new bundle's folder. A bundle that is there is replaced as a whole.
    settings : Settings, optional
    progress : callable, optional
        Is told what is going on.
    columns : mapping, optional
        What a column is called in the files: keys ``tool_id, tool_text, query_id, text, relevant, split``.

    Returns
    -------
    dict
        The figures of the manifest: ``out_of_fold``, ``unseen_tools`` and, with other splits, ``held_out``.

    Raises
    ------
    InputError, ConfigError
        A file, row or column at fault, by name. Nothing is written.
    BundleError
        The base is damaged.
    """
    settings, output = settings or Settings(), Path(output)
    check_replaceable(output)
    known = read_tools(tools, columns)
    asked = read_queries(queries, known.ids, columns)
    bundle = Bundle.load(base)
    selector = fit_selector(bundle, known, asked, settings, progress)
    training, figures = _training(asked, selector, settings), _figures(bundle, asked, selector)
    files = {name: data for name, data in bundle.files.items() if not name.startswith("capability/")}
    files |= _files(selector, known.toml)
    card = files.get("model_card.md", b"").decode("utf-8", "replace")
    files["model_card.md"] = _card(card, training, figures, selector.threshold).encode()
    whole = bundle.manifest
    header = manifest(files, whole.name, whole.training | {"tools": training}, whole.metrics | {"tools": figures})
    write(output, files, header)
    return figures
