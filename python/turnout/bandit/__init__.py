"""A contextual bandit over linear models, and tests of outcomes against predictions. Twin: `turnout.reference.bandit`.

It needs no router: arms have names, contexts are float32 vectors, rewards are numbers. What an arm is (an LLM, a
topology, an effort tier, "stop") is the caller's affair.
"""

from __future__ import annotations

from turnout.bandit.cache import ExampleCache
from turnout.bandit.linear import EpsilonGreedy, LinUCB, Selection, Softmax, Thompson
from turnout.bandit.load import LoadBias
from turnout.bandit.pairs import pair_features
from turnout.bandit.screening import Candidate, ScreenedBandit, stability
from turnout.bandit.surprise import Surprise, SurpriseState

__all__ = [
    "Candidate",
    "EpsilonGreedy",
    "ExampleCache",
    "LinUCB",
    "LoadBias",
    "ScreenedBandit",
    "Selection",
    "Softmax",
    "Surprise",
    "SurpriseState",
    "Thompson",
    "pair_features",
    "stability",
]
