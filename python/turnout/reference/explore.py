"""Twin of exploration: a plan is drawn from a softmax over the best one and the feasible single calls beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from turnout.assign import Solution
from turnout.reference import assign, capability, operators
from turnout.reference.learning import ReferenceLearner
from turnout.reference.request import Problem, Query, Request

if TYPE_CHECKING:
    from turnout.reference.router import ReferenceRouter

OF_ASSIGNMENT = {
    "limits_bind",
    "label_cap",
    "budget_infeasible",
    "time_infeasible",
    "no_llm_allowed",
    "prior_operators",
    "negative_utility",
    "operators_skipped",
    "single_call",
    "no_capability",
}


def candidates(
    router: ReferenceRouter,
    request: Request,
    decision: dict[str, Any],
    usable: list[bool],
    learner: ReferenceLearner,
    draw: int,
) -> dict[str, Any]:
    """The best plan and the single calls beside it, with their probabilities; and which was drawn."""
    nodes, learning = decision["plan"], learner.learning
    oper = router._alternative_operator(nodes)
    single = len(nodes) == 1 and oper is not None and nodes[0]["operator"] == router.operators[oper].id
    names, utilities = [nodes[0]["llm"] if single else None], [decision["utility"]]
    able = learning.epsilon > 0 and learning.temperature * request.value_usd > 0 and decision["feasible"]
    able = able and oper is not None and not router._masks(request, usable)[oper]
    for a in decision["alternatives"] if able else []:
        if a["feasible"] and a["p_correct"] >= learning.quality_floor and a["llm"] != names[0]:
            names.append(a["llm"])
            utilities.append(a["utility"])
    p = learner.probabilities(utilities, request.value_usd) if len(names) > 1 else [1.0]
    chosen = learner.choose(p, draw) if able else 0
    random = learning.epsilon > 0 or learning.strategy == "thompson"
    pairs = [[name, x] for name, x in zip(names, p, strict=True)]
    return {"propensity": p[chosen], "candidates": pairs, "chosen": chosen, "draw": draw if random else 0}


def only(
    router: ReferenceRouter,
    q: Query,
    request: Request,
    nodes: list[dict[str, Any]],
    found: dict[str, Any],
    quality: list[float],
    hits: list[capability.Hit],
) -> tuple[Problem, Solution, list[dict[str, Any]]]:
    """A single call of the LLM that was drawn."""
    oper = router._alternative_operator(nodes)
    assert oper is not None
    llm = found["candidates"][found["chosen"]][0]
    q.reasons -= OF_ASSIGNMENT
    q.reasons |= {"single_call", "explored"}
    problem = router._problem(q, request, [operators.Choice(oper, 0, 0.0, 0.0)], [m.id == llm for m in router.llms])
    solution = router._solve(request, problem, quality)
    router._note(q, request, solution)
    q.reasons |= set() if router.operators[oper].measured else {"prior_operators"}
    return problem, solution, router._plan(q, request, problem, solution, quality, hits)


def prior(request: Request, problem: Problem, s: Solution, priors: list[float]) -> float:
    """P(correct) of the plan by the outcome model alone."""
    if s.status == "no_candidate":
        return s.quality
    asked = assign.problem_of(
        problem.stages,
        np.array(priors),
        value_usd=request.value_usd,
        usd_per_second=request.usd_per_second,
        **problem.matrices,
    )
    return assign.evaluate(asked, s.llms, "exact").quality
