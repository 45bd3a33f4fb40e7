"""The native core. Users take it through `turnout`; what is not exported there may change."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]
Rule = Literal["none", "not_allowed", "denied", "policy", "context", "budget", "time"]
Status = Literal["unlimited_best", "exact", "label_cap", "infeasible", "no_candidate"]

class Philox:
    """
    Philox4x64-10, the counter-based generator (Salmon et al., SC 2011).
    """
    def __init__(self, seed: int, stream: int = 0) -> None: ...
    def next(self) -> int: ...
    def normal(self) -> float: ...
    def uniform(self) -> float: ...

class Runtime:
    """
    ONNX Runtime, opened at run time.
    """
    @staticmethod
    def load(path: str) -> Runtime: ...
    @property
    def version(self) -> str: ...

class Session:
    """
    One exported network.
    """
    def __init__(self, runtime: Runtime, model: bytes, path: str, threads: int = 1) -> None: ...
    def metadata(self, key: str) -> str:
        """
        Custom metadata; empty if the key is absent.
        """
    def run(self, inputs: Sequence[npt.NDArray[Any]], shapes: Sequence[Sequence[int]]) -> list[npt.NDArray[Any]]:
        """
        Arrays in the order of `inputs` -> new arrays of the given shapes.
        """
    @property
    def inputs(self) -> list[tuple[str, str, list[int]]]: ...
    @property
    def outputs(self) -> list[tuple[str, str, list[int]]]: ...

class Tokenizer:
    """
    BERT's uncased WordPiece, without [CLS] and [SEP].
    """
    def __init__(self, vocab: bytes, path: str = "vocab.txt") -> None: ...
    def __len__(self) -> int: ...
    def encode(self, text: str | bytes) -> Int32:
        """
        Text (str, or UTF-8 bytes) -> int32[T], every token of it.
        """
    def id(self, token: str) -> int:
        """
        The id of a token, or -1.
        """
    def token(self, id: int) -> str: ...
    @property
    def size(self) -> int: ...

class Embedder:
    """
    Text -> unit vector.
    """
    def embed(self, text: str | bytes) -> Float32:
        """
        Text -> float32[D], read-only; zeros for a text without tokens.
        """
    def embed_batch(self, texts: Sequence[str | bytes]) -> Float32:
        """
        Texts -> float32[N, D], read-only.
        """
    @property
    def dim(self) -> int: ...
    @property
    def name(self) -> str: ...

class StaticEmbedder(Embedder):
    """
    Weighted mean of int8 rows.
    """
    def __init__(
        self,
        vocab: bytes,
        rows: npt.NDArray[np.int8],
        weights: npt.NDArray[np.int16],
        name: str,
        head: int = 128,
        tail: int = 384,
    ) -> None: ...
    def embed_ids(self, ids: Int32) -> Float32:
        """
        int32[T] of at most 512 ids -> float32[D], read-only.
        """
    @property
    def tokenizer(self) -> Tokenizer: ...

class OnnxEmbedder(Embedder):
    """
    A transformer encoder.
    """
    def __init__(self, vocab: bytes, session: Session, name: str, max_tokens: int = 256) -> None: ...

class Llm:
    """
    One LLM: prices, limits, policy bits, ability.
    """

    __hash__: ClassVar[None]  # type: ignore[assignment]
    def __eq__(self, other: object) -> bool: ...
    def __init__(
        self,
        *,
        id: str,
        usd_per_mtok_in: float = 0.0,
        usd_per_mtok_out: float = 0.0,
        usd_per_call: float = 0.0,
        context_tokens: int,
        max_output_tokens: int,
        policy: int = 0,
        ability: float = 0.0,
        ability_se: float = 0.0,
        skill: Sequence[float] = [],
        output_tokens_mean: float = 256.0,
        output_tokens_p90: float = 512.0,
        seconds_to_first_token: float = 0.5,
        seconds_per_output_token: float = 0.02,
    ) -> None: ...
    def __repr__(self) -> str: ...
    @property
    def ability(self) -> float: ...
    @property
    def ability_se(self) -> float: ...
    @property
    def context_tokens(self) -> int: ...
    @property
    def id(self) -> str: ...
    @property
    def max_output_tokens(self) -> int: ...
    @property
    def output_tokens_mean(self) -> float: ...
    @property
    def output_tokens_p90(self) -> float: ...
    @property
    def policy(self) -> int: ...
    @property
    def seconds_per_output_token(self) -> float: ...
    @property
    def seconds_to_first_token(self) -> float: ...
    @property
    def skill(self) -> list[float]: ...
    @property
    def usd_per_call(self) -> float: ...
    @property
    def usd_per_mtok_in(self) -> float: ...
    @property
    def usd_per_mtok_out(self) -> float: ...

class Slot:
    """
    One call slot of an operator: an LLM is assigned to each.
    """

    __hash__: ClassVar[None]  # type: ignore[assignment]
    def __eq__(self, other: object) -> bool: ...
    def __init__(
        self,
        *,
        role: str,
        calls: int = 1,
        rounds: int = 1,
        in_mult: float = 1.0,
        in_extra: float = 0.0,
        out_mult: float = 1.0,
        weight: float = 1.0,
        uses_tools: bool = False,
    ) -> None: ...
    def __repr__(self) -> str: ...
    @property
    def calls(self) -> int: ...
    @property
    def in_extra(self) -> float: ...
    @property
    def in_mult(self) -> float: ...
    @property
    def out_mult(self) -> float: ...
    @property
    def role(self) -> str: ...
    @property
    def rounds(self) -> int: ...
    @property
    def uses_tools(self) -> bool: ...
    @property
    def weight(self) -> float: ...

class Operator:
    """
    A way to use LLMs: its call slots, what it needs, and its priors.
    """

    __hash__: ClassVar[None]  # type: ignore[assignment]
    def __eq__(self, other: object) -> bool: ...
    def __init__(
        self,
        *,
        id: str,
        generates: bool = False,
        stops: bool = False,
        parallel: bool = False,
        distinct: bool = False,
        fix: float = 0.0,
        break_: float = 0.0,
        curve: Sequence[float] = [],
        slots: Sequence[Slot] = [],
        min_llms: int = 1,
        needs_llm: int = 0,
        needs_capability: int = 0,
        source: str = "",
    ) -> None: ...
    def __repr__(self) -> str: ...
    @property
    def break_(self) -> float: ...
    @property
    def curve(self) -> list[float]: ...
    @property
    def distinct(self) -> bool: ...
    @property
    def fix(self) -> float: ...
    @property
    def generates(self) -> bool: ...
    @property
    def id(self) -> str: ...
    @property
    def min_llms(self) -> int: ...
    @property
    def needs_capability(self) -> int: ...
    @property
    def needs_llm(self) -> int: ...
    @property
    def parallel(self) -> bool: ...
    @property
    def slots(self) -> list[Slot]: ...
    @property
    def source(self) -> str: ...
    @property
    def stops(self) -> bool: ...

class Capability:
    """
    A tool or agent: what it does, what it costs, what must be granted.
    """

    __hash__: ClassVar[None]  # type: ignore[assignment]
    def __eq__(self, other: object) -> bool: ...
    def __init__(
        self,
        *,
        id: str,
        kind: int,
        description: str,
        requires: int = 0,
        usd_per_call: float = 0.0,
        seconds: float = 0.0,
    ) -> None: ...
    def __repr__(self) -> str: ...
    @property
    def description(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> int: ...
    @property
    def requires(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def usd_per_call(self) -> float: ...

class Assessment:
    """
    What is known of one query: difficulty, latent, skills, distance to the training data.
    """
    @property
    def difficulty(self) -> float: ...
    @property
    def domain_similarity(self) -> float: ...
    @property
    def latent_logvar(self) -> list[float]: ...
    @property
    def latent_mean(self) -> list[float]: ...
    @property
    def logit(self) -> float: ...
    @property
    def out_of_domain(self) -> bool: ...
    @property
    def skills(self) -> list[float]: ...

class DifficultyModel:
    """
    The exported network with its tables: vector -> Assessment.
    """
    def __init__(
        self,
        network: Session,
        *,
        latent: int,
        skills: int,
        heads: Float32,
        centroids: Float32,
        domain_threshold: float,
        mean_difficulty: float,
    ) -> None: ...
    def assess(self, x: Float32) -> Assessment:
        """
        One float32[D] row, greedy: the latent mean.
        """
    def assess_batch(self, x: Float32) -> list[Assessment]:
        """
        Rows float32[N, D].
        """
    def mean(self) -> Assessment:
        """
        The assessment of a query without text.
        """
    def sample(self, assessment: Assessment, rng: Philox) -> Assessment:
        """
        Moved to a latent drawn from its posterior.
        """
    @property
    def dim(self) -> int: ...
    @property
    def latent(self) -> int: ...
    @property
    def skills(self) -> int: ...

class CapabilityIndex:
    """
    Tools and agents: FAISS proposes, the core re-scores.
    """
    def __init__(
        self,
        library: str,
        data: bytes,
        path: str,
        vectors: Float32,
        kinds: npt.NDArray[np.uint8],
        requires: npt.NDArray[np.uint32],
        usd_per_call: Float32,
    ) -> None: ...
    def __len__(self) -> int: ...
    def search(
        self, x: Float32, k: int, *, kinds: int = 4294967295, granted: int = 4294967295, cost_bias: float = 0.0
    ) -> tuple[Int32, Float32, Float32, Int32]:
        """(ids [N, k], scores [N, k], similarities [N, k], counts [N]); -1 and 0 beyond a row's count."""
    def search_bare(self, x: Float32, k: int) -> tuple[Float32, npt.NDArray[np.int64]]:
        """The bare engine call: (distances [N, k], labels [N, k])."""
    def time_search(self, x: Float32, k: int) -> tuple[Float64, Float64]:
        """Microseconds of each row: of the search, and of the bare engine call."""
    @property
    def dim(self) -> int: ...
    @property
    def type(self) -> str: ...
    @property
    def vectors(self) -> Float32: ...

