"""The router: a query goes in, a costed, explained plan comes out."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from turnout import _native
from turnout.arguments import wrong_number, wrong_option, wrong_threads
from turnout.assemble import Parts, assemble, read_pool
from turnout.bundle import Bundle
from turnout.compile import compile_constraints
from turnout.constraints import Constraints
from turnout.core import ConfigError, InputError
from turnout.embed import CallableEmbedder
from turnout.learning import Learner, Learning, Outcome, Receipt, check_learner
from turnout.live import Condition, Watched, live_of, watching
from turnout.messages import is_messages, read_messages
from turnout.names import STATISTICS, Statistic
from turnout.pool import Pool
from turnout.predict import Assessments, Predictions, check_queries, read_texts, read_tokens
from turnout.schema import fail

if TYPE_CHECKING:
    from turnout.belief import AnswerModel, NextStep, Observation
    from turnout.state import StateStore

Vector = npt.NDArray[np.float32]
Query = str | bytes | Vector | Sequence[Mapping[str, Any]]
Now = Watched | Mapping[str, Condition]

DEFAULT_VALUE_USD = 0.01
DEFAULT_TOOLS = 4
DEFAULT_TTL = 60.0
_MAX_VALUE_USD = 1e6
# Longer texts are embedded off the event loop: about 2 ms at this length.
_INLINE_BYTES = 1 << 16
_MAX_COMPILED = 1024


class Router:
    """Routes queries over one bundle and one pool. Immutable and thread-safe; the GIL is released while it decides.

    Make one with `Router.load`.
    """

    def __init__(self, parts: Parts, value_usd: float = DEFAULT_VALUE_USD, learner: Learner | None = None) -> None:
        self._parts = parts
        self._native = parts.native
        self._learner = learner
        self._attached = None if learner is None else parts.native.attach(learner.native)
        self._value_usd = value_usd
        self._callable = parts.embedder if isinstance(parts.embedder, CallableEmbedder) else None
        self._compiled: dict[Constraints, _native.Constraints] = {}
        self._watched: WeakKeyDictionary[Watched, _native.Live] = WeakKeyDictionary()

    @staticmethod
    def load(
        path: str | Path | None = None,
        *,
        pool: Pool | dict[str, Any] | str | Path | None = None,
        capabilities: str | Path | None = None,
        embedder: _native.Embedder | CallableEmbedder | None = None,
        value_usd: float | None = None,
        learning: Learning | bool | None = None,
        state: str | Path | StateStore | None = None,
        learner: Learner | None = None,
    ) -> Router:
        """Loads a bundle and a pool.

        Parameters
        ----------
        path : path, optional
            The bundle's folder; default: the one that ships with the package.
        pool : Pool, dict or path of a TOML file, optional
            The LLMs to choose from; default: the bundle's own pool of 16.
        capabilities : path of a TOML file, optional
            Your tools and agents; default: the bundle's.
        embedder : optional
            Another embedder in the bundle's space: an `OnnxEmbedder` or a `CallableEmbedder`.
        value_usd : float, optional
            What a correct answer is worth where a call does not say; default: the pool's, in ``[routing]``, else 0.01.
        learning : Learning or bool, optional
            Learn from `feedback`; True: as `Learning()` says. Default: what was loaded stays as it is.
        state : path or StateStore, optional
            Where what is learned is kept; implies `learning`. Default: in memory, gone with the process.
        learner : Learner, optional
            One that is open already, instead of the two: of a router that this one replaces, or that has another pool.

        Raises
        ------
        BundleError
            A file of the bundle is missing, truncated or corrupt.
        ConfigError
            The pool or the capabilities do not hold together; names the field, as in ``pool.llms[2].ability``.
        EngineError
            ONNX Runtime or FAISS could not be loaded.
        InputError, TypeError
            `value_usd` is no number from 0 to 1e6.
        """
        if value_usd is not None:
            _check_value(value_usd)
        bundle = Bundle.load(path)
        read = read_pool(pool, bundle)
        parts = assemble(bundle, read, embedder, capabilities)
        if value_usd is None:
            value_usd = read.routing.value_usd if read.routing is not None else None
        value_usd = DEFAULT_VALUE_USD if value_usd is None else value_usd
        if learner is not None:
            check_learner(learner, bundle, learning, state)
        elif learning or state is not None:
            return _learning_router(parts, value_usd, learning, state)
        return Router(parts, value_usd, learner)

    def route(
        self,
        query: Query,
        *,
        value_usd: float | None = None,
        budget_usd: float | None = None,
        max_seconds: float | None = None,
        constraints: Constraints | None = None,
        seed: int | None = None,
        in_tokens: int | None = None,
        statistic: Statistic = "p90",
        tools: int = DEFAULT_TOOLS,
        usd_per_second: float = 0.0,
        max_calls: int | None = None,
        max_tokens: float | None = None,
        telemetry: Now | None = None,
        account: _native.Account | None = None,
        ttl: float = DEFAULT_TTL,
    ) -> _native.Decision:
        """Decides how one query is to be answered.

        Parameters
        ----------
        query : str, bytes, float32[D], or chat messages
            At most 1 MiB of text. Of chat messages the last user message decides, and all of them are paid for. A
            vector is exactly what `embed` returns.
        value_usd : float, optional
            What a correct answer is worth, USD.
        budget_usd, max_seconds : float, optional
            Hard limits of the whole plan: of its USD and of its seconds.
        constraints : Constraints, optional
            Hard rules.
        seed : int, optional
            Draws the latent and the operators with this seed, for exploration; default: greedy.
        in_tokens : int, optional
            The query's length in LLM tokens; default: counted from the text. Needed with a vector and
            a budget, `max_tokens` or an account.
        statistic : {"p90", "mean", "cap"}
            Which statistic of the plan's cost (and seconds) the limits bound. With ``cap`` each call carries
            `max_output_tokens`, and overspending is impossible.
        tools : int
            How many tools and agents to propose, 0 to 8.
        usd_per_second : float
            What a second costs, USD.
        max_calls, max_tokens : int and float, optional
            Hard limits of the whole plan: of its LLM calls, and of the tokens that prompts and answers may take (what
            the ``cap`` statistic charges). The search knows neither: operators whose calls do not fit are left out, and
            a single call is tried instead.
        telemetry : Telemetry or mapping of LLM id to Condition, optional
            What is known of the LLMs right now: see `turnout.live.Condition`. An LLM whose breaker is open is left out.
        account : Account, optional
            Of a `turnout.budget.Ledger`. What is left of it limits the plan, its pressure multiplies `value_usd`, and
            what the plan may take is reserved: `Decision.reservation`, to be committed or released.
        ttl : float
            Seconds after which a reservation that is neither is given back.

        Returns
        -------
        Decision
            Never raises for a routing reason: it falls back, and says so in `reasons`.

        Raises
        ------
        InputError, TypeError
            A wrong call: wrong type, shape or dimension, NaN, an unknown name, a negative number, more than 1 MiB.
        """
        if self._callable is not None or not isinstance(query, str | bytes | np.ndarray):
            query, in_tokens, constraints = self._prepare(query, in_tokens, constraints)
        options = (
            self._value_usd if value_usd is None else value_usd,
            budget_usd,
            max_seconds,
            in_tokens,
            0 if statistic == "p90" else _statistic(statistic),
            None if constraints is None else self._compile(constraints),
            seed,
            tools,
            usd_per_second,
            max_calls,
            max_tokens,
            None if telemetry is None else self._live(telemetry),
            account,
            ttl,
            self._attached,
        )
        try:
            return self._native.route(query, options)  # type: ignore[arg-type]  # what is left after _prepare
        except (TypeError, OverflowError) as error:
            raise wrong_option(options) or error from None

    def route_batch(
        self,
        queries: Sequence[str | bytes] | Vector,
        *,
        value_usd: float | None = None,
        budget_usd: float | None = None,
        max_seconds: float | None = None,
        constraints: Constraints | None = None,
        seed: int | None = None,
        in_tokens: int | None = None,
        statistic: Statistic = "p90",
        tools: int = DEFAULT_TOOLS,
        usd_per_second: float = 0.0,
        max_calls: int | None = None,
        max_tokens: float | None = None,
        telemetry: Now | None = None,
        threads: int | None = None,
    ) -> _native.DecisionBatch:
        """Decides many queries under the same options; each Decision equals that of `route` alone.

        Parameters
        ----------
        queries : sequence of str or bytes, or float32[N, D]
        threads : int, optional
            Default: one for every 256 queries, at most one a CPU.

        Returns
        -------
        DecisionBatch
            Columns (`difficulty`, `llm_index`, `usd`, ...) and the Arrow PyCapsule protocol, so that
            ``pyarrow.table(batch)`` and ``polars.DataFrame(batch)`` work; ``batch[i]`` is a Decision.

        Raises
        ------
        InputError, TypeError
            As `route`; names the row.
        """
        check_queries(queries, self._callable is not None)
        run: Any = self._native.route_vectors if isinstance(queries, np.ndarray) else self._native.route_texts
        options = (
            self._value_usd if value_usd is None else value_usd,
            budget_usd,
            max_seconds,
            in_tokens,
            _statistic(statistic),
            None if constraints is None else self._compile(constraints),
            seed,
            tools,
            usd_per_second,
            max_calls,
            max_tokens,
            None if telemetry is None else self._live(telemetry),
            None,
            DEFAULT_TTL,
            self._attached,
        )
        wrong = wrong_option(options)
        if wrong is not None:
            raise wrong
        threads = self._threads(len(queries), threads)
        if self._learner is not None and self._learner.learning.in_order:
            threads = 1
        batch: _native.DecisionBatch = run(queries, options, threads)
        return batch

    def feedback(
        self, ticket: _native.Decision | int, outcome: Outcome | float | bool, *, node: int | None = None
    ) -> Receipt:
        """Takes in what came of a decision, at any time, in any order, from any thread.

        Parameters
        ----------
        ticket : Decision or int
            The decision, or its `ticket`.
        outcome : Outcome, float or bool
            Its score in [0, 1], or all that is known: USD, tokens, seconds, why there is no answer.
        node : int, optional
            Of the plan; default: the whole plan.

        Returns
        -------
        {"accepted", "duplicate", "expired", "unknown"}
            Each ticket and node counts once; one that was forgotten, or was never given out, is counted and no error.

        Raises
        ------
        ConfigError
            The router does not learn.
        InputError, TypeError
            A score outside [0, 1], a negative cost, a failure with a score, no such node; nothing has changed.
        """
        return self._learning("feedback").feedback(ticket, outcome, node)

    def flush(self, sync: bool = False) -> None:
        """Writes what `feedback` accepted: it survives a kill when this returns, with `sync` a loss of power too.

        Raises
        ------
        ConfigError
            The router does not learn.
        StateError
            The store cannot be written. Nothing is lost by that: it is kept in memory for the next flush.
        """
        self._learning("flush").flush(sync)

    def next(
        self,
        decision: _native.Decision,
        observation: Observation,
        *,
        account: _native.Account | None = None,
        wrong_usd: float = 0.0,
        model: AnswerModel | None = None,
        depth: int = 2,
    ) -> NextStep:
        """Second thoughts after an answer: stop, retry elsewhere, escalate, or ask for more evidence.

        Parameters
        ----------
        decision : Decision
            What was decided before: P(correct), USD and seconds of the LLMs it ranked, its limits and its values.
        observation : Observation
            The answers so far, of `turnout.belief`.
        account : Account, optional
            What is left of it limits further calls too; a reservation of the decision counts as still there.
        wrong_usd : float
            What returning a wrong answer costs.
        model : AnswerModel, optional
            How answers come about; default: as fitted to recorded answers.
        depth : int
            Calls to look ahead, 1 to 3.

        Returns
        -------
        NextStep
            The action, whom to ask, the likeliest answer and P(it is right), and what the next call is worth.

        Raises
        ------
        InputError
            With the path, as in ``answers[1].llm``.
        """
        from turnout.second_thoughts import next_of

        return next_of(decision, observation, account=account, wrong_usd=wrong_usd, model=model, depth=depth)

    @property
    def learner(self) -> Learner | None:
        """What it learns with; None: it does not."""
        return self._learner

    def _learning(self, method: str) -> Learner:
        if self._learner is None:
            raise fail(ConfigError, "learning", f"{method}() needs a router that learns: Router.load(learning=True)")
        return self._learner

    def predict(
        self,
        queries: Sequence[str | bytes | Sequence[Mapping[str, Any]]] | Vector,
        *,
        in_tokens: int | npt.ArrayLike | None = None,
        threads: int | None = None,
    ) -> Predictions:
        """P(correct) and expected USD of one direct call of every LLM, without deciding.

        Parameters
        ----------
        queries : sequence of str, bytes or chat messages, or float32[N, D]
            What `route` takes, N of them; N may be 0.
        in_tokens : int or int[N], optional
            The queries' lengths in LLM tokens; default: counted from the texts. Vectors without it are priced at 0.
        threads : int, optional
            Default: one for every 256 queries, at most one a CPU.

        Returns
        -------
        Predictions
            `correct`, `usd` and `usd_p90`, float32[N, M], and the LLMs' ids. The numbers that `route` decides with: no
            rule, limit or operator changes them.

        Raises
        ------
        InputError, TypeError
            As `route`; names the row.
        """
        check_queries(queries, self._callable is not None)
        threads = self._threads(len(queries), threads)
        if isinstance(queries, np.ndarray):
            found = self._native.predict_vectors(queries, read_tokens(in_tokens, len(queries), 0), threads)
        else:
            texts, tokens = read_texts(queries, in_tokens, self._count_tokens)
            found = self._native.predict_texts(texts, tokens, threads)
        return Predictions(self.llms, *found)

    def assess(
        self,
        queries: Sequence[str | bytes | Sequence[Mapping[str, Any]]] | Vector,
        *,
        threads: int | None = None,
    ) -> Assessments:
        """What the difficulty network says of many queries; takes `queries` and `threads` as `predict` does.

        Returns
        -------
        Assessments
            Difficulty logit, skills, guess floor, output scale and distance to the training data. A text without tokens
            has the mean difficulty of the training data and no skills.

        Raises
        ------
        InputError, TypeError
            As `route`; names the row.
        """
        check_queries(queries, self._callable is not None)
        threads = self._threads(len(queries), threads)
        if isinstance(queries, np.ndarray):
            return Assessments(*self._native.assess_vectors(queries, threads), self._parts.difficulty.domains)
        texts, _ = read_texts(queries, 0, self._count_tokens)
        return Assessments(*self._native.assess_texts(texts, threads), self._parts.difficulty.domains)

    async def aroute(self, query: Query, **options: Unpack[RouteOptions]) -> _native.Decision:
        """`route` for asyncio; takes the same options.

        A decision takes microseconds, so it is made in place; only long texts and a slow embedder leave the event
        loop. A `CallableEmbedder` of an async function, or of an object whose ``__call__`` is async, is awaited; any
        other runs in a thread, and what it returns is awaited if it can be.
        """
        import asyncio  # as dear as the rest of `import turnout`

        long = _text_length(query) > _INLINE_BYTES
        if self._callable is None or isinstance(query, np.ndarray):
            return await asyncio.to_thread(self.route, query, **options) if long else self.route(query, **options)
        args = self, query, options
        text, rest = await asyncio.to_thread(_read_all, *args) if long else _read_all(*args)
        return self.route(await _aembed(self._callable, text), **rest)

    def embed(self, text: str | bytes) -> Vector:
        """The vector that a text is routed by, float32[D]: of norm 1, and the lexical scores of a bundle that has them.

        Zeros for a text without tokens.
        """
        return self._callable.embed(text) if self._callable is not None else self._native.embed(text)

    @property
    def dim(self) -> int:
        """D, the dimension of the embedder's vectors: of the unit vector and the lexical scores together."""
        return self._native.dim

    @property
    def value_usd(self) -> float:
        """What a correct answer is worth where a call does not say, USD."""
        return self._value_usd

    @property
    def lexical(self) -> int:
        """How many of a vector's last entries are lexical scores; the others have norm 1."""
        return self._parts.bundle.embed_config().lexical

    @property
    def embedder_name(self) -> str:
        """The space that vectors must lie in."""
        return self._native.embedder_name

    @property
    def llms(self) -> list[str]:
        """Ids of the pool's LLMs, in order."""
        return self._native.llms

    @property
    def operators(self) -> list[str]:
        """Ids of the operators, in order."""
        return self._native.operators

    @property
    def capabilities(self) -> list[str]:
        """Ids of the tools and agents, in order."""
        return self._native.capabilities

    def relevance(self, decision: _native.Decision) -> list[float]:
        """P(relevant) of each of ``decision.tools``, in their order: the share of queries for which such a tool is one
        that fits, as calibrated on queries that training had not seen.

        Raises
        ------
        ConfigError
            The bundle's tools are not calibrated: it was not trained on queries with their tools.
        """
        config = self._parts.bundle.capability_config()
        if config is None:
            where = self._parts.bundle.where("capability/config.json")
            raise fail(ConfigError, where, "no such file: the bundle's tools are not calibrated; see docs/tools.md")
        similarities = np.array(decision.tool_similarities)
        p: list[float] = (1.0 / (1.0 + np.exp(-(config.slope * similarities + config.intercept)))).tolist()
        return p

    @property
    def parts(self) -> Parts:
        """What it was made of: bundle, pool, embedder, native router."""
        return self._parts

    def __repr__(self) -> str:
        manifest = self._parts.bundle.manifest
        return (
            f"Router(bundle={manifest.name!r}, version={manifest.version!r}, llms={len(self.llms)}, "
            f"operators={len(self.operators)}, capabilities={len(self.capabilities)}, embedder={self.embedder_name!r})"
        )

    def _live(self, now: Now) -> _native.Live:
        if isinstance(now, Mapping) or not isinstance(getattr(now, "native", None), _native.Telemetry):
            return live_of(now, self.llms)  # type: ignore[arg-type]  # which refuses what is no mapping
        live = self._watched.get(now)
        if live is None:
            live = self._watched[now] = watching(now, self.llms)
        return live

    def _compile(self, constraints: Constraints) -> _native.Constraints:
        if not isinstance(constraints, Constraints):
            raise TypeError(f"constraints: expected turnout.Constraints, got {type(constraints).__name__}")
        compiled = self._compiled.get(constraints)
        if compiled is None:
            if len(self._compiled) >= _MAX_COMPILED:
                self._compiled.clear()
            compiled = self._compiled[constraints] = compile_constraints(constraints, self._parts)
        return compiled

    def _read(
        self, query: Any, in_tokens: int | None, constraints: Constraints | None
    ) -> tuple[str | bytes, int | None, Constraints | None]:
        """The text to embed, its length in tokens where already known, and the rules that its content adds."""
        if not is_messages(query):
            if not isinstance(query, str | bytes):
                raise TypeError(
                    f"query: expected str, bytes, float32[{self.dim}] of {self.embedder_name!r} or chat messages, "
                    f"got {type(query).__name__}"
                )
            return query, in_tokens, constraints
        chat = read_messages(query)
        if chat.has_image:
            constraints = _with_need(constraints, "vision")
        if in_tokens is None and chat.whole != chat.text:
            in_tokens = self._count_tokens(chat.whole)
        return chat.text, in_tokens, constraints

    @staticmethod
    def _threads(rows: int, threads: int | None) -> int:
        if threads is None:
            return _threads(rows)
        wrong = wrong_threads(threads)
        if wrong is not None:
            raise wrong
        return threads

    def _count_tokens(self, text: str | bytes) -> int:
        return self._callable.count_tokens(text) if self._callable is not None else self._native.count_tokens(text)

    def _prepare(
        self, query: Any, in_tokens: int | None, constraints: Constraints | None
    ) -> tuple[Any, int | None, Constraints | None]:
        if isinstance(query, np.ndarray):
            return query, in_tokens, constraints
        text, in_tokens, constraints = self._read(query, in_tokens, constraints)
        if self._callable is None:
            return text, in_tokens, constraints
        return self._callable.embed(text), self._count_tokens(text) if in_tokens is None else in_tokens, constraints


