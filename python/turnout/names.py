"""The closed sets of names that a Decision speaks in: types for a checker, and tuples in the order of the core's codes.

Reasons, what a reader must know beside the plan:

========================  =================================================================================
``no_text``               empty text: routed at the mean difficulty of the training data
``truncated``             only head and tail of a long text entered the vector
``out_of_domain``         unlike the training data: difficulty and P(correct) are rough
``prior_operators``       the plan holds an operator whose numbers are priors, not measured
``operators_masked``      this pool, catalog or rules cannot run some operator
``stopped_early``         the early-stop operator ended the plan before its depth
``operators_skipped``     operators that cost more than they are worth, or that the limits exclude, were dropped
``single_call``           one call is worth more than the operators that were drawn, or is all that the limits allow
``limits_bind``           the best plan without limits does not meet them
``label_cap``             the exact search was cut; see `Decision.gap`
``budget_infeasible``     no plan fits the USD budget: the one that exceeds it least
``time_infeasible``       no plan fits max_seconds: the one that exceeds it least
``context_exceeded``      no allowed LLM has the context window: those with the largest
``no_llm_allowed``        hard rules exclude every LLM: no plan
``no_operator``           no operator that can be used begins a plan: no plan
``no_capability``         the plan wants tools and none is proposed
``sampled``               drawn with the seed, not greedy
``negative_utility``      the plan costs more than its chance of success is worth: a host may abstain
``no_in_tokens``          a vector came without its length: prompts are priced at no tokens of the query's
``tools_withheld``        tools passed the filter, and none of those found reached the bundle's threshold of relevance
``llm_unavailable``       telemetry excludes an LLM: its circuit breaker is open, or its rate limit is used up
``calls_infeasible``      no plan makes so few calls: the one that exceeds them least
``tokens_infeasible``     the plan may take more tokens than are left, and so may one call
``reservation_refused``   others took what the account had left: nothing is reserved, `Decision.feasible` is False
``explored``              a learner drew this plan instead of the best one: see `Decision.propensity`
========================  =================================================================================
"""

from __future__ import annotations

from typing import Literal, get_args

Reason = Literal[
    "no_text",
    "truncated",
    "out_of_domain",
    "prior_operators",
    "operators_masked",
    "stopped_early",
    "operators_skipped",
    "single_call",
    "limits_bind",
    "label_cap",
    "budget_infeasible",
    "time_infeasible",
    "context_exceeded",
    "no_llm_allowed",
    "no_operator",
    "no_capability",
    "sampled",
    "negative_utility",
    "no_in_tokens",
    "tools_withheld",
    "llm_unavailable",
    "calls_infeasible",
    "tokens_infeasible",
    "reservation_refused",
    "explored",
]
Kind = Literal["tool", "agent", "code", "retrieval"]
"""Kinds of capability."""

Mask = Literal["usable", "too_few_llms", "llm_policy", "capability_kind", "disabled"]
"""Why an operator cannot be used."""

Rule = Literal[
    "none",
    "not_allowed",
    "denied",
    "policy",
    "context",
    "budget",
    "time",
    "tripped",
    "rate_limited",
    "calls",
    "tokens",
    "suspended",
]
"""What excludes an LLM; ``none``: nothing."""

Stage = Literal["embed", "difficulty", "capability", "operators", "assign", "plan"]
"""Stages of a decision, in the order in which they run."""

Statistic = Literal["p90", "mean", "cap"]
"""Which statistic of a plan's cost the limits bound; ``cap`` cannot be exceeded."""

Status = Literal["unlimited_best", "exact", "label_cap", "infeasible", "no_candidate"]
"""What is proved of an assignment; see `turnout.assign.Solution`."""

REASONS: tuple[Reason, ...] = get_args(Reason)
"""Bit i of `DecisionBatch.reason_bits` is ``REASONS[i]``."""

KINDS: tuple[Kind, ...] = get_args(Kind)
MASKS: tuple[Mask, ...] = get_args(Mask)
RULES: tuple[Rule, ...] = get_args(Rule)
STAGES: tuple[Stage, ...] = get_args(Stage)
STATISTICS: tuple[Statistic, ...] = get_args(Statistic)
STATUSES: tuple[Status, ...] = get_args(Status)