class OperatorsConfig:
    """
    How operators are allocated: depth rule, activation, temperature, cost weight.
    """
    def __init__(
        self,
        *,
        layers: int = 4,
        depth_rule: int = 0,
        cut_points: Sequence[float],
        activation_threshold: float = 0.3,
        temperature: float = 0.01,
        cost_weight: float = 0.02,
        reference_ability: float = 1.5,
        max_stages: int = 8,
        max_uses: int = 1,
    ) -> None: ...
    @property
    def activation_threshold(self) -> float: ...
    @property
    def cost_weight(self) -> float: ...
    @property
    def cut_points(self) -> list[float]: ...
    @property
    def depth_rule(self) -> int: ...
    @property
    def layers(self) -> int: ...
    @property
    def max_stages(self) -> int: ...
    @property
    def max_uses(self) -> int: ...
    @property
    def reference_ability(self) -> float: ...
    @property
    def temperature(self) -> float: ...

class OperatorChoice:
    """
    An operator that was drawn, with its score and probability.
    """
    @property
    def layer(self) -> int: ...
    @property
    def operator(self) -> int: ...
    @property
    def probability(self) -> float: ...
    @property
    def score(self) -> float: ...

class Allocation:
    """
    Layers of operators for one query.
    """
    @property
    def choices(self) -> list[OperatorChoice]: ...
    @property
    def depth(self) -> int: ...
    @property
    def layers(self) -> int: ...
    @property
    def probabilities(self) -> list[list[float]]: ...
    @property
    def scores(self) -> list[list[float]]: ...
    @property
    def stopped_early(self) -> bool: ...

