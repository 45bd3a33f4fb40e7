"""Points of AIQ of the baselines above the hull of the single models, out of fold on the training splits.

    python bench/baselines_quality.py DATA

DATA is a folder that holds outcomes/ and pools.json. Vectors are the default bundle's. ``turnout evaluate`` has the
same rows beside a bundle's, on the test split or out of fold.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from turnout import Router
from turnout.evaluate import measure, protocol
from turnout.evaluate.task import Task, tasks
from turnout.outcomes import folds
from turnout.train import data


def training_tasks(folder: Path) -> list[Task]:
    """Every pool of pools.json on the split "train" of its set."""
    found = []
    for name, pools in json.loads((folder / "pools.json").read_text()).items():
        outcomes = data.load(folder, (name,), exclude=frozenset()).split("train")
        known = {
            pool: llms if llms == "*" else [data.ALIASES.get(llm, llm) for llm in llms] for pool, llms in pools.items()
        }
        found += tasks(outcomes, {name: known})
    return found


def main() -> None:
    router = Router.load()
    for task in training_tasks(Path(sys.argv[1])):
        fold = folds(task.texts)
        split = [
            protocol.Fold(np.flatnonzero(fold != k), np.flatnonzero(fold == k), router, predicts=False)
            for k in np.unique(fold)
        ]
        decided = protocol.decide(task, split)
        found = measure.frontiers(decided, measure.Draws.make(len(decided.rows), 300))
        singles = found[protocol.SINGLES].aiq
        print(f"{task.name}: {len(task.texts)} queries, hull of the single models {100 * singles[0]:.2f}")
        for policy in decided.policies:
            if policy.swept:
                value, low, high = measure.interval(100 * (found[policy.name].aiq - singles))
                print(f"  {policy.name:20} {value:+.2f} [{low:+.2f}, {high:+.2f}]")


if __name__ == "__main__":
    main()