def _learning_router(
    parts: Parts, value_usd: float, learning: Learning | bool | None, state: str | Path | StateStore | None
) -> Router:
    """A router with a learner of its own, which lets go of the store where they do not fit."""
    if not isinstance(learning, Learning | bool | None):
        raise TypeError(f"learning: expected turnout.Learning or a bool, got {type(learning).__name__}")
    learner = Learner.open(parts.bundle, learning if isinstance(learning, Learning) else None, state)
    try:
        return Router(parts, value_usd, learner)
    except BaseException:
        learner.close()
        raise


def _statistic(name: str) -> int:
    try:
        return STATISTICS.index(name)
    except ValueError:
        raise fail(InputError, "statistic", f"expected one of {sorted(STATISTICS)}, got {name!r}") from None


def _check_value(value_usd: float) -> None:
    wrong = wrong_number("value_usd", value_usd)
    if wrong is not None:
        raise wrong
    if not 0.0 <= value_usd <= _MAX_VALUE_USD:
        raise fail(InputError, "value_usd", f"expected a number from 0 to 1e6, got {value_usd}")


def _threads(rows: int) -> int:
    return max(1, min(os.cpu_count() or 1, rows // 256))


def _with_need(constraints: Constraints | None, need: str) -> Constraints:
    base = constraints or Constraints()
    return base if need in base.needs else replace(base, needs=(*base.needs, need))


class RouteOptions(TypedDict, total=False):
    """The keyword options of `Router.route`."""

    value_usd: float | None
    budget_usd: float | None
    max_seconds: float | None
    constraints: Constraints | None
    seed: int | None
    in_tokens: int | None
    statistic: Statistic
    tools: int
    usd_per_second: float
    max_calls: int | None
    max_tokens: float | None
    telemetry: Now | None
    account: _native.Account | None
    ttl: float


def _text_length(query: Any) -> int:
    """Characters or bytes of a text, or of all messages; 0 for what is no text."""
    if isinstance(query, str | bytes):
        return len(query)
    return len(read_messages(query).whole) if is_messages(query) else 0


def _read_all(router: Router, query: Query, options: RouteOptions) -> tuple[str | bytes, RouteOptions]:
    """The text for the caller's embedder, and the options with what its reading adds."""
    text, in_tokens, constraints = router._read(query, options.get("in_tokens"), options.get("constraints"))
    if in_tokens is None:
        in_tokens = router._count_tokens(text)
    return text, {**options, "in_tokens": in_tokens, "constraints": constraints}


async def _aembed(embedder: CallableEmbedder, text: str | bytes) -> Vector:
    import asyncio

    function: Any = embedder.function
    if inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__):
        return embedder.check(await function(text))
    vector: Any = await asyncio.to_thread(function, text)  # it may be slow
    return embedder.check(await vector if inspect.isawaitable(vector) else vector)