class PlanMetrics:
    """
    Shape and time of a plan.
    """
    @property
    def critical_nodes(self) -> int: ...
    @property
    def critical_path(self) -> float: ...
    @property
    def depth(self) -> int: ...
    @property
    def edges(self) -> int: ...
    @property
    def nodes(self) -> int: ...
    @property
    def width(self) -> int: ...

class PlanNode:
    """
    One call slot of a plan: which operator, which LLM, after which nodes, at what price.
    """

    __hash__: ClassVar[None]  # type: ignore[assignment]
    def __eq__(self, other: object) -> bool: ...
    def __repr__(self) -> str: ...
    def to_dict(self) -> dict[str, Any]: ...
    @property
    def calls(self) -> int: ...
    @property
    def depends_on(self) -> tuple[int, ...]: ...
    @property
    def layer(self) -> int: ...
    @property
    def llm(self) -> str: ...
    @property
    def max_input_tokens(self) -> int: ...
    @property
    def max_output_tokens(self) -> int: ...
    @property
    def operator(self) -> str: ...
    @property
    def p_correct(self) -> float: ...
    @property
    def role(self) -> str: ...
    @property
    def rounds(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    @property
    def seconds_bound(self) -> float: ...
    @property
    def tools(self) -> tuple[str, ...]: ...
    @property
    def usd(self) -> float: ...
    @property
    def usd_bound(self) -> float: ...

class Alternative:
    """
    An LLM as a single call, with what it would give and the rule that excludes it, if any.
    """

    __hash__: ClassVar[None]  # type: ignore[assignment]
    def __eq__(self, other: object) -> bool: ...
    def __repr__(self) -> str: ...
    def to_dict(self) -> dict[str, Any]: ...
    @property
    def feasible(self) -> bool: ...
    @property
    def llm(self) -> str: ...
    @property
    def p_correct(self) -> float: ...
    @property
    def rule(self) -> Rule: ...
    @property
    def seconds(self) -> float: ...
    @property
    def usd(self) -> float: ...
    @property
    def usd_bound(self) -> float: ...
    @property
    def utility(self) -> float: ...

class Decision:
    """
    A costed, explained plan. Frozen, comparable (ticket and timings aside), hashable, picklable.
    """
    def __eq__(self, other: object) -> bool: ...
    def __getstate__(self) -> tuple[Any, ...]: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...
    def __setstate__(self, state: tuple[Any, ...]) -> None: ...
    def __str__(self) -> str: ...
    def explain(self, timings: bool = True) -> str: ...
    def to_dict(self) -> dict[str, Any]: ...
    @property
    def alternatives(self) -> tuple[Alternative, ...]: ...
    @property
    def bundle(self) -> str: ...
    @property
    def critical_path_seconds(self) -> float: ...
    @property
    def depth(self) -> int: ...
    @property
    def difficulty(self) -> float: ...
    @property
    def domain_similarity(self) -> float: ...
    @property
    def feasible(self) -> bool: ...
    @property
    def gap(self) -> float: ...
    @property
    def in_tokens(self) -> int: ...
    @property
    def infeasible(self) -> dict[str, Rule]: ...
    @property
    def kept_tokens(self) -> int: ...
    @property
    def labels(self) -> int: ...
    @property
    def layers(self) -> tuple[tuple[tuple[str, float], ...], ...]: ...
    @property
    def llm(self) -> str | None: ...
    @property
    def microseconds(self) -> dict[str, float]: ...
    @property
    def p_correct(self) -> float: ...
    @property
    def plan(self) -> tuple[PlanNode, ...]: ...
    @property
    def reasons(self) -> tuple[str, ...]: ...
    @property
    def seconds(self) -> float: ...
    @property
    def seconds_bound(self) -> float: ...
    @property
    def seed(self) -> int | None: ...
    @property
    def state_version(self) -> int: ...
    @property
    def status(self) -> Status: ...
    @property
    def ticket(self) -> int: ...
    @property
    def tools(self) -> tuple[tuple[str, float], ...]: ...
    @property
    def trace(self) -> str: ...
    @property
    def usd(self) -> float: ...
    @property
    def usd_bound(self) -> float: ...
    @property
    def utility(self) -> float: ...
    @property
    def width(self) -> int: ...

class DecisionBatch:
    """
    Decisions of many queries: columns at once, each Decision on demand.
    """
    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[object, object]: ...
    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...
    def __getitem__(self, row: int) -> Decision: ...
    def __len__(self) -> int: ...
    @property
    def calls(self) -> Int32: ...
    @property
    def capabilities(self) -> list[str]: ...
    @property
    def depth(self) -> Int32: ...
    @property
    def difficulty(self) -> Float64: ...
    @property
    def feasible(self) -> npt.NDArray[np.uint8]: ...
    @property
    def llm_index(self) -> Int32: ...
    @property
    def llms(self) -> list[str]: ...
    @property
    def p_correct(self) -> Float64: ...
    @property
    def reason_bits(self) -> npt.NDArray[np.uint32]: ...
    @property
    def seconds(self) -> Float64: ...
    @property
    def tool_index(self) -> Int32: ...
    @property
    def usd(self) -> Float64: ...
    @property
    def usd_bound(self) -> Float64: ...
    @property
    def utility(self) -> Float64: ...

class Constraints:
    """
    Rules of one caller, compiled against one router's pool.
    """
    def __init__(
        self,
        *,
        allowed: Sequence[bool],
        denied: Sequence[bool],
        disabled: Sequence[bool],
        needs: int,
        kinds: int,
        granted: int,
        cost_bias: float,
    ) -> None: ...

class Router:
    def __init__(
        self,
        *,
        llms: Sequence[Llm],
        operators: Sequence[Operator],
        capabilities: Sequence[Capability],
        embedder: Embedder | None,
        difficulty: DifficultyModel,
        index: CapabilityIndex | None,
        config: OperatorsConfig,
        bundle: str,
        version: str,
        embedder_name: str,
    ) -> None: ...
    def capsule(self) -> object:
        """
        The C++ Router, for a binding of one's own over the same build.
        """
    def count_tokens(self, text: str | bytes) -> int: ...
    def embed(self, text: str | bytes) -> Float32: ...
    def predict(self, vectors: Float32) -> Float32: ...
    def route(
        self,
        query: str | bytes | Float32,
        value_usd: float,
        budget_usd: float | None,
        max_seconds: float | None,
        in_tokens: int | None,
        statistic: int,
        constraints: Constraints | None,
        seed: int | None,
        tools: int,
        usd_per_second: float,
        /,
    ) -> Decision: ...
    def route_texts(
        self,
        texts: Sequence[str | bytes],
        value_usd: float,
        budget_usd: float | None,
        max_seconds: float | None,
        in_tokens: int | None,
        statistic: int,
        constraints: Constraints | None,
        seed: int | None,
        tools: int,
        usd_per_second: float,
        threads: int,
        /,
    ) -> DecisionBatch: ...
    def route_vectors(
        self,
        rows: Float32,
        value_usd: float,
        budget_usd: float | None,
        max_seconds: float | None,
        in_tokens: int | None,
        statistic: int,
        constraints: Constraints | None,
        seed: int | None,
        tools: int,
        usd_per_second: float,
        threads: int,
        /,
    ) -> DecisionBatch: ...
    @property
    def capabilities(self) -> list[str]: ...
    @property
    def dim(self) -> int: ...
    @property
    def embedder_name(self) -> str: ...
    @property
    def llms(self) -> list[str]: ...
    @property
    def operators(self) -> list[str]: ...

def allocate(
    config: OperatorsConfig,
    operators: Sequence[Operator],
    masks: Sequence[int],
    difficulty: float,
    rng: Philox | None = None,
) -> Allocation: ...
def allocation_count() -> int:
    """
    Of the calling thread, so far; -1 when nothing counts.
    """

def assign_solve(
    stages: Sequence[Any],
    quality: Float64,
    usd: Float64,
    usd_bound: Float64,
    seconds: Float64,
    seconds_bound: Float64,
    allowed: npt.NDArray[np.bool_],
    value_usd: float,
    usd_per_second: float,
    budget: float | None,
    max_seconds: float | None,
    repeats: int = 1,
) -> tuple[Any, ...]:
    """
    See turnout.assign.solve; the fields of its Solution, in their order.
    """

def assign_time(
    stages: Sequence[Any],
    quality: Float64,
    usd: Float64,
    usd_bound: Float64,
    seconds: Float64,
    seconds_bound: Float64,
    allowed: npt.NDArray[np.bool_],
    value_usd: float,
    usd_per_second: float,
    budget: float | None,
    max_seconds: float | None,
    repeats: int,
) -> Float64:
    """
    Microseconds of each of `repeats` solutions, float64[repeats].
    """

def competence(operator: Operator, reference_ability: float, difficulty: float) -> float: ...
def compiler() -> str: ...
def curve_at(curve: Sequence[float], c: float) -> float:
    """
    A curve's value at a competence, by linear interpolation.
    """

def depth(config: OperatorsConfig, difficulty: float) -> int: ...
def dot(a: Float32, b: Float32) -> float:
    """
    Fixed-order inner product of two float32 vectors.
    """

def engine_allocation_count() -> int:
    """
    Those inside ONNX Runtime and FAISS.
    """

def faiss_version(path: str) -> str: ...
def isa() -> str:
    """
    The SIMD level of the kernels that run here.
    """

def kind_names() -> list[str]:
    """
    Kinds of capability, in the order of their bits.
    """

def live_faiss_indexes() -> int:
    """
    FAISS indexes that are alive: a leak is a test.
    """

def live_onnx_objects() -> int:
    """
    Engine objects that are alive: a leak is a test.
    """

def mask_names() -> list[str]:
    """
    Why an operator cannot be used, in the order of the codes; 0 is usable.
    """

def mask_operators(
    operators: Sequence[Operator], llm_policy: Sequence[int], usable: Sequence[bool], capability_kinds: int
) -> list[int]: ...
def plan_metrics(depends_on: Sequence[int], seconds: Sequence[float]) -> PlanMetrics: ...
def plan_order(depends_on: Sequence[int]) -> list[int]: ...
def plan_ready(depends_on: Sequence[int], done: int) -> int: ...
def plan_validate(depends_on: Sequence[int]) -> None: ...
def quality_after(operator: Operator, p: float, c: float) -> float: ...
def relative_costs(operators: Sequence[Operator]) -> list[float]: ...
def validate_capabilities(capabilities: Sequence[Capability]) -> None: ...
def validate_llms(llms: Sequence[Llm]) -> None: ...
def validate_operators(operators: Sequence[Operator]) -> None: ...
def validate_operators_config(config: OperatorsConfig, operators: Sequence[Operator]) -> None: ...
def watch_allocations() -> bool:
    """
    Counts heap allocations from now on; False without the preloaded counter.
    """

curve_knots: int = 65
max_nodes: int = 32
version: str = "0.1.0"
