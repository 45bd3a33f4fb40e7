"""Twin of the router's cost tables: what a call slot costs on an LLM, as a line in the query's tokens."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from turnout import _native
from turnout.reference import catalog

# The `cap` statistic lets outputs and prompts run to this multiple of their p90 (outputs) and mean (prompts).
CAP_FACTOR = 1.5
P90, MEAN, CAP = 0, 1, 2


Llm = _native.Llm
Slot = _native.Slot | catalog.Slot


@dataclass(frozen=True)
class SlotCost:
    """Per statistic: usd = base + per_token * query tokens, and seconds; and the most tokens of an answer."""

    base: tuple[float, float, float]
    per_token: tuple[float, float, float]
    seconds: tuple[float, float, float]
    max_output_tokens: int

    def slowed(self, slowdown: float) -> SlotCost:
        """The same on an LLM that takes so many times as long."""
        return replace(self, seconds=_three([slowdown * s for s in self.seconds]))

    def priced(self, ratio: float) -> SlotCost:
        """The same at other prices; a cap is never lowered by what was learned."""
        ratios = [max(1.0, ratio) if statistic == CAP else ratio for statistic in range(3)]
        base, per_token = ([r * v for r, v in zip(ratios, row, strict=True)] for row in (self.base, self.per_token))
        return replace(self, base=_three(base), per_token=_three(per_token))

    def usd(self, statistic: int, tokens: float) -> float:
        return self.base[statistic] + self.per_token[statistic] * tokens


def _outputs(slot: Slot, llm: Llm, scale: float) -> tuple[float, float, float]:
    limit, times = float(llm.max_output_tokens), slot.out_mult * scale
    cap = min(math.ceil(CAP_FACTOR * llm.output_tokens_p90 * times), limit, 1e9)
    return min(llm.output_tokens_p90 * times, limit), min(llm.output_tokens_mean * times, limit), float(int(cap))


def slot_cost(slot: Slot, llm: Llm, scale: float = 1.0) -> SlotCost:
    """The costs of one slot on one LLM, for answers of `scale` times their usual length."""
    base, per_token, seconds = [], [], []
    outputs = _outputs(slot, llm, scale)
    for statistic, output in enumerate(outputs):
        price_in = llm.usd_per_mtok_in / 1e6 * (CAP_FACTOR if statistic == CAP else 1.0)
        fixed = llm.usd_per_call + llm.usd_per_mtok_out / 1e6 * output + price_in * slot.in_extra
        base.append(slot.calls * fixed)
        per_token.append(slot.calls * price_in * slot.in_mult)
        seconds.append(slot.rounds * (llm.seconds_to_first_token + output * llm.seconds_per_output_token))
    return SlotCost(_three(base), _three(per_token), _three(seconds), int(outputs[CAP]))


def _three(values: list[float]) -> tuple[float, float, float]:
    a, b, c = values
    return a, b, c


def input_tokens(slot: Slot, tokens: float) -> int:
    """Expected prompt of one call."""
    return int(min(math.ceil(slot.in_mult * tokens + slot.in_extra), 2e9))


def input_cap(slot: Slot, tokens: float) -> int:
    """The prompt that the `cap` statistic charges for one call."""
    return int(min(math.floor(CAP_FACTOR * (slot.in_mult * tokens + slot.in_extra)), 2e9))


def room(llm: Llm, prompt: float, scale: float) -> bool:
    """Whether a prompt leaves the LLM room for its usual answer."""
    return llm.context_tokens - prompt >= min(llm.output_tokens_mean * scale, float(llm.max_output_tokens))
