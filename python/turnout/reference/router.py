"""Twin of the router: the whole decision in pure Python, as the dictionary that `Decision.to_dict` gives.

It reads like the picture: embed, assess, find capabilities, allocate operators, assign LLMs, plan. Networks run in
float64 here and in float32 in the engine, so numbers agree to about 1e-6, and choices wherever they are not a near-tie.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from turnout import _native
from turnout.assemble import Parts, domain_rows, lexical_tables, native_llms
from turnout.assign import Solution, Stage
from turnout.catalog import KINDS, load_operators
from turnout.constraints import Constraints
from turnout.names import REASONS
from turnout.reference import assign, capability, catalog, costs, embed, explore, operators, plan
from turnout.reference.alternatives import ranked
from turnout.reference.core import Philox
from turnout.reference.difficulty import Assessment, Domains, Model, output_scale
from turnout.reference.learning import ReferenceLearner
from turnout.reference.onnx import Network
from turnout.reference.request import Condition, Problem, Query, Request

ROUNDING = 1e-9  # relative, of utilities: one call is then what the plan comes to without its other stages
NOTHING = Solution("no_candidate", (), (), 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def _fields(source: object, cls: type) -> dict[str, Any]:
    return {f.name: getattr(source, f.name) for f in dataclasses.fields(cls)}


def _operator(op: _native.Operator) -> catalog.Operator:
    slots = [catalog.Slot(**_fields(slot, catalog.Slot)) for slot in op.slots]
    return catalog.Operator(**{**_fields(op, catalog.Operator), "slots": slots})


class ReferenceRouter:
    """Routes as the native router made of the same parts does."""

    def __init__(self, parts: Parts) -> None:
        bundle = parts.bundle
        config, difficulty = bundle.embed_config(), bundle.difficulty_config()
        network = Network(bundle.bytes("difficulty/network.onnx"))
        domains = domain_rows(bundle, difficulty.domains, int(network.metadata["skills"]))
        self._parts, self._embed = parts, config
        self._tokenizer = embed.Tokenizer(bundle.bytes("embed/vocab.txt"))
        self._rows = bundle.array("embed/rows.npy", np.int8, (None, config.dim))
        self._weights = bundle.array("embed/weights.npy", np.int16, (None,))
        self._lexical = embed.Lexical(*lexical_tables(bundle, config.lexical)) if config.lexical else None
        self.model = Model(
            network,
            int(network.metadata["latent"]),
            int(network.metadata["skills"]),
            bundle.array("difficulty/heads.npy", np.float32, (None, None)).tolist(),
            bundle.array("difficulty/centroids.npy", np.float32, (None, config.dim)).tolist(),
            difficulty.domain_threshold,
            difficulty.mean_difficulty,
            config.dim,
            Domains(*([] if domains is None else domains.tolist())),
        )
        self.llms = native_llms(parts.pool, parts.policies)
        self.operators = [
            _operator(op) for op in load_operators(bundle.bytes("operators/operators.toml"), parts.policies)
        ]
        self._config = self._operators_config()
        self.index = self._capability_index()

    def _operators_config(self) -> operators.Config:
        c = self._parts.bundle.operators_config()
        rule = operators.CEIL if c.depth_rule == "ceil" else operators.CUT_POINTS
        return operators.Config(
            c.layers,
            rule,
            c.cut_points,
            c.activation_threshold,
            c.temperature,
            c.cost_weight,
            c.reference_ability,
            c.max_stages,
            c.max_uses,
        )

    def _capability_index(self) -> capability.Index:
        entries, native = self._parts.capabilities, self._parts.index
        vectors = native.vectors.tolist() if native is not None else []
        columns = [c.kind for c in entries], [c.requires for c in entries], [c.usd_per_call for c in entries]
        return capability.Index(vectors, *columns, -math.inf if native is None else native.threshold)

    # The picture ----------------------------------------------------------------------------------------------------

    def route(
        self,
        query: str | bytes | Sequence[float],
        *,
        learner: ReferenceLearner | None = None,
        draw: int = 0,
        **options: Any,
    ) -> dict[str, Any]:
        """The decision as a dictionary, without ticket, timings and versions."""
        request = Request(**{**options, "constraints": options.get("constraints") or Constraints()})
        q = self._read(query, request)
        rng = None if request.seed is None else Philox(request.seed)
        a = self._assess(q, rng)
        hits = self._capabilities(q, request)
        learned = self._learned(q, a, learner, draw)
        quality = self._condition(q, request, learned)
        rules, usable = self._rules(q, request)
        allocation = self._allocate(q, request, usable, a.difficulty, rng)
        problem, solution = self._assign(q, request, allocation, usable, quality)
        nodes = self._plan(q, request, problem, solution, quality, hits)
        decision = self._decision(q, request, a, hits, rules, allocation, solution, nodes, quality)
        if learner is None or not learner.active:
            return decision
        found = explore.candidates(self, request, decision, usable, learner, draw)
        if found["chosen"] > 0:
            problem, solution, nodes = explore.only(self, q, request, nodes, found, quality, hits)
            drawn = self._decision(q, request, a, hits, rules, allocation, solution, nodes, quality)
            decision = {**drawn, "alternatives": decision["alternatives"]}
        return {**decision, "learning": {**found, "prior": explore.prior(request, problem, solution, q.priors)}}

    # What was learned -----------------------------------------------------------------------------------------------

    def _learned(self, q: Query, a: Assessment, learner: ReferenceLearner | None, draw: int) -> list[float]:
        """P(correct) of each LLM, corrected by outcomes."""
        ids = [llm.id for llm in self.llms]
        q.priors = self._predict(a)
        q.ratios = [1.0] * len(ids) if learner is None else learner.ratios(ids)
        if learner is None:
            return q.priors
        domains = self._parts.bundle.difficulty_config().domains
        return learner.correct(ids, learner.features(a, domains), q.priors, draw)

    def predict(
        self, query: str | bytes | Sequence[float], in_tokens: int | None = None
    ) -> tuple[list[float], list[float], list[float]]:
        """P(correct), expected USD and their 90th percentile of one direct call of every LLM."""
        q = self._read(query, Request(in_tokens=in_tokens))
        a = self._assess(q, None)
        direct = [costs.slot_cost(catalog.Slot(), m, s) for m, s in self._scaled(q)]
        usd, p90 = ([cost.usd(s, q.tokens) for cost in direct] for s in (costs.MEAN, costs.P90))
        return self._predict(a), usd, p90

    def assess(self, query: str | bytes | Sequence[float]) -> Assessment:
        """What the difficulty network says of a query."""
        return self._assess(self._read(query, Request()), None)

    def embed(self, text: str | bytes) -> list[float]:
        """float32[D] as a list."""
        return self._vector(text, *self._kept(text))

    def _kept(self, text: str | bytes) -> tuple[list[int], int]:
        ids = self._tokenizer.encode(text)
        return embed.keep_head_and_tail(ids, self._embed.head, self._embed.tail), len(ids)

    def _vector(self, text: str | bytes, kept: list[int], tokens: int) -> list[float]:
        if not kept:
            return [0.0] * (self._embed.dim + self._embed.lexical)
        rows = [self._rows[t].tolist() for t in kept]
        unit = embed.embed_ids(range(len(kept)), rows, [int(self._weights[t]) for t in kept])
        return unit if self._lexical is None else [*unit, *self._lexical.scores(text, kept, tokens)]

    def _unit(self, x: list[float]) -> list[float]:
        return x[: self._embed.dim]

    def _read(self, query: str | bytes | Sequence[float], request: Request) -> Query:
        if not isinstance(query, str | bytes):
            unknown = request.in_tokens is None
            q = Query(list(query), -1 if request.in_tokens is None else request.in_tokens, 0)
            q.reasons |= {"no_in_tokens"} if unknown else set()
            return q
        kept, tokens = self._kept(query)
        q = Query(
            self._vector(query, kept, tokens), tokens if request.in_tokens is None else request.in_tokens, len(kept)
        )
        if not kept:
            q.reasons.add("no_text")
        if len(kept) < tokens:
            q.reasons.add("truncated")
        return q

    def _assess(self, q: Query, rng: Philox | None) -> Assessment:
        a = self.model.mean() if "no_text" in q.reasons else self.model.assess(q.x)
        if rng is not None:
            q.reasons.add("sampled")
            if "no_text" not in q.reasons:
                a = self.model.sample(a, rng)
        if a.out_of_domain:
            q.reasons.add("out_of_domain")
        q.scales = [self._scale(llm, a) for llm in self.llms]
        return a

    def _scaled(self, q: Query) -> Iterable[tuple[_native.Llm, float]]:
        """Each LLM with its output scale."""
        return zip(self.llms, q.scales, strict=True)

    @staticmethod
    def _scale(llm: _native.Llm, a: Assessment) -> float:
        """How long its answers are, in multiples of its mean."""
        shift = sum(k * s for k, s in zip(llm.length_skill, a.skills, strict=False))
        return output_scale(llm.length_gain * a.log_output_scale + shift)

    def _capabilities(self, q: Query, request: Request) -> list[capability.Hit]:
        if "no_text" in q.reasons or request.tools == 0:
            return []
        c, known = request.constraints, self._parts.policies.known_bits
        kinds = capability.EVERYTHING if c.kinds is None else sum(1 << KINDS.index(k) for k in c.kinds)
        granted = capability.EVERYTHING if c.grants is None else known(c.grants, "constraints.grants")
        chosen = capability.Filter(kinds, granted, c.cost_bias)
        hits = self.index.search(self._unit(q.x), request.tools, chosen)
        if not hits and self.index.passing(chosen):
            q.reasons.add("tools_withheld")
        return hits

    def _predict(self, a: Assessment) -> list[float]:
        """P(correct) of each LLM."""
        shifts = [sum(k * s for k, s in zip(llm.skill, a.skills, strict=False)) for llm in self.llms]
        logits = [m.ability + shift - m.discrimination * a.logit for m, shift in zip(self.llms, shifts, strict=True)]
        return [a.floor + (1.0 - a.floor) * (1.0 / (1.0 + math.exp(-logit))) for logit in logits]

    def _condition(self, q: Query, request: Request, quality: list[float]) -> list[float]:
        """P(correct) lowered by each LLM's health; without telemetry nothing changes."""
        conditions = request.conditions or [Condition() for _ in self.llms]
        q.slowdowns = [c.slowdown for c in conditions]
        if any(c.rule != "none" for c in conditions):
            q.reasons.add("llm_unavailable")
        return [p * c.health for p, c in zip(quality, conditions, strict=True)]

    # Rules ----------------------------------------------------------------------------------------------------------

    def _rule(self, llm: _native.Llm, scale: float, q: Query, c: Constraints, now: str) -> str:
        if llm.id in c.deny:
            return "denied"
        if c.allow is not None and llm.id not in c.allow:
            return "not_allowed"
        if self._parts.policies.known_bits(c.needs, "constraints.needs") & ~llm.policy:
            return "policy"
        if now != "none":
            return now
        return "none" if costs.room(llm, q.tokens, scale) else "context"

    def _rules(self, q: Query, request: Request) -> tuple[list[str], list[bool]]:
        """The rule that excludes each LLM; when only context windows do, the largest is the least violation."""
        live = [c.rule for c in request.conditions] or ["none"] * len(self.llms)
        scaled = zip(self._scaled(q), live, strict=True)
        rules = [self._rule(m, s, q, request.constraints, now) for (m, s), now in scaled]
        usable = [rule == "none" for rule in rules]
        if not any(usable):
            usable = self._largest_windows(q, [rule == "context" for rule in rules])
        if not any(usable):
            q.reasons.add("no_llm_allowed")
        return rules, usable

    def _largest_windows(self, q: Query, among: list[bool]) -> list[bool]:
        """The least violation where every prompt is too long."""
        windows = [llm.context_tokens for llm, ok in zip(self.llms, among, strict=True) if ok]
        q.reasons |= {"context_exceeded"} if windows else set()
        return [ok and llm.context_tokens == max(windows) for llm, ok in zip(self.llms, among, strict=True)]

    def _masks(self, request: Request, usable: list[bool]) -> list[int]:
        policies, kinds = [m.policy for m in self.llms], sum({1 << c.kind for c in self._parts.capabilities})
        masks = [operators.mask_of(op, policies, usable, kinds) for op in self.operators]
        off = set(request.constraints.disable_operators)
        return [operators.DISABLED if op.id in off else m for op, m in zip(self.operators, masks, strict=True)]

    def _allocate(
        self, q: Query, request: Request, usable: list[bool], d: float, rng: Philox | None
    ) -> operators.Allocation:
        masks = self._masks(request, usable)
        allocation = operators.allocate(self._config, self.operators, masks, d, rng)
        q.reasons |= {"operators_masked"} if any(masks) else set()
        q.reasons |= {"stopped_early"} if allocation.stopped_early else set()
        q.reasons |= set() if allocation.choices else {"no_operator"}
        return allocation

    # Assignment -----------------------------------------------------------------------------------------------------

    def _costs(self, oper: int, slot: int, q: Query) -> list[costs.SlotCost]:
        """Of one slot, a cost an LLM."""
        spec = self.operators[oper].slots[slot]
        usual = [costs.slot_cost(spec, llm, scale) for llm, scale in self._scaled(q)]
        now = zip(usual, q.slowdowns, q.ratios, strict=True)
        return [cost.slowed(slowdown).priced(ratio) for cost, slowdown, ratio in now]

    def _problem(self, q: Query, request: Request, choices: list[operators.Choice], usable: list[bool]) -> Problem:
        slots = [(c.operator, s) for c in choices for s in range(len(self.operators[c.operator].slots))]
        cells = [self._costs(o, s, q) for o, s in slots]
        bound, mean = request.bound, costs.MEAN
        matrices = {
            "usd": [[c.usd(mean, q.tokens) for c in row] for row in cells],
            "usd_bound": [[c.usd(bound, q.tokens) for c in row] for row in cells],
            "seconds": [[c.seconds[mean] for c in row] for row in cells],
            "seconds_bound": [[c.seconds[bound] for c in row] for row in cells],
        }
        arrays: dict[str, Any] = {name: np.array(rows) for name, rows in matrices.items()}
        arrays["allowed"] = np.array([self._allowed(q, o, s, usable) for o, s in slots], bool)
        stages = [self._stage(choice.operator, first=i == 0) for i, choice in enumerate(choices)]
        return Problem(choices, stages, slots, arrays)

    def _stage(self, oper: int, first: bool) -> Stage:
        op = self.operators[oper]
        weights = tuple(slot.weight for slot in op.slots)
        return Stage(weights, op.fix, op.break_, tuple(op.curve), not first, op.parallel, op.distinct)

    def _allowed(self, q: Query, oper: int, slot: int, usable: list[bool]) -> list[bool]:
        op = self.operators[oper]
        prompt = costs.input_tokens(op.slots[slot], q.tokens)
        fits = ["context_exceeded" in q.reasons or costs.room(m, prompt, s) for m, s in self._scaled(q)]
        return [
            ok and fit and op.needs_llm & ~llm.policy == 0 for ok, fit, llm in zip(usable, fits, self.llms, strict=True)
        ]

    def _solve(self, request: Request, problem: Problem, quality: list[float]) -> Solution:
        if not problem.stages:
            return NOTHING
        return assign.solve(
            problem.stages,
            np.array(quality),
            value_usd=request.value_usd,
            usd_per_second=request.usd_per_second,
            budget=request.budget_usd,
            max_seconds=request.max_seconds,
            **problem.matrices,
        )

    def _single_call(self, request: Request, usable: list[bool], allocation: operators.Allocation) -> int | None:
        """The operator to answer with in one call, where the allocation is not that already."""
        oper = self._alternative_operator([])
        drawn = [choice.operator for choice in allocation.choices]
        if oper is None or not drawn or drawn == [oper]:
            return None
        return None if self._masks(request, usable)[oper] else oper

    @staticmethod
    def _beats(
        a: Solution, b: Solution, excess: tuple[tuple[float, float], tuple[float, float]], exploring: bool
    ) -> bool:
        """Whether one call, `a`, is the better answer: limits first, then utility."""
        if "no_candidate" in (a.status, b.status):
            return a.status != "no_candidate"
        fits_a, fits_b = (s.status != "infeasible" and over == (0, 0) for s, over in zip((a, b), excess, strict=True))
        if fits_a != fits_b:
            return fits_a
        if not fits_a:
            if excess[0] != excess[1]:
                return excess[0] < excess[1]
            return a.usd_bound <= b.usd_bound and a.seconds_bound <= b.seconds_bound
        return not exploring and a.utility - b.utility > ROUNDING * (abs(a.utility) + abs(b.utility))

    def _assign(
        self, q: Query, request: Request, allocation: operators.Allocation, usable: list[bool], quality: list[float]
    ) -> tuple[Problem, Solution]:
        problem, s = self._choose(q, request, allocation, usable, quality)
        if s.status == "no_candidate" and not q.reasons & {"no_llm_allowed", "no_operator", "context_exceeded"}:
            usable = self._largest_windows(q, usable)  # the query fits some window, but no operator's prompt does
            problem, s = self._choose(q, request, allocation, usable, quality)
        self._note(q, request, s)
        s = self._note_counts(q, request, allocation, problem, s)
        run = [c.operator for c, skipped in zip(problem.choices, s.skipped, strict=False) if not skipped]
        if s.status != "no_candidate" and not all(self.operators[oper].measured for oper in run):
            q.reasons.add("prior_operators")
        return problem, s

    def _choose(
        self, q: Query, request: Request, allocation: operators.Allocation, usable: list[bool], quality: list[float]
    ) -> tuple[Problem, Solution]:
        """What was allocated, or one call where that is better."""
        choices = self._affordable(request, allocation)
        problem = self._problem(q, request, choices, usable)
        s = self._solve(request, problem, quality)
        single = self._single_call(request, usable, allocation)
        if single is not None:
            alone = self._problem(q, request, [operators.Choice(single, 0, 0.0, 0.0)], usable)
            answer = self._solve(request, alone, quality)
            excess = self._excess(q, request, alone, answer), self._excess(q, request, problem, s)
            if self._beats(answer, s, excess, request.seed is not None):
                problem, s = alone, answer
                q.reasons.add("single_call")
        return problem, s

    def _calls(self, oper: int) -> int:
        return sum(slot.calls for slot in self.operators[oper].slots)

    def _affordable(self, request: Request, allocation: operators.Allocation) -> list[operators.Choice]:
        """The first operator, and of the others those whose calls are left."""
        left = math.inf if request.max_calls is None else request.max_calls
        choices: list[operators.Choice] = []
        for choice in allocation.choices:
            calls = self._calls(choice.operator)
            if not self.operators[choice.operator].stops and (not choices or calls <= left):
                choices.append(choice)
                left = max(0, left - calls)
        return choices

    def _excess(self, q: Query, request: Request, problem: Problem, s: Solution) -> tuple[float, float]:
        """How far a solution goes beyond the calls and tokens that are left."""
        calls, tokens = 0, 0.0
        for (oper, slot), llm in zip(problem.slots, s.llms, strict=False):
            if llm < 0:
                continue
            spec, cost = self.operators[oper].slots[slot], self._costs(oper, slot, q)[llm]
            calls += spec.calls
            tokens += float(spec.calls * (costs.input_cap(spec, q.tokens) + cost.max_output_tokens))
        most = math.inf if request.max_calls is None else request.max_calls
        return max(0, calls - most), max(0.0, tokens - (math.inf if request.max_tokens is None else request.max_tokens))

    def _note_counts(
        self, q: Query, request: Request, allocation: operators.Allocation, problem: Problem, s: Solution
    ) -> Solution:
        if s.status == "no_candidate":
            return s
        calls, tokens = self._excess(q, request, problem, s)
        working = [choice for choice in allocation.choices if not self.operators[choice.operator].stops]
        dropped = "single_call" not in q.reasons and len(problem.choices) < len(working)
        found = {
            "operators_skipped": dropped,
            "limits_bind": dropped or calls > 0 or tokens > 0,
            "calls_infeasible": calls > 0,
            "tokens_infeasible": tokens > 0,
        }
        q.reasons |= {reason for reason, holds in found.items() if holds}
        return dataclasses.replace(s, status="infeasible") if calls > 0 or tokens > 0 else s

    def _note(self, q: Query, request: Request, s: Solution) -> None:
        budget, seconds = (math.inf if x is None else x for x in (request.budget_usd, request.max_seconds))
        bad = s.status == "infeasible"
        found = {
            "limits_bind": s.status in ("exact", "label_cap", "infeasible"),
            "label_cap": s.status == "label_cap",
            "budget_infeasible": bad and s.usd_bound > budget,
            "time_infeasible": bad and s.seconds_bound > seconds,
            "no_llm_allowed": s.status == "no_candidate" and "no_operator" not in q.reasons,
            "operators_skipped": s.status != "no_candidate" and any(s.skipped),
            "negative_utility": s.status != "no_candidate" and s.utility < 0.0,
        }
        q.reasons |= {reason for reason, holds in found.items() if holds}

    # The plan -------------------------------------------------------------------------------------------------------

    def _plan(
        self,
        q: Query,
        request: Request,
        problem: Problem,
        solution: Solution,
        quality: list[float],
        hits: list[capability.Hit],
    ) -> list[dict[str, Any]]:
        nodes: list[dict[str, Any]] = []
        if solution.status == "no_candidate":
            return nodes
        before: list[int] = []
        row = 0
        for choice, stage, skipped in zip(problem.choices, problem.stages, solution.skipped, strict=True):
            rows = range(row, row + len(stage.weights))
            row = rows.stop
            if skipped:
                continue
            mine: list[int] = []
            for r in rows:
                depends = before if stage.parallel or not mine else [len(nodes) - 1]
                mine.append(len(nodes))
                nodes.append(self._node(q, problem, choice, r, solution.llms[r], depends, quality, hits))
            before = mine if stage.parallel else mine[-1:]
        wants = any(self.operators[o].slots[s].uses_tools for o, s in problem.slots)
        if wants and not hits and any(self._uses_tools(node) for node in nodes):
            q.reasons.add("no_capability")
        return nodes

    def _uses_tools(self, node: dict[str, Any]) -> bool:
        op = next(op for op in self.operators if op.id == node["operator"])
        return any(slot.uses_tools and slot.role == node["role"] for slot in op.slots)

    def _node(
        self,
        q: Query,
        problem: Problem,
        choice: operators.Choice,
        row: int,
        llm: int,
        depends: list[int],
        quality: list[float],
        hits: list[capability.Hit],
    ) -> dict[str, Any]:
        op = self.operators[choice.operator]
        slot = op.slots[problem.slots[row][1]]
        cost = self._costs(choice.operator, problem.slots[row][1], q)[llm]
        m = problem.matrices
        return {
            "operator": op.id,
            "layer": choice.layer,
            "role": slot.role,
            "llm": self.llms[llm].id,
            "tools": [self._parts.capabilities[hit.id].id for hit in hits] if slot.uses_tools else [],
            "depends_on": list(depends),
            "calls": slot.calls,
            "rounds": slot.rounds,
            "max_input_tokens": costs.input_cap(slot, q.tokens),
            "max_output_tokens": cost.max_output_tokens,
            "p_correct": quality[llm],
            "prior": q.priors[llm],
            "usd": float(m["usd"][row, llm]),
            "usd_bound": float(m["usd_bound"][row, llm]),
            "seconds": float(m["seconds"][row, llm]),
            "seconds_bound": float(m["seconds_bound"][row, llm]),
        }

    def _alternative_operator(self, nodes: list[dict[str, Any]]) -> int | None:
        """The plan's first operator when it is one call slot, else the cheapest such that generates."""
        if nodes:
            first = next(i for i, op in enumerate(self.operators) if op.id == nodes[0]["operator"])
            if len(self.operators[first].slots) == 1:
                return first
        single = [i for i, op in enumerate(self.operators) if op.generates and len(op.slots) == 1]
        return min(single, key=lambda i: (operators.relative_cost(self.operators[i]), i), default=None)

    def _alternatives(
        self, q: Query, request: Request, rules: list[str], nodes: list[dict[str, Any]], quality: list[float]
    ) -> list[dict[str, Any]]:
        oper = self._alternative_operator(nodes)
        if oper is None:
            return []
        return ranked(q, request, self.operators[oper], self.llms, self._costs(oper, 0, q), rules, quality)

    def _layers(self, allocation: operators.Allocation) -> list[list[list[Any]]]:
        layers: list[list[list[Any]]] = [[] for _ in range(allocation.layers)]
        for choice in allocation.choices:
            layers[choice.layer].append([self.operators[choice.operator].id, choice.probability])
        return [layer for layer in layers if layer]

    def _decision(
        self,
        q: Query,
        request: Request,
        a: Assessment,
        hits: list[capability.Hit],
        rules: list[str],
        allocation: operators.Allocation,
        s: Solution,
        nodes: list[dict[str, Any]],
        quality: list[float],
    ) -> dict[str, Any]:
        dag = plan.metrics([frozenset(n["depends_on"]) for n in nodes], [n["seconds"] for n in nodes])
        return {
            "seed": request.seed,
            "llm": nodes[0]["llm"] if nodes else None,
            "difficulty": a.difficulty,
            "floor": a.floor,
            "output_scale": a.output_scale,
            "domain_similarity": a.domain_similarity,
            "in_tokens": q.in_tokens,
            "kept_tokens": q.kept,
            "depth": allocation.depth,
            "layers": self._layers(allocation),
            "plan": nodes,
            "tools": [[self._parts.capabilities[hit.id].id, hit.score] for hit in hits],
            "alternatives": self._alternatives(q, request, rules, nodes, quality),
            "status": s.status,
            "feasible": bool(nodes) and s.status != "infeasible" and "context_exceeded" not in q.reasons,
            "p_correct": s.quality,
            "usd": s.usd,
            "usd_bound": s.usd_bound,
            "seconds": s.seconds,
            "seconds_bound": s.seconds_bound,
            "utility": s.utility,
            "value_usd": request.value_usd,
            "usd_per_second": request.usd_per_second,
            "budget_usd": request.budget_usd,
            "max_seconds": request.max_seconds,
            "statistic": request.statistic,
            "max_calls": request.max_calls,
            "max_tokens": request.max_tokens,
            "pressure": None,
            "telemetry": self._telemetry(request),
            "learning": None,
            "width": dag.width,
            "critical_path_seconds": dag.critical_path,
            "infeasible": {llm.id: rule for llm, rule in zip(self.llms, rules, strict=True) if rule != "none"},
            "reasons": [reason for reason in REASONS if reason in q.reasons],
        }

    def _telemetry(self, request: Request) -> dict[str, Any] | None:
        if not request.conditions:
            return None
        return {llm.id: dataclasses.asdict(c) for llm, c in zip(self.llms, request.conditions, strict=True)}

    @staticmethod
    def plan_key(decision: dict[str, Any]) -> list[tuple[str, list[str]]]:
        """Operators in order, each with its LLMs (slots that are alike have no order)."""
        groups: list[tuple[int, str, list[str]]] = []
        for node in decision["plan"]:
            if not groups or groups[-1][:2] != (node["layer"], node["operator"]):
                groups.append((node["layer"], node["operator"], []))
            groups[-1][2].append(node["llm"])
        return [(operator, sorted(llms)) for _, operator, llms in groups]
