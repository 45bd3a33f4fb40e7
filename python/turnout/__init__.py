"""turnout: a query goes in, a costed, explained plan comes out in tens of microseconds.

>>> import turnout
>>> router = turnout.Router.load()
>>> decision = router.route("What is the capital of Australia?")
>>> print(decision.trace)  # doctest: +SKIP
"""

from __future__ import annotations

from turnout._native import Alternative, Decision, DecisionBatch, PlanNode
from turnout._native import version as __version__
from turnout.constraints import Constraints
from turnout.core import BundleError, ConfigError, EngineError, InputError, TurnoutError
from turnout.embed import CallableEmbedder, OnnxEmbedder
from turnout.info import build_info
from turnout.learning import Learner, Learning, Outcome
from turnout.pool import Pool
from turnout.predict import Assessments, Predictions
from turnout.router import Router

__all__ = [
    "Alternative",
    "Assessments",
    "BundleError",
    "CallableEmbedder",
    "ConfigError",
    "Constraints",
    "Decision",
    "DecisionBatch",
    "EngineError",
    "InputError",
    "Learner",
    "Learning",
    "OnnxEmbedder",
    "Outcome",
    "PlanNode",
    "Pool",
    "Predictions",
    "Router",
    "TurnoutError",
    "__version__",
    "build_info",
]
