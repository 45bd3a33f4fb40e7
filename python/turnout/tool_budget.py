"""Tools under a run's budget (BATS): an account a tool, what was used and remains, what it cost, what to do next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from turnout.budget import Account, Action, Bands, Refusal, Reservation, decide, unified_cost
from turnout.core import InputError
from turnout.schema import did_you_mean, fail


class ToolBudget(NamedTuple):
    """How often a tool may be called (None: as often as the run's budget allows), and USD of a call."""

    calls: int | None = None
    usd_per_call: float = 0.0


class ToolUse(NamedTuple):
    """Calls of a tool: used, held by reservations, and remaining (infinity without a limit)."""

    used: float
    held: float
    remaining: float


class ToolTracker:
    """Opens an account for each tool under a run's account, so that a call fits in the tool's budget and the run's.

    Parameters
    ----------
    run : Account
    tools : mapping of str to ToolBudget
        By name, which is the account's name under the run's.
    usd_per_mtok_in, usd_per_mtok_out : float
        Price of a million tokens, for `cost`.
    bands : Bands, optional
        When to go on, dig, pivot or stop.

    Raises
    ------
    InputError
        A name is no account's name or is taken, a limit or price is negative. No account is left open then.
    ConfigError
        The bands do not fall.
    """

    def __init__(
        self,
        run: Account,
        tools: Mapping[str, ToolBudget],
        *,
        usd_per_mtok_in: float = 0.0,
        usd_per_mtok_out: float = 0.0,
        bands: Bands | None = None,
    ) -> None:
        decide(1.0, bands)
        self._run, self._bands = run, bands
        self._tools = dict(tools)
        self._usd_per_mtok = (usd_per_mtok_in, usd_per_mtok_out)
        unified_cost(
            usd_per_mtok_in=usd_per_mtok_in,
            usd_per_mtok_out=usd_per_mtok_out,
            calls=[0] * len(tools),
            usd_per_call=[tool.usd_per_call for tool in self._tools.values()],
        )
        self._accounts: dict[str, Account] = {}
        try:
            for name, tool in self._tools.items():
                self._accounts[name] = run.open(name, calls=tool.calls)
        except BaseException:
            self.close()
            raise

    def account(self, tool: str) -> Account:
        """The tool's account.

        Raises
        ------
        InputError
            With the path ``tool``.
        """
        if tool not in self._accounts:
            raise fail(InputError, "tool", f"{tool!r} has no budget{did_you_mean(tool, self._accounts)}")
        return self._accounts[tool]

    def try_call(self, tool: str, *, ttl: float | None = None) -> Reservation | Refusal:
        """Reserves one call at its price, in the tool's account and in all above it."""
        return self.account(tool).try_reserve(usd=self._tools[tool].usd_per_call, calls=1, ttl=ttl)

    def used(self, tool: str) -> ToolUse:
        """Calls of a tool. What remains is the least over its account and all above it."""
        account = self.account(tool)
        return ToolUse(account.spent.calls, account.held.calls, account.remaining.calls)

    def action(self, tool: str | None = None) -> Action:
        """What to do with what remains of the run's budget, or of a tool's."""
        return decide((self._run if tool is None else self.account(tool)).pressure, self._bands)

    def cost(self, tokens_in: float, tokens_out: float) -> float:
        """USD of the run's tokens and of the calls that its tools have spent, in one number."""
        return unified_cost(
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            usd_per_mtok_in=self._usd_per_mtok[0],
            usd_per_mtok_out=self._usd_per_mtok[1],
            calls=[account.spent.calls for account in self._accounts.values()],
            usd_per_call=[tool.usd_per_call for tool in self._tools.values()],
        )

    def describe(self) -> str:
        """A line a tool, as a prompt may show it to an agent."""
        return "\n".join(f"{name}: {u.used:g} used, {u.remaining:g} left" for name, u in self._uses())

    def _uses(self) -> list[tuple[str, ToolUse]]:
        return [(name, self.used(name)) for name in self._accounts]

    def close(self) -> None:
        """Closes the tools' accounts; what they spent stays in the run's."""
        for account in self._accounts.values():
            if account.is_open:
                account.close()
