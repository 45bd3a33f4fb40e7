"""Points of AIQ of the baselines above the hull of the single models, out of fold on the training splits.

    python bench/baselines_quality.py DATA

DATA is a folder that holds outcomes/ and pools.json. Vectors are the default bundle's.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from turnout import Router
from turnout.evaluate import frontier
from turnout.evaluate.baselines import BASELINES, Outcomes, out_of_fold
from turnout.train import data

Floats = npt.NDArray[np.float64]


def read(
    folder: Path, name: str, pool: list[str] | str, router: Router
) -> tuple[Outcomes, Floats, npt.NDArray[np.int64]]:
    """Outcomes, costs [Q, M] and folds of the training queries that every LLM of the pool answered at a known cost."""
    found = data.load(folder, (name,), exclude=frozenset()).split("train")
    cost = np.full((found.queries, len(found.llms)), np.nan)
    cost[found.query, found.llm] = found.usd
    names = list(found.llms) if pool == "*" else [data.ALIASES.get(llm, llm) for llm in pool]
    columns = [found.llms.index(llm) for llm in names]
    score, cost = found.matrix()[:, columns], cost[:, columns]
    rows = np.flatnonzero(~np.isnan(score).any(1) & ~np.isnan(cost).any(1))
    x = np.stack([router.embed(found.texts[i]) for i in rows]).astype(np.float64)
    outcomes = Outcomes(x, score[rows], [found.domains[i] for i in rows])
    return outcomes, cost[rows], data.folds([found.texts[i] for i in rows])


def main() -> None:
    folder, router = Path(sys.argv[1]), Router.load()
    for name, pools in json.loads((folder / "pools.json").read_text()).items():
        for pool, llms in pools.items():
            outcomes, cost, fold = read(folder, name, llms, router)
            arms = frontier.single_arms(outcomes.score, cost)
            low, high = cost[:, arms.cheapest].mean(), cost[:, arms.best].mean()
            singles = frontier.aiq(frontier.Curve(cost.mean(0), outcomes.score.mean(0)), low, high)
            print(f"{name}/{pool}: {len(cost)} queries, hull of the single models {100 * singles:.2f}")
            price = np.broadcast_to(cost.mean(0), cost.shape)
            for label, predictor in BASELINES.items():
                chosen = frontier.choices(out_of_fold(predictor, outcomes, fold), price, arms.scale)
                points = frontier.aiq(frontier.curve(chosen, outcomes.score, cost), low, high) - singles
                print(f"  {label:14} {100 * points:+.2f}")


if __name__ == "__main__":
    main()
