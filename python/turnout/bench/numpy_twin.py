"""The fair rival: the whole decision in vectorised NumPy, with Hugging Face's tokenizer.

It decides what the native core decides (no limits, greedy); the benchmark compares their plans. Everything that can be
computed once is computed once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from turnout import _native
from turnout.assemble import Parts, domain_rows, lexical_tables, native_llms
from turnout.catalog import KNOTS, load_operators
from turnout.reference import embed
from turnout.reference.costs import MEAN, SlotCost, slot_cost
from turnout.reference.difficulty import MAX_FLOOR, MAX_SCALE
from turnout.reference.onnx import Network
from turnout.reference.operators import DISTINCT_STEP

Floats = npt.NDArray[np.float64]
SLACK = 8


def hf_tokenizer(vocab: bytes) -> Any:
    """BERT's uncased WordPiece from Hugging Face `tokenizers`."""
    from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

    tokens = vocab.decode().rstrip("\n").split("\n")
    tokenizer = Tokenizer(models.WordPiece({t: i for i, t in enumerate(tokens)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = [t for t in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]") if t in tokens]
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in special])
    return tokenizer


@dataclass(frozen=True)
class Plan:
    """What was decided: operators in order, the LLM of each call slot, tools, and the numbers."""

    operators: list[str]
    llms: list[str]
    tools: list[str]
    difficulty: float
    quality: float
    usd: float


@dataclass(frozen=True)
class _Stage:
    """One operator's Pareto-optimal LLM choices for a query: quality g after the curve, USD, and the choices."""

    slope: Floats
    base: Floats
    usd: Floats
    choices: npt.NDArray[np.int64]


def byte_classes() -> npt.NDArray[np.intp]:
    """The class of each byte: an index into `CLASSES`, or the number of classes."""
    table = np.full(256, len(CLASSES))
    for byte in range(256):
        for i, count in enumerate(embed.counts_of(bytes([byte])).values()):
            table[byte] = i if count else table[byte]
    return table


CLASSES = tuple(embed.counts_of(b""))


class NumpyLexical:
    """The lexical block, vectorised."""

    def __init__(
        self,
        ngrams: npt.NDArray[np.int8],
        weights: npt.NDArray[np.int16],
        scale: npt.NDArray[np.float32],
        marks: npt.NDArray[np.float32],
    ) -> None:
        self._ngrams, self._weights = ngrams, weights.astype(np.int64)
        self._scale, self._marks = scale.astype(np.float64), marks.astype(np.float64)
        self._shift = np.uint64(64 - (len(weights).bit_length() - 1))
        self._class = byte_classes()

    def _buckets(self, kept: list[int]) -> npt.NDArray[np.uint64]:
        ids = np.array(kept, np.uint64) + np.uint64(1)
        x = np.concatenate([ids, ids[:-1] << np.uint64(32) | ids[1:]])
        for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
            x = (x ^ x >> np.uint64(33)) * np.uint64(factor)
        return np.unique((x ^ x >> np.uint64(33)) >> self._shift)

    def scores(self, text: str, kept: list[int], tokens: int) -> npt.NDArray[np.float32]:
        if not kept:
            return np.zeros(len(self._scale), np.float32)
        found = self._buckets(kept)
        weights = self._weights[found]
        squares = int((weights * weights).sum())
        sums = weights @ self._ngrams[found].astype(np.int64)
        data = embed.utf8(text)
        counts = np.bincount(self._class[np.frombuffer(data, np.uint8)], minlength=len(CLASSES) + 1).tolist()
        rows = embed.rows_of_counts(data, dict(zip(CLASSES, counts[:-1], strict=True)), tokens)
        scores = sums * (1.0 / np.sqrt(float(squares)) if squares else 0.0) * self._scale + self._marks[rows].sum(
            axis=0
        )
        cut: npt.NDArray[np.float32] = np.clip(scores, -embed.MAX_SCORE, embed.MAX_SCORE).astype(np.float32)
        return cut


class NumpyRouter:
    """Text -> Plan with `value_usd`, no limits, greedy."""

    def __init__(self, parts: Parts, capability_vectors: npt.NDArray[np.float32], value_usd: float = 0.01) -> None:
        bundle, config = parts.bundle, parts.bundle.embed_config()
        self._value = value_usd
        self._config, self._head, self._tail = bundle.operators_config(), config.head, config.tail
        self._tokenizer = hf_tokenizer(bundle.bytes("embed/vocab.txt"))
        self._rows = bundle.array("embed/rows.npy", np.int8, (None, config.dim))
        self._weights = bundle.array("embed/weights.npy", np.int16, (None,)).astype(np.int32)
        self._lexical = NumpyLexical(*lexical_tables(bundle, config.lexical)) if config.lexical else None
        self._dim = config.dim
        self._network(bundle.bytes("difficulty/network.onnx"))
        self._domains = domain_rows(bundle, bundle.difficulty_config().domains, self._skills)
        self._vectors, self._names = capability_vectors, parts.native.capabilities
        self._catalog(parts)

    def _network(self, data: bytes) -> None:
        network = Network(data)
        self._layers = [
            (np.array(layer.weight, np.float32).T.copy(), np.array(layer.bias, np.float32), layer.relu)
            for layer in network.layers
        ]
        self._latent, self._skills = int(network.metadata["latent"]), int(network.metadata["skills"])

    def _catalog(self, parts: Parts) -> None:
        llms = native_llms(parts.pool, parts.policies)
        self._operators = load_operators(parts.bundle.bytes("operators/operators.toml"), parts.policies)
        self._llm_names = [llm.id for llm in llms]
        self._ability = np.array([llm.ability for llm in llms])
        self._skill = np.array([llm.skill for llm in llms])
        self._discrimination = np.array([llm.discrimination for llm in llms])
        self._length_gain = np.array([llm.length_gain for llm in llms])
        self._length_skill = np.array([llm.length_skill or [0.0] * self._skills for llm in llms])
        self._own_length = bool((self._length_gain != 1.0).any() or self._length_skill.any())
        self._context = np.array([llm.context_tokens for llm in llms], float)
        self._usual = np.array([llm.output_tokens_mean for llm in llms])
        self._policy = np.array([llm.policy for llm in llms], np.uint32)
        self._curves = np.array([op.curve or [0.0] * KNOTS for op in self._operators])
        self._fix = np.array([op.fix for op in self._operators])
        self._break = np.array([op.break_ for op in self._operators])
        self._stops = np.array([op.stops for op in self._operators])
        self._generates = np.array([op.generates for op in self._operators])
        self._relative = np.array(_native.relative_costs(self._operators))
        kinds = sum({1 << c.kind for c in parts.capabilities})
        masks = _native.mask_operators(self._operators, [x.policy for x in llms], [True] * len(llms), kinds)
        self._usable = np.array([mask == 0 for mask in masks])
        costs = [[[slot_cost(slot, llm) for llm in llms] for slot in op.slots] for op in self._operators]
        self._per_token = [np.array([[c.per_token[MEAN] for c in row] for row in op]) for op in costs]
        self._outputs(costs, llms)
        single = [i for i, op in enumerate(self._operators) if op.generates and len(op.slots) == 1]
        self._single = min(single, key=lambda i: (self._relative[i], i))
        self._slot_weights = [np.array([slot.weight for slot in op.slots]) for op in self._operators]
        self._suppose()
        self._prompt = [np.array([[slot.in_mult, slot.in_extra] for slot in op.slots]) for op in self._operators]

    def _outputs(self, costs: list[list[list[SlotCost]]], llms: list[_native.Llm]) -> None:
        """Of each operator, [slots, LLMs]: tokens of an answer before the cut, their price, and all other costs."""
        self._limit = np.array([llm.max_output_tokens for llm in llms], float)
        tokens, price = (np.array([getattr(m, f) for m in llms]) for f in ("output_tokens_mean", "usd_per_mtok_out"))
        self._tokens, self._price, self._rest = [], [], []
        for op, cells in zip(self._operators, costs, strict=True):
            base = np.array([[c.base[MEAN] for c in row] for row in cells]).reshape(-1, len(llms))
            out = np.array([slot.out_mult for slot in op.slots])[:, None] * tokens
            each = np.array([float(slot.calls) for slot in op.slots])[:, None] * price / 1e6
            self._tokens.append(out)
            self._price.append(each)
            self._rest.append(base - each * np.minimum(out, self._limit))

    def _suppose(self) -> None:
        """The weights of each operator's slots, and how much less able the LLM of each is supposed to be."""
        widest = max(len(op.slots) for op in self._operators)
        self._shares, self._steps = np.zeros((2, len(self._operators), widest))
        for i, op in enumerate(self._operators):
            self._shares[i, : len(op.slots)] = self._slot_weights[i]
            self._steps[i] = op.distinct * DISTINCT_STEP * np.arange(widest)

    # The stages of the picture ---------------------------------------------------------------------------------------

    def embed(self, text: str) -> tuple[npt.NDArray[np.float32], int]:
        ids = self._tokenizer.encode(text, add_special_tokens=False).ids
        kept = ids if len(ids) <= self._head + self._tail else ids[: self._head] + ids[-self._tail :]
        sums = (
            self._weights[kept] @ self._rows[kept].astype(np.int32) if kept else np.zeros(self._rows.shape[1], np.int32)
        )
        squares = float((sums.astype(np.float64) ** 2).sum())
        unit = (sums * (1.0 / np.sqrt(squares) if squares else 0.0)).astype(np.float32)
        if self._lexical is None:
            return unit, len(ids)
        return np.concatenate([unit, self._lexical.scores(text, kept, len(ids))]), len(ids)

    def assess(self, x: npt.NDArray[np.float32]) -> tuple[float, Floats, float, float]:
        """The difficulty logit, the skills, the guess floor and the logarithm of the output scale."""
        for weight, bias, relu in self._layers:
            x = x @ weight + bias
            if relu:
                x = np.maximum(x, 0.0)
        z = 2 * self._latent
        logit, skills = float(x[z]), x[z + 1 : z + 1 + self._skills].astype(np.float64)
        floor, log_scale = x[z + 1 + self._skills :].tolist() or (0.0, 0.0)
        if self._domains is not None:
            e = np.exp(skills[-self._domains.shape[1] :] - skills[-self._domains.shape[1] :].max())
            skills[-len(e) :] = e / e.sum()
            offset, more = self._domains @ skills[-len(e) :]
            logit, floor = logit + offset, floor + more
        return logit, skills, min(max(floor, 0.0), MAX_FLOOR), log_scale

    def _scale(self, log_scale: float, skills: Floats) -> Floats:
        """Of each LLM, how long its answers are; one number where all are alike."""
        u = self._length_gain * log_scale + self._length_skill @ skills if self._own_length else np.array(log_scale)
        scale: Floats = np.exp(u.clip(-9.0, 9.0)).astype(np.float32).clip(1.0 / MAX_SCALE, MAX_SCALE).astype(np.float64)
        return scale

    def capabilities(self, x: npt.NDArray[np.float32], k: int = 4) -> list[str]:
        scores = self._vectors @ x[: self._dim]
        top = np.argpartition(-scores, k + SLACK)[: k + SLACK] if len(scores) > k + SLACK else np.arange(len(scores))
        order = np.lexsort((top, -scores[top]))[:k]
        return [self._names[i] for i in top[order]]

    def _curve(self, curve: Floats, c: Floats | float) -> Any:
        x = np.clip(c, 0.0, 1.0) * (KNOTS - 1)
        k = np.minimum(x.astype(np.int64) if isinstance(x, np.ndarray) else int(x), KNOTS - 2)
        low, high = curve[..., k], curve[..., k + 1]
        return low + (x - k) * (high - low)

    def _gains(self, d: float) -> Floats:
        """curve(c) of every operator, at the competence that scores suppose."""
        logits = self._config.reference_ability - self._steps - np.log(d / (1.0 - d))
        x = (self._shares / (1.0 + np.exp(-logits))).sum(axis=1) * (KNOTS - 1)
        rows, k = np.arange(len(x)), np.minimum(x.astype(np.int64), KNOTS - 2)
        low, high = self._curves[rows, k], self._curves[rows, k + 1]
        gains: Floats = low + (x - k) * (high - low)
        return gains

    def allocate(self, d: float) -> list[int]:
        """Operators in order, all layers."""
        config, p, nodes = self._config, 0.0, 0
        chosen: list[int] = []
        g = self._gains(d)
        depth = 1 + int(np.searchsorted(config.cut_points, d, side="right"))
        for _ in range(depth):
            after = p * (1 - self._break * (1 - g)) + (1 - p) * self._fix * g
            scores = np.where(self._stops, 0.0, after - p - config.cost_weight * self._relative)
            usable = self._usable & (np.bincount(np.array(chosen, int), minlength=len(self._usable)) < config.max_uses)
            weights = np.where(usable, np.exp((scores - scores[usable].max()) / config.temperature), 0.0)
            probabilities = weights / weights.sum()
            reached, layer = 0.0, 0
            for i in np.argsort(-np.where(usable, scores, -np.inf), kind="stable").tolist():
                if not usable[i] or reached >= config.activation_threshold or len(chosen) >= config.max_stages:
                    break
                if not chosen and not self._generates[i]:
                    continue
                if nodes + len(self._operators[i].slots) > 32:
                    continue
                if self._stops[i]:
                    return chosen
                chosen.append(i)
                layer += 1
                nodes += len(self._operators[i].slots)
                reached += probabilities[i]
                p = p * (1 - self._break[i] * (1 - g[i])) + (1 - p) * self._fix[i] * g[i]
            if layer == 0:
                break
        return chosen

    def _stage(self, i: int, quality: Floats, tokens: int, scale: Floats) -> _Stage:
        op = self._operators[i]
        answers = np.minimum(self._tokens[i] * scale, self._limit)
        usd = self._rest[i] + self._price[i] * answers + self._per_token[i] * tokens
        prompt = np.ceil(self._prompt[i] @ np.array([tokens, 1.0]))
        allowed = (self._context - prompt[:, None] >= np.minimum(self._usual * scale, self._limit)) & (
            (op.needs_llm & ~self._policy) == 0
        )
        competence, cost = np.zeros(1), np.zeros(1)
        choices = np.zeros((1, 0), np.int64)
        for s, weight in enumerate(self._slot_weights[i]):
            same = s > 0 and weight == self._slot_weights[i][s - 1] and bool((usd[s] == usd[s - 1]).all())
            last = s + 1 == len(op.slots)
            competence, cost, choices = self._extend(
                competence, cost, choices, weight * quality, usd[s], allowed[s], op.distinct, same, last
            )
        g = self._curve(self._curves[i], competence)
        base = op.fix * g
        return _Stage(1 - op.break_ * (1 - g) - base, base, cost, choices)

    @staticmethod
    def _extend(
        competence: Floats,
        cost: Floats,
        choices: npt.NDArray[np.int64],
        gain: Floats,
        usd: Floats,
        allowed: npt.NDArray[np.bool_],
        distinct: bool,
        same: bool,
        last: bool,
    ) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
        llms = np.flatnonzero(allowed)
        left, right = np.repeat(np.arange(len(cost)), len(llms)), np.tile(llms, len(cost))
        if distinct:
            fresh = (choices[left] != right[:, None]).all(1)
            left, right = left[fresh], right[fresh]
        if same:  # slots that are alike: one order of their LLMs is enough
            ascending = choices[left, -1] <= right
            left, right = left[ascending], right[ascending]
        c, u = competence[left] + gain[right], cost[left] + usd[right]
        keep = _pareto(c, u) if last else np.arange(len(c))
        return c[keep], u[keep], np.column_stack([choices[left[keep]], right[keep]])

    def assign(
        self, chosen: list[int], quality: Floats, tokens: int, scale: Floats
    ) -> tuple[list[int], list[int], float, float]:
        """(operators kept, LLM of each slot, P(correct), USD): every Pareto-optimal plan, forward."""
        p, cost, back = np.zeros(1), np.zeros(1), []
        for t, i in enumerate(chosen):
            stage = self._stage(i, quality, tokens, scale)
            if t > 0:  # or skipped
                stage = _Stage(
                    np.append(stage.slope, 1.0),
                    np.append(stage.base, 0.0),
                    np.append(stage.usd, 0.0),
                    np.vstack([stage.choices, np.full(stage.choices.shape[1], -1)]),
                )
            reached = (p[:, None] * stage.slope + stage.base).ravel()
            paid = (cost[:, None] + stage.usd).ravel()
            keep = _pareto(reached, paid)
            p, cost = reached[keep], paid[keep]
            back.append((stage, *np.divmod(keep, len(stage.usd))))
        best = int(np.argmax(self._value * p - cost))
        operators: list[int] = []
        llms: list[int] = []
        at = best
        for i, (stage, before, option) in zip(reversed(chosen), reversed(back), strict=True):
            picked = stage.choices[option[at]].tolist()
            if picked[0] >= 0:
                operators.append(i)
                llms[:0] = picked
            at = int(before[at])
        return operators[::-1], llms, float(p[best]), float(cost[best])

    def route(self, text: str) -> Plan:
        """The whole decision."""
        x, tokens = self.embed(text)
        logit, skills, floor, log_scale = self.assess(x)
        tools = self.capabilities(x)
        d = 1.0 / (1.0 + np.exp(-logit))
        able = self._ability + self._skill @ skills - self._discrimination * logit
        quality = floor + (1.0 - floor) / (1.0 + np.exp(-able))
        scale = self._scale(log_scale, skills)
        operators, llms, p, usd = self.assign(self.allocate(d), quality, tokens, scale)
        one = self.assign([self._single], quality, tokens, scale)
        if self._value * one[2] - one[3] > self._value * p - usd:
            operators, llms, p, usd = one
        return Plan([self._operators[i].id for i in operators], [self._llm_names[m] for m in llms], tools, d, p, usd)


def _pareto(value: Floats, cost: Floats) -> npt.NDArray[np.int64]:
    """Indices that no other beats: ascending cost, strictly ascending value."""
    order = np.lexsort((-value, cost))
    best = np.maximum.accumulate(value[order])
    first = np.ones(len(order), bool)
    first[1:] = value[order][1:] > best[:-1]
    return order[first]
