"""Types of the native core. What a user meets is documented where turnout's modules show it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from typing_extensions import CapsuleType

from turnout.healing import Kind as HealingKind
from turnout.healing import Reason as HealingReason
from turnout.healing import State as HealingState
from turnout.names import Kind, Mask, Reason, Rule, Stage, Statistic, Status
from turnout.telemetry import BreakerState, Cause

_TaskState = Literal["pending", "running", "done", "failed", "skipped", "cancelled"]
_Element = Literal["float32", "int32", "int64"]
_Solution = tuple[Status, tuple[int, ...], tuple[bool, ...], float, float, float, float, float, float, float, int]

# value_usd, budget_usd, max_seconds, in_tokens, statistic, constraints, seed, tools, usd_per_second, max_calls,
# max_tokens, telemetry, account, ttl.
_Options = tuple[
    float,
    float | None,
    float | None,
    int | None,
    int,
    "Constraints | None",
    int | None,
    int,
    float,
    int | None,
    float | None,
    "Live | None",
    "Account | None",
    float,
    "Attachment | None",
]

# P(correct) and USD, [N, LLMs]; logit, skills, floor, output scale, domain similarity, out of domain, [N].
_Predicted = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
_Assessed = tuple[
    NDArray[np.float64],
    NDArray[np.float32],
    NDArray[np.float32],
    NDArray[np.float32],
    NDArray[np.float32],
    NDArray[np.bool_],
]

_Transition = tuple[BreakerState, BreakerState, Cause]

class _Stage(Protocol):
    @property
    def weights(self) -> Sequence[float]: ...
    @property
    def fix(self) -> float: ...
    @property
    def break_(self) -> float: ...
    @property
    def curve(self) -> Sequence[float]: ...
    @property
    def optional(self) -> bool: ...
    @property
    def parallel(self) -> bool: ...
    @property
    def distinct(self) -> bool: ...

version: str

def isa() -> str:
    """The SIMD level of the kernels that run here."""

def compiler() -> str: ...
def watch_allocations() -> bool:
    """Counts heap allocations from now on; False without the preloaded counter."""

def allocation_count() -> int:
    """Of the calling thread, so far; -1 when nothing counts."""

def engine_allocation_count() -> int:
    """Those inside ONNX Runtime and FAISS."""

def dot(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    """Fixed-order inner product of two float32 vectors."""

class Philox:
    """Philox4x64-10, the counter-based generator (Salmon et al., SC 2011)."""

    def __init__(self, seed: int, stream: int = 0) -> None: ...
    def next(self) -> int: ...
    def uniform(self) -> float: ...
    def normal(self) -> float: ...

class Runtime:
    """ONNX Runtime, opened at run time."""

    @staticmethod
    def load(path: str) -> Runtime: ...
    @property
    def version(self) -> str: ...

class Session:
    """One exported network."""

    def __init__(self, runtime: Runtime, model: bytes, path: str, threads: int = 1) -> None: ...
    def metadata(self, key: str) -> str:
        """Custom metadata; empty if the key is absent."""
    def run(self, inputs: Sequence[NDArray[Any]], shapes: Sequence[Sequence[int]]) -> list[NDArray[Any]]:
        """Arrays in the order of `inputs` -> new arrays of the given shapes, one for each of the first outputs."""
    @property
    def inputs(self) -> list[tuple[str, _Element, list[int]]]: ...
    @property
    def outputs(self) -> list[tuple[str, _Element, list[int]]]: ...

def live_onnx_objects() -> int:
    """Engine objects that are alive: a leak is a test."""

class Tokenizer:
    """BERT's uncased WordPiece, without [CLS] and [SEP]."""

    def __init__(self, vocab: bytes, path: str = "vocab.txt") -> None: ...
    def encode(self, text: str | bytes) -> NDArray[np.int32]:
        """Text (str, or UTF-8 bytes) -> int32[T], every token of it."""
    def lexical_features(
        self, texts: Sequence[str | bytes], bits: int, *, head: int, tail: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
        """Texts -> indptr int64[N + 1], buckets int32, marks int32[N, 11], tokens int32[N]."""
    def id(self, token: str) -> int:
        """The id of a token, or -1."""
    def token(self, id: int) -> str: ...
    @property
    def size(self) -> int: ...
    def __len__(self) -> int: ...

class Embedder:
    """Text -> unit vector."""

    def embed(self, text: str | bytes) -> NDArray[np.float32]:
        """Text -> float32[D], read-only; zeros for a text without tokens."""
    def count_tokens(self, text: str | bytes) -> int:
        """Tokens of the whole text, before any truncation."""
    def embed_batch(self, texts: Iterable[str | bytes]) -> NDArray[np.float32]:
        """Texts -> float32[N, D], read-only."""
    @property
    def dim(self) -> int: ...
    @property
    def lexical(self) -> int:
        """How many of the last numbers are lexical scores."""
    @property
    def name(self) -> str: ...

# ngrams [B, R], their weights [B], scale [R], marks [116, R].
_Lexical = tuple[NDArray[np.int8], NDArray[np.int16], NDArray[np.float32], NDArray[np.float32]]

class StaticEmbedder(Embedder):
    """Weighted mean of int8 rows, and lexical scores where there are tables of them."""

    def __init__(
        self,
        vocab: bytes,
        rows: NDArray[np.int8],
        weights: NDArray[np.int16],
        name: str,
        head: int = 128,
        tail: int = 384,
        lexical: _Lexical | None = None,
    ) -> None: ...
    def embed_ids(self, ids: NDArray[np.int32]) -> NDArray[np.float32]:
        """int32[T] of at most 512 ids -> their unit vector, read-only."""
    @property
    def tokenizer(self) -> Tokenizer: ...

class OnnxEmbedder(Embedder):
    """A transformer encoder."""

    def __init__(self, vocab: bytes, session: Session, name: str, max_tokens: int = 256) -> None: ...

class Llm:
    """One LLM: prices, limits, policy bits, ability."""

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
        skill: Sequence[float] = (),
        discrimination: float = 1.0,
        output_tokens_mean: float = 256.0,
        output_tokens_p90: float = 512.0,
        length_gain: float = 1.0,
        length_skill: Sequence[float] = (),
        seconds_to_first_token: float = 0.5,
        seconds_per_output_token: float = 0.02,
    ) -> None: ...
    @property
    def id(self) -> str: ...
    @property
    def usd_per_mtok_in(self) -> float: ...
    @property
    def usd_per_mtok_out(self) -> float: ...
    @property
    def usd_per_call(self) -> float: ...
    @property
    def context_tokens(self) -> int: ...
    @property
    def max_output_tokens(self) -> int: ...
    @property
    def policy(self) -> int: ...
    @property
    def ability(self) -> float: ...
    @property
    def ability_se(self) -> float: ...
    @property
    def skill(self) -> list[float]: ...
    @property
    def discrimination(self) -> float: ...
    @property
    def output_tokens_mean(self) -> float: ...
    @property
    def output_tokens_p90(self) -> float: ...
    @property
    def length_gain(self) -> float: ...
    @property
    def length_skill(self) -> list[float]: ...
    @property
    def seconds_to_first_token(self) -> float: ...
    @property
    def seconds_per_output_token(self) -> float: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __repr__(self) -> str: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]

class Slot:
    """One call slot of an operator: an LLM is assigned to each."""

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
    @property
    def role(self) -> str: ...
    @property
    def calls(self) -> int: ...
    @property
    def rounds(self) -> int: ...
    @property
    def in_mult(self) -> float: ...
    @property
    def in_extra(self) -> float: ...
    @property
    def out_mult(self) -> float: ...
    @property
    def weight(self) -> float: ...
    @property
    def uses_tools(self) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __repr__(self) -> str: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]

class Operator:
    """A way to use LLMs: its call slots, what it needs, and its priors."""

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
        curve: Sequence[float] = (),
        slots: Sequence[Slot] = (),
        min_llms: int = 1,
        needs_llm: int = 0,
        needs_capability: int = 0,
        measured: bool = False,
        source: str = "",
    ) -> None: ...
    @property
    def id(self) -> str: ...
    @property
    def generates(self) -> bool: ...
    @property
    def stops(self) -> bool: ...
    @property
    def parallel(self) -> bool: ...
    @property
    def distinct(self) -> bool: ...
    @property
    def fix(self) -> float: ...
    @property
    def break_(self) -> float: ...
    @property
    def curve(self) -> list[float]: ...
    @property
    def slots(self) -> list[Slot]: ...
    @property
    def min_llms(self) -> int: ...
    @property
    def needs_llm(self) -> int: ...
    @property
    def needs_capability(self) -> int: ...
    @property
    def measured(self) -> bool: ...
    @property
    def source(self) -> str: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __repr__(self) -> str: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]

class Capability:
    """A tool or agent: what it does, what it costs, what must be granted."""

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
    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> int: ...
    @property
    def description(self) -> str: ...
    @property
    def requires(self) -> int: ...
    @property
    def usd_per_call(self) -> float: ...
    @property
    def seconds(self) -> float: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __repr__(self) -> str: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]

curve_knots: int

def kind_names() -> list[Kind]:
    """Kinds of capability, in the order of their bits."""

def validate_llms(llms: Sequence[Llm]) -> None: ...
def validate_operators(operators: Sequence[Operator]) -> None: ...
def validate_capabilities(capabilities: Sequence[Capability]) -> None: ...
def curve_at(curve: Sequence[float], c: float) -> float:
    """A curve's value at a competence, by linear interpolation."""

class Assessment:
    """What is known of one query: difficulty, latent, skills, distance to the training data."""

    @property
    def difficulty(self) -> float: ...
    @property
    def logit(self) -> float: ...
    @property
    def floor(self) -> float: ...
    @property
    def output_scale(self) -> float: ...
    @property
    def log_output_scale(self) -> float: ...
    @property
    def domain_similarity(self) -> float: ...
    @property
    def out_of_domain(self) -> bool: ...
    @property
    def latent_mean(self) -> list[float]: ...
    @property
    def latent_logvar(self) -> list[float]: ...
    @property
    def skills(self) -> list[float]: ...

class DifficultyModel:
    """The exported network with its tables: vector -> Assessment."""

    def __init__(
        self,
        network: Session,
        *,
        latent: int,
        skills: int,
        heads: NDArray[np.float32],
        centroids: NDArray[np.float32],
        domain_threshold: float,
        mean_difficulty: float,
        lexical: int = 0,
        domains: NDArray[np.float32] | None = None,
    ) -> None: ...
    def assess(self, x: NDArray[np.float32]) -> Assessment:
        """One float32[D] row, greedy: the latent mean."""
    def assess_batch(self, x: NDArray[np.float32]) -> list[Assessment]:
        """Rows float32[N, D]."""
    def sample(self, assessment: Assessment, rng: Philox) -> Assessment:
        """Moved to a latent drawn from its posterior."""
    def mean(self) -> Assessment:
        """The assessment of a query without text."""
    @property
    def dim(self) -> int: ...
    @property
    def latent(self) -> int: ...
    @property
    def skills(self) -> int: ...
    @property
    def domains(self) -> int: ...

class CapabilityIndex:
    """Tools and agents: FAISS proposes, the core re-scores."""

    def __init__(
        self,
        library: str,
        data: bytes,
        path: str,
        vectors: NDArray[np.float32],
        kinds: NDArray[np.uint8],
        requires: NDArray[np.uint32],
        usd_per_call: NDArray[np.float32],
        threshold: float = ...,
    ) -> None: ...
    def search(
        self,
        x: NDArray[np.float32],
        k: int,
        *,
        kinds: int = 0xFFFFFFFF,
        granted: int = 0xFFFFFFFF,
        cost_bias: float = 0.0,
    ) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]: ...
    def search_bare(self, x: NDArray[np.float32], k: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]: ...
    def time_search(self, x: NDArray[np.float32], k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
    def __len__(self) -> int: ...
    @property
    def dim(self) -> int: ...
    @property
    def threshold(self) -> float: ...
    @property
    def vectors(self) -> NDArray[np.float32]: ...
    @property
    def type(self) -> str: ...

def faiss_version(path: str) -> str: ...
def live_faiss_indexes() -> int:
    """FAISS indexes that are alive: a leak is a test."""

class OperatorsConfig:
    """How operators are allocated: depth rule, activation, temperature, cost weight."""

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
    def layers(self) -> int: ...
    @property
    def depth_rule(self) -> int: ...
    @property
    def cut_points(self) -> list[float]: ...
    @property
    def activation_threshold(self) -> float: ...
    @property
    def temperature(self) -> float: ...
    @property
    def cost_weight(self) -> float: ...
    @property
    def reference_ability(self) -> float: ...
    @property
    def max_stages(self) -> int: ...
    @property
    def max_uses(self) -> int: ...

class OperatorChoice:
    """An operator that was drawn, with its score and probability."""

    @property
    def operator(self) -> int: ...
    @property
    def layer(self) -> int: ...
    @property
    def score(self) -> float: ...
    @property
    def probability(self) -> float: ...

class Allocation:
    """Layers of operators for one query."""

    @property
    def depth(self) -> int: ...
    @property
    def layers(self) -> int: ...
    @property
    def stopped_early(self) -> bool: ...
    @property
    def choices(self) -> list[OperatorChoice]: ...
    @property
    def scores(self) -> list[list[float]]: ...
    @property
    def probabilities(self) -> list[list[float]]: ...

def mask_names() -> list[Mask]:
    """Why an operator cannot be used, in the order of the codes; 0 is usable."""

def validate_operators_config(config: OperatorsConfig, operators: Sequence[Operator]) -> None: ...
def depth(config: OperatorsConfig, difficulty: float) -> int: ...
def allocate(
    config: OperatorsConfig,
    operators: Sequence[Operator],
    masks: Sequence[int],
    difficulty: float,
    rng: Philox | None = None,
) -> Allocation: ...
def mask_operators(
    operators: Sequence[Operator], llm_policy: Sequence[int], usable: Sequence[bool], capability_kinds: int
) -> list[int]: ...
def competence(operator: Operator, reference_ability: float, difficulty: float) -> float: ...
def relative_costs(operators: Sequence[Operator]) -> list[float]: ...
def quality_after(operator: Operator, p: float, c: float) -> float: ...
def assign_solve(
    stages: Sequence[_Stage],
    quality: NDArray[np.float64],
    usd: NDArray[np.float64],
    usd_bound: NDArray[np.float64],
    seconds: NDArray[np.float64],
    seconds_bound: NDArray[np.float64],
    allowed: NDArray[np.bool_],
    value_usd: float,
    usd_per_second: float,
    budget: float | None,
    max_seconds: float | None,
    repeats: int = 1,
) -> _Solution:
    """See turnout.assign.solve; the fields of its Solution, in their order."""

def assign_time(
    stages: Sequence[_Stage],
    quality: NDArray[np.float64],
    usd: NDArray[np.float64],
    usd_bound: NDArray[np.float64],
    seconds: NDArray[np.float64],
    seconds_bound: NDArray[np.float64],
    allowed: NDArray[np.bool_],
    value_usd: float,
    usd_per_second: float,
    budget: float | None,
    max_seconds: float | None,
    repeats: int,
) -> NDArray[np.float64]:
    """Microseconds of each of `repeats` solutions, float64[repeats]."""

class PlanMetrics:
    """Shape and time of a plan."""

    @property
    def nodes(self) -> int: ...
    @property
    def edges(self) -> int: ...
    @property
    def depth(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def critical_path(self) -> float: ...
    @property
    def critical_nodes(self) -> int: ...

max_nodes: int

def plan_validate(depends_on: Sequence[int]) -> None: ...
def plan_ready(depends_on: Sequence[int], done: int) -> int: ...
def plan_order(depends_on: Sequence[int]) -> list[int]: ...
def plan_metrics(depends_on: Sequence[int], seconds: Sequence[float]) -> PlanMetrics: ...

# Task DAGs (room plan).

# The fields of turnout.dag.DagMetrics, of turnout.dag.Task.
_DagMetrics = tuple[
    int, int, int, int, float, float, float, float, float, tuple[int, ...] | tuple[str, ...], tuple[float, ...]
]
_Task = tuple[int, str, str, str, float, float, int, int, _TaskState, str, int, tuple[tuple[str, float], ...]]

max_tasks: int
max_edges: int
max_antichain_nodes: int

def dag_measure(
    nodes: int,
    edges: NDArray[np.int32],
    seconds: NDArray[np.float64] | None,
    coupling: NDArray[np.float64] | None,
) -> _DagMetrics: ...
def dag_order(nodes: int, edges: NDArray[np.int32]) -> list[int]: ...
def dag_antichain(nodes: int, edges: NDArray[np.int32]) -> list[int]: ...
def dag_topology(
    nodes: int,
    width: int,
    depth: int,
    coupling: float,
    wide_share: float,
    loose: float,
    deep_share: float,
    tight: float,
    layers: int,
) -> tuple[str, str]: ...
def task_dag_from_columns(
    names: Sequence[str],
    edges: NDArray[np.int32],
    coupling: NDArray[np.float64] | None,
    seconds: NDArray[np.float64] | None,
    cost: NDArray[np.float64] | None,
    priority: NDArray[np.int32] | None,
    skills: NDArray[np.uint64] | None,
) -> TaskDag: ...

class TaskDag:
    def __init__(self) -> None: ...
    @staticmethod
    def restore(tasks: Sequence[tuple[Any, ...]], next_id: int) -> TaskDag: ...
    def copy(self) -> TaskDag: ...
    def add(
        self,
        name: str,
        inputs: Sequence[tuple[str, float]],
        operator_name: str,
        device_class: str,
        seconds: float,
        cost: float,
        priority: int,
        skills: int,
        /,
    ) -> None: ...
    def remove(self, name: str, /) -> None: ...
    def connect(self, source: str, to: str, coupling: float, /) -> None: ...
    def disconnect(self, source: str, to: str, /) -> None: ...
    def change(self, name: str, fields: dict[str, Any], /) -> None: ...
    def apply(self, edits: list[tuple[int, str, tuple[Any, ...] | dict[str, Any] | None, str, float]], /) -> None: ...
    def assign(self, name: str, agent: str, /) -> None: ...
    def start(self, name: str, agent: str, /) -> None: ...
    def complete(self, name: str, /) -> None: ...
    def retry(self, name: str, /) -> None: ...
    def fail(self, name: str, dependents: str, /) -> None: ...
    def cancel(self, name: str, dependents: str, /) -> None: ...
    def ready(self) -> list[str]: ...
    def blocked(self) -> list[str]: ...
    def order(self) -> list[str]: ...
    def task(self, name: str, /) -> _Task: ...
    def tasks(self) -> tuple[_Task, ...]: ...
    def names(self) -> list[str]: ...
    def dependents(self, name: str, /) -> list[str]: ...
    def contains(self, name: str, /) -> bool: ...
    def count(self, state: str, /) -> int: ...
    def size(self) -> int: ...
    def edges(self) -> int: ...
    def next_id(self) -> int: ...
    def digest(self) -> int: ...
    def equals(self, other: TaskDag, /) -> bool: ...
    def measure(self) -> _DagMetrics: ...
    def columns(self) -> tuple[list[str], NDArray[np.int32], NDArray[np.float64], NDArray[np.float64]]: ...
    def assign_agents(
        self, policy: str, agents: Sequence[tuple[Any, ...]], turn: int
    ) -> tuple[list[tuple[str, int, bool]], list[tuple[float, int]], int]: ...

_Column = NDArray[np.float64] | None

max_frontier_width: int
max_placed_tasks: int
max_exact_tasks: int

def with_retries(p: float, retries: int) -> float: ...
def dag_reliability(
    edges: NDArray[np.int32], p: _Column, q: _Column, retries: NDArray[np.int32] | None, max_width: int, bounds: bool
) -> tuple[Literal["tree", "frontier", "bounds"], int, tuple[float, ...], tuple[float, ...], float, float, float]: ...
def dag_best_path(
    edges: NDArray[np.int32],
    success: _Column,
    cost: _Column,
    seconds: _Column,
    needs: _Column,
    releases: _Column,
    max_cost: float,
    max_seconds: float,
    capacity: float,
    source: int,
    target: int,
) -> tuple[tuple[int, ...], float, float, float, float] | None: ...
def dag_place(
    edges: NDArray[np.int32],
    seconds: _Column,
    cost: _Column,
    memory: _Column,
    capacity: _Column,
    slots: NDArray[np.int32] | None,
    data: _Column,
    latency: _Column,
    seconds_per_unit: _Column,
    cost_per_unit: _Column,
    deadline: float,
    max_nodes: int,
) -> tuple[tuple[tuple[int, int, float, float], ...], float, float, float, float, bool, float, int]: ...
def dag_plan_epochs(
    edges: NDArray[np.int32],
    run: _Column,
    model: NDArray[np.int32] | None,
    load: _Column,
    cached: _Column,
    transfer: _Column,
    beam: int,
) -> tuple[tuple[tuple[int, int, int, float], ...], float, bool, int]: ...
def dag_merge(
    queries: list[list[tuple[Any, ...]]], hash_mask: int = ...
) -> tuple[tuple[tuple[str, bytes, tuple[int, ...], bool], ...], tuple[int, ...], tuple[tuple[int, ...], ...]]: ...
def choose_configuration(
    quality: _Column, seconds: _Column, cost: _Column, min_quality: float, max_seconds: float
) -> tuple[int, bool, float, float]: ...

# Tool graphs (room graph).

max_graph_nodes: int
max_graph_edges: int
max_graph_weight: float

# Node ids, edge ids, cost of each edge, cost.
_GraphPath = tuple[tuple[int, ...], tuple[int, ...], tuple[float, ...], float]

class ToolGraph:
    """Compressed sparse rows with weights and masks that change in place."""

    def __init__(
        self,
        nodes: int,
        sources: NDArray[np.int32],
        targets: NDArray[np.int32],
        weights: NDArray[np.float64],
    ) -> None: ...
    @property
    def nodes(self) -> int: ...
    @property
    def edges(self) -> int: ...
    @property
    def version(self) -> int: ...
    def sources(self) -> NDArray[np.int32]: ...
    def targets(self) -> NDArray[np.int32]: ...
    def weights(self) -> NDArray[np.float64]: ...
    def built_weights(self) -> NDArray[np.float64]: ...
    def costs(self) -> NDArray[np.float64]: ...
    def edge_masked(self) -> NDArray[np.bool_]: ...
    def node_masked(self) -> NDArray[np.bool_]: ...
    def edges_between(self, source: int, target: int) -> list[int]: ...
    def set_weight(self, edge: int, weight: float) -> None: ...
    def set_weights(self, edges: NDArray[np.int32], weights: NDArray[np.float64]) -> None: ...
    def mask_edge(self, edge: int, masked: bool = True) -> None: ...
    def mask_node(self, node: int, masked: bool = True) -> None: ...
    def reset(self) -> None: ...
    def shortest_path(self, sources: Sequence[int], goals: Sequence[int]) -> _GraphPath | None: ...
    def a_star(
        self, sources: Sequence[int], goals: Sequence[int], heuristic: NDArray[np.float64], check: bool
    ) -> _GraphPath | None: ...
    def path_arrays(self, source: int, goal: int) -> tuple[NDArray[np.int32], NDArray[np.int32], float] | None: ...
    def distances_from(self, sources: Sequence[int]) -> NDArray[np.float64]: ...
    def distances_to(self, goals: Sequence[int]) -> NDArray[np.float64]: ...
    def __getstate__(self) -> tuple[Any, ...]: ...
    def __setstate__(self, state: tuple[Any, ...], /) -> None: ...

class GraphReplanner:
    """Paths to one goal that follow the changes of a graph."""

    def __init__(self, graph: ToolGraph, start: int, goal: int) -> None: ...
    def replan(self) -> _GraphPath | None: ...
    def move_start(self, start: int) -> None: ...
    @property
    def start(self) -> int: ...
    @property
    def goal(self) -> int: ...
    @property
    def settled(self) -> int: ...
    @property
    def fresh(self) -> bool: ...

def graph_k_shortest_paths(graph: ToolGraph, source: int, goal: int, k: int) -> list[_GraphPath]: ...
def graph_health_weights(
    base: NDArray[np.float64],
    latency_ms: NDArray[np.float64],
    reliability: NDArray[np.float64],
    rate_limit_proximity: NDArray[np.float64],
) -> NDArray[np.float64]: ...
def graph_costa_score(cost: float, quality: float, a: float) -> float: ...
def graph_weighted_score(
    usd: float, seconds: float, quality: float, usd_weight: float, seconds_weight: float, quality_weight: float
) -> float: ...
def graph_desirability(
    ability: NDArray[np.float64],
    load: NDArray[np.float64],
    seconds: NDArray[np.float64],
    ability_weight: float,
    load_weight: float,
    seconds_weight: float,
) -> NDArray[np.float64]: ...

max_graph_paths: int
max_pareto_labels: int
max_graph_tasks: int

class GraphCriteria:
    """USD, seconds and quality of edges and nodes."""

    def __init__(self, graph: ToolGraph, edges: NDArray[np.float64], nodes: NDArray[np.float64]) -> None: ...
    def set_edge(self, edge: int, usd: float, seconds: float, quality: float) -> None: ...
    def set_node(self, node: int, usd: float, seconds: float, quality: float) -> None: ...
    def pareto_paths(
        self, source: int, goal: int, max_usd: float, max_seconds: float, min_quality: float, max_labels: int
    ) -> tuple[list[tuple[tuple[int, ...], tuple[int, ...], float, float, float]], bool, int]: ...

class GraphJoins:
    """Which inputs each node of a graph needs."""

    def __init__(
        self,
        graph: ToolGraph,
        inputs: NDArray[np.int32],
        joins: NDArray[np.uint8],
        required: Sequence[tuple[int, int]],
    ) -> None: ...
    def cheapest_plan(
        self, sources: Sequence[int], goal: int, node_cost: NDArray[np.float64] | None, side_by_side: bool
    ) -> tuple[tuple[int, ...], tuple[int, ...], float, float] | None: ...

class GraphPheromones:
    """Pheromones of each task on each edge."""

    def __init__(
        self,
        graph: ToolGraph,
        tasks: int,
        *,
        evaporation: float = ...,
        deposit: float = ...,
        cost_floor: float = ...,
        pheromone_power: float = ...,
        desirability_power: float = ...,
        initial: float = ...,
        least: float = ...,
        most: float = ...,
    ) -> None: ...
    def walk(
        self,
        source: int,
        goal: int,
        task_weights: NDArray[np.float64],
        eta: NDArray[np.float64],
        rng: Philox,
    ) -> _GraphPath | None: ...
    def update(self, path: Sequence[int], task_weights: NDArray[np.float64], cost: float, gate: bool) -> None: ...
    def values(self) -> NDArray[np.float64]: ...
    def set_values(self, values: NDArray[np.float64]) -> None: ...

# Self-healing (room graph).
# Node, loss of giving it up, stand-ins with their losses.
_Goal = tuple[int, float, Sequence[tuple[int, float]]]
# sequence, kind, reason, tool (-1: none), cost.
_Record = tuple[int, HealingKind, HealingReason, int, float]

class HealingRun:
    """A run through a tool graph that survives failures; by ids."""

    def __init__(
        self,
        graph: ToolGraph,
        starts: Sequence[int],
        goals: Sequence[_Goal],
        *,
        inputs: Sequence[int],
        joins: Sequence[int],
        required: Sequence[tuple[int, int]],
        max_retries: int,
        down: Sequence[int],
    ) -> None: ...
    def step(self) -> list[int]: ...
    def succeeded(self, tool: int) -> None: ...
    def failed(self, tool: int) -> _Record: ...
    def refused(self, tool: int) -> _Record: ...
    def tripped(self, tool: int) -> _Record | None: ...
    def restored(self, tool: int) -> _Record: ...
    def escalate(self) -> _Record: ...
    def resume(self, more_retries: int) -> _Record: ...
    def demote(self) -> _Record: ...
    def retarget(self, goals: Sequence[_Goal]) -> _Record: ...
    def set_weights(self, edges: NDArray[np.int32], weights: NDArray[np.float64]) -> None: ...
    @property
    def state(self) -> HealingState: ...
    @property
    def plan(self) -> tuple[list[int], list[int], float]: ...
    @property
    def log(self) -> list[_Record]: ...
    @property
    def goals(self) -> list[int]: ...
    @property
    def failures(self) -> int: ...
    def executed(self, tool: int) -> bool: ...
    def in_flight(self, tool: int) -> bool: ...
    def masked(self, tool: int) -> bool: ...
    def down(self) -> list[int]: ...
    def cut(self) -> list[int]: ...
    def demotion(self) -> tuple[list[tuple[int, int, float]], float] | None: ...

# Ledgers (room budget).

# Path, limits (None: none), spent, held, overrun; in units.
_Units = tuple[int, int, int, int]
_AccountState = tuple[str, tuple[int | None, int | None, int | None, int | None], _Units, _Units, _Units]

class Amount:
    """Dollars, tokens, seconds and calls."""

    def __init__(self, *, usd: float = ..., tokens: float = ..., seconds: float = ..., calls: float = ...) -> None: ...
    @property
    def usd(self) -> float: ...
    @property
    def tokens(self) -> float: ...
    @property
    def seconds(self) -> float: ...
    @property
    def calls(self) -> float: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...

class Settlement:
    """What a commit or release did; true where it counted."""

    def __init__(self, *, counted: bool = ..., late: bool = ..., overrun: bool = ...) -> None: ...
    @property
    def counted(self) -> bool:
        """False where the reservation was settled before, or expired and forgotten: nothing was changed."""
    @property
    def late(self) -> bool:
        """The hold had expired, or its account was closed."""
    @property
    def overrun(self) -> bool:
        """More was spent than reserved, in some dimension."""
    def __bool__(self) -> bool: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...

class Refusal:
    """Why a reservation was not made. False."""

    @property
    def reason(self) -> Literal["limit", "table_full"]: ...
    @property
    def account(self) -> str:
        """Path of the first account that refuses, from the account itself up to its root."""
    @property
    def dimension(self) -> Literal["usd", "tokens", "seconds", "calls"] | None:
        """Its first dimension that refuses, in this order; None where the table is full."""
    @property
    def missing(self) -> float:
        """How much more than what remains was asked for."""
    def __bool__(self) -> Literal[False]: ...
    def __repr__(self) -> str: ...

class Reservation:
    """A hold on an account and all of its ancestors.

    As a context manager it is released where it is left without a commit.
    """

    @property
    def id(self) -> int:
        """Never used twice by a ledger."""
    @property
    def amount(self) -> Amount: ...
    def commit(
        self,
        *,
        usd: float | None = ...,
        tokens: float | None = ...,
        seconds: float | None = ...,
        calls: float | None = ...,
    ) -> Settlement:
        """Gives the hold back and counts what was spent; what is not given counts as reserved.

        More than was reserved counts too (an overrun), also beyond a limit; then the account and its descendants take
        no reservation until there is room again. After the hold expired it counts too (late). A second commit or
        release changes nothing.
        """
    def release(self) -> Settlement:
        """Gives the hold back; nothing was spent."""
    def extend(self, ttl: float) -> bool:
        """Holds for `ttl` seconds from now; False where it is no longer held."""
    def __enter__(self) -> Reservation: ...
    def __exit__(self, *error: object) -> None: ...
    def __repr__(self) -> str: ...

class Account:
    """An account of a ledger: a handle, stale once the account is closed."""

    def reserve(
        self,
        *,
        usd: float | None = ...,
        tokens: float | None = ...,
        seconds: float | None = ...,
        calls: float | None = ...,
        ttl: float | None = ...,
    ) -> Reservation:
        """Holds an amount in the account and all of its ancestors, or in none.

        Parameters
        ----------
        usd, tokens, seconds, calls : float
            Rounded up to whole units (nano-USD, tokens, microseconds, calls); default 0.
        ttl : float, optional
            Seconds after which the hold is given back; default: held until it is committed or released.

        Raises
        ------
        BudgetExceeded
            An account has no room for it, or the ledger has no place.
        InputError
            With the path ``account`` (closed), ``amount.usd`` and so on, or ``ttl``.
        """
    def try_reserve(
        self,
        *,
        usd: float | None = ...,
        tokens: float | None = ...,
        seconds: float | None = ...,
        calls: float | None = ...,
        ttl: float | None = ...,
    ) -> Reservation | Refusal:
        """`reserve`, with the refusal as a value."""
    def check(
        self, *, usd: float = ..., tokens: float = ..., seconds: float = ..., calls: float = ...
    ) -> Refusal | None:
        """What a reservation would be refused for now; None where it would be made."""
    def open(
        self,
        name: str,
        *,
        usd: float | None = ...,
        tokens: float | None = ...,
        seconds: float | None = ...,
        calls: float | None = ...,
    ) -> Account:
        """Opens an account under this one."""
    def set_limits(
        self,
        *,
        usd: float | None = ...,
        tokens: float | None = ...,
        seconds: float | None = ...,
        calls: float | None = ...,
    ) -> None:
        """Replaces all limits; None is no limit. Below what is spent and held, nothing more is reserved."""
    def close(self) -> None:
        """Closes the account and its descendants: holds are given back, spending stays in their ancestors.

        A later commit of such a hold is late and counts in the nearest ancestor that is open.
        """
    @property
    def path(self) -> str: ...
    @property
    def is_open(self) -> bool: ...
    @property
    def remaining(self) -> Amount:
        """The least over the account and its ancestors; infinity where none has a limit."""
    @property
    def pressure(self) -> float:
        """The least remaining share of a limit over dimensions, the account and its ancestors; 1 without limits."""
    @property
    def limits(self) -> Amount:
        """The account's own; infinity is no limit."""
    @property
    def spent(self) -> Amount:
        """By the account and its descendants."""
    @property
    def held(self) -> Amount: ...
    @property
    def overrun(self) -> Amount:
        """Of what was spent, what went beyond its reservation."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __repr__(self) -> str: ...

class Ledger:
    def __init__(self, clock: Callable[[], float] | None, max_accounts: int, max_reservations: int) -> None: ...
    def open(
        self, path: str, usd: float | None, tokens: float | None, seconds: float | None, calls: float | None
    ) -> Account: ...
    def find(self, path: str) -> Account | None: ...
    def sweep(self) -> int: ...
    def snapshot(self) -> list[_AccountState]: ...
    def counts(self) -> dict[str, int]: ...
    def held(self) -> int: ...

class Pacer:
    def __init__(
        self,
        plan: Sequence[tuple[float, float]],
        burst: float,
        start: float | None,
        clock: Callable[[], float] | None,
    ) -> None: ...
    def admit(self, amount: float) -> bool:
        """Takes `amount` >= 0 from the credit, or nothing and returns False."""
    def record(self, amount: float) -> None:
        """Counts what was spent without asking; the credit may go below zero."""
    @property
    def planned(self) -> float:
        """To have been spent by now."""
    @property
    def spent(self) -> float: ...
    @property
    def credit(self) -> float:
        """What is admitted at once now."""
    @property
    def pace(self) -> float:
        """Spent against planned: above 1 is ahead of the plan."""
    @property
    def multiplier(self) -> float:
        """credit / burst in [0, 1]: 1 at or behind the plan, 0 where it is ahead by `burst`."""

max_turns: int

class TurnHistogram:
    """How many turns runs took: an exact streaming quantile, as turns are small integers."""

    def __init__(self) -> None: ...
    def add(self, turns: int) -> None:
        """One run of at least 1 turn; more than `max_turns` count as that."""
    def merge(self, other: TurnHistogram) -> None: ...
    def quantile(self, q: float) -> int:
        """The least number of turns that a share q in (0, 1] of the runs did not exceed (nearest rank)."""
    def __len__(self) -> int: ...

class TurnControl:
    """A limit on turns: a reminder at the last, extensions on demand, never past the hard cap."""

    def __init__(self, limit: int, *, hard_cap: int, extension: int) -> None: ...
    def next(self) -> Literal["go", "remind", "stop"]:
        """Asks for one more turn and counts it, unless the answer is `stop`; `remind` is the last within the limit."""
    def extend(self, *, requested: bool, affordable: bool) -> bool:
        """Raises the limit by `extension`, up to the hard cap, if asked for and affordable; whether it rose."""
    @property
    def used(self) -> int: ...
    @property
    def limit(self) -> int: ...
    @property
    def hard_cap(self) -> int: ...
    @property
    def extensions(self) -> int: ...

def budget_lambda(base: float, pressure: float, floor: float) -> float: ...
def effective_value(value_usd: float, pressure: float, floor: float) -> float: ...
def budget_action(share: float, go_on: float, dig: float, pivot: float) -> Literal["go_on", "dig", "pivot", "stop"]: ...
def unified_cost(
    tokens_in: float,
    tokens_out: float,
    usd_per_mtok_in: float,
    usd_per_mtok_out: float,
    calls: Sequence[float],
    usd_per_call: Sequence[float],
) -> float: ...
def selection_probabilities(values: NDArray[np.float64], r: float) -> NDArray[np.float64]: ...
def budget_select(values: NDArray[np.float64], r: float, rng: Philox) -> int: ...
def terminal_bound(p_min: float, steps: float, eps: float) -> float:
    """The least M with M >= (1 / p_min) (K + sqrt(2 K log(1 / eps)) + 2 log(1 / eps)) for K = `steps` (BAVT).

    After M expansions, each of which makes progress with a probability of at least `p_min`, a search has made K steps
    with probability 1 - `eps`.
    """

# Telemetry.

# Loops of `turnout bench`: microseconds of an operation, float64[samples]; heap allocations of all; an answer.
_Timed = tuple[NDArray[np.float64], int, Any]

def time_shortest_path(graph: ToolGraph, source: int, goal: int, samples: int) -> _Timed: ...
def time_replan(graph: ToolGraph, source: int, goal: int, from_source: bool) -> _Timed: ...
def time_dag_measure(nodes: int, edges: NDArray[np.int32], seconds: NDArray[np.float64], samples: int) -> _Timed: ...
def time_reserve_commit(depth: int, threads: int, samples: int, operations: int) -> _Timed: ...
def time_telemetry_record(samples: int, operations: int) -> _Timed: ...
def time_feedback(samples: int, operations: int) -> _Timed: ...
def feedback_log(replica: int, outcomes: int) -> list[bytes]:
    """The log of so many decisions and their outcomes, in parts as a service flushes them."""

def reason_names() -> list[Reason]:
    """In the order of the bits."""

def rule_names() -> list[Rule]: ...
def stage_names() -> list[Stage]:
    """In the order in which they run."""

def statistic_names() -> list[Statistic]: ...
def status_names() -> list[Status]: ...

class PlanNode:
    """One call slot of a plan: which operator, which LLM, after which nodes, at what price."""

    @property
    def operator(self) -> str:
        """Id of the operator that this call belongs to."""
    @property
    def layer(self) -> int:
        """Layer of the operator in the allocation, from 0."""
    @property
    def role(self) -> str:
        """What the call does in its operator, as in `critic`."""
    @property
    def llm(self) -> str:
        """Id of the LLM to call."""
    @property
    def tools(self) -> tuple[str, ...]:
        """Ids of the tools and agents that the call may use; empty for a role that uses none."""
    @property
    def depends_on(self) -> tuple[int, ...]:
        """Indices in `plan` of the nodes that must have ended before it starts; all are earlier."""
    @property
    def calls(self) -> int:
        """How often the LLM is called."""
    @property
    def rounds(self) -> int:
        """How many of these calls come one after the other; the others run side by side."""
    @property
    def max_input_tokens(self) -> int:
        """Prompt tokens of one call that the plan reckons with."""
    @property
    def max_output_tokens(self) -> int:
        """Output tokens to allow one call; the `cap` statistic charges all of them."""
    @property
    def p_correct(self) -> float:
        """P(correct) of this LLM alone on this query, in [0, 1]."""
    @property
    def prior(self) -> float:
        """The same by the bundle's outcome model alone, without what was learned and without telemetry."""
    @property
    def usd(self) -> float:
        """Expected USD of all its calls."""
    @property
    def usd_bound(self) -> float:
        """USD of all its calls by the statistic that the limits bound."""
    @property
    def seconds(self) -> float:
        """Expected seconds from its start to its end."""
    @property
    def catalog_seconds(self) -> float:
        """The same without the slowdown that telemetry saw: what to give telemetry as `expected_seconds`."""
    @property
    def seconds_bound(self) -> float:
        """Seconds by the statistic that the limits bound."""
    def to_dict(self) -> dict[str, Any]:
        """The same as plain data, for JSON."""
    def __eq__(self, other: object, /) -> bool: ...
    def __repr__(self) -> str: ...
    def __getstate__(self) -> tuple[Any, ...]: ...
    def __setstate__(self, state: tuple[Any, ...], /) -> None: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]

class Alternative:
    """An LLM as a single call, with what it would give and the rule that excludes it, if any."""

    @property
    def llm(self) -> str:
        """Id of the LLM."""
    @property
    def feasible(self) -> bool:
        """Whether no hard rule or limit excludes it."""
    @property
    def rule(self) -> Rule:
        """What excludes it: `none`, `not_allowed`, `denied`, `policy`, `context`, `budget`, `time`, `tripped`,
        `rate_limited`, `calls` or `tokens`."""
    @property
    def p_correct(self) -> float:
        """P(correct) of the call, in [0, 1]."""
    @property
    def usd(self) -> float:
        """Expected USD."""
    @property
    def usd_bound(self) -> float:
        """USD by the statistic that the limits bound."""
    @property
    def seconds(self) -> float:
        """Expected seconds."""
    @property
    def utility(self) -> float:
        """value_usd * p_correct - usd - usd_per_second * seconds, in USD."""
    def to_dict(self) -> dict[str, Any]:
        """The same as plain data, for JSON."""
    def __eq__(self, other: object, /) -> bool: ...
    def __repr__(self) -> str: ...
    def __getstate__(self) -> tuple[Any, ...]: ...
    def __setstate__(self, state: tuple[Any, ...], /) -> None: ...
    __hash__: ClassVar[None]  # type: ignore[assignment]

class Decision:
    """A costed, explained plan. Frozen, comparable (ticket and timings aside), hashable, picklable."""

    @property
    def difficulty(self) -> float:
        """P(the reference LLM fails) on this query, were there no guessing; in [0, 1]."""
    @property
    def floor(self) -> float:
        """Share of right answers that guessing gives: every P(correct) of an LLM lies above it."""
    @property
    def output_scale(self) -> float:
        """Length of answers to this query, in multiples of each LLM's own."""
    @property
    def domain_similarity(self) -> float:
        """Best cosine to a centroid of the training queries, in [-1, 1]."""
    @property
    def in_tokens(self) -> int:
        """Length of the query in tokens, whose price is paid; -1 for a vector that came without it."""
    @property
    def kept_tokens(self) -> int:
        """Tokens that entered the vector; fewer than `in_tokens` where `truncated` is among the reasons."""
    @property
    def depth(self) -> int:
        """Layers of operators that the depth rule gave; an early stop may use fewer."""
    @property
    def p_correct(self) -> float:
        """P(correct) of the whole plan, in [0, 1]."""
    @property
    def usd(self) -> float:
        """Expected USD of the plan."""
    @property
    def usd_bound(self) -> float:
        """USD of the plan by `route`'s statistic: what `budget_usd` bounds."""
    @property
    def seconds(self) -> float:
        """Expected seconds of the plan, its operators one after the other."""
    @property
    def seconds_bound(self) -> float:
        """Seconds of the plan by `route`'s statistic: what `max_seconds` bounds."""
    @property
    def utility(self) -> float:
        """value_usd * p_correct - usd - usd_per_second * seconds, in USD."""
    @property
    def gap(self) -> float:
        """No feasible assignment has a utility above `utility` + `gap`, in USD; 0 when proved optimal."""
    @property
    def labels(self) -> int:
        """Labels that the search under limits created: a measure of its work."""
    @property
    def width(self) -> int:
        """Most nodes at one depth of the plan: how many may run side by side."""
    @property
    def critical_path_seconds(self) -> float:
        """Seconds of the plan when every node starts as soon as it may."""
    @property
    def ticket(self) -> int:
        """Number of this decision in its router; no part of equality."""
    @property
    def seed(self) -> int | None:
        """The seed that it was sampled with; None for a greedy decision."""
    @property
    def bundle(self) -> str:
        """Bundle that it was made with, as `name@version`."""
    @property
    def reservation(self) -> Reservation | None:
        """What is reserved for the plan on the account that it was made on; None without one, or after pickling."""
    @property
    def pressure(self) -> float | None:
        """Share of the account that was left, by which `value_usd` was multiplied; None without an account."""
    @property
    def telemetry(self) -> dict[str, dict[str, float | str]] | None:
        """Health, slowdown and rule of each LLM as telemetry gave them, by id; None where none was given."""
    @property
    def value_usd(self) -> float:
        """What a correct answer was worth, USD; on an account, times its pressure."""
    @property
    def usd_per_second(self) -> float:
        """What a second cost, USD."""
    @property
    def budget_usd(self) -> float | None:
        """Hard limit of the plan's USD; None without one."""
    @property
    def max_seconds(self) -> float | None:
        """Hard limit of the plan's seconds; None without one."""
    @property
    def max_calls(self) -> int | None:
        """Hard limit of the plan's LLM calls; None without one."""
    @property
    def state_version(self) -> int:
        """Version of the state that a learner read; 0: no outcome yet, or no learner."""
    @property
    def prior(self) -> float:
        """P(correct) of the plan by the bundle's outcome model alone; `p_correct` without a learner."""
    @property
    def propensity(self) -> float:
        """Probability with which this plan was chosen; 1 where nothing is explored."""
    @property
    def candidates(self) -> tuple[tuple[str | None, float], ...]:
        """Plans that a learner could have drawn, the best one first, as (LLM of a single call or None, probability)."""
    @property
    def llm(self) -> str | None:
        """LLM of the plan's first node; None without a plan."""
    @property
    def plan(self) -> tuple[PlanNode, ...]:
        """The calls to make, in topological order; empty where no LLM or operator is allowed."""
    @property
    def layers(self) -> tuple[tuple[tuple[str, float], ...], ...]:
        """The operators that were drawn in each layer, as (id, probability)."""
    @property
    def tools(self) -> tuple[tuple[str, float], ...]:
        """Tools and agents that fit the query, best first, as (id, score)."""
    @property
    def tool_similarities(self) -> tuple[float, ...]:
        """The inner product of each of `tools` with the query: its score before the cost bias."""
    @property
    def alternatives(self) -> tuple[Alternative, ...]:
        """LLMs as a single call, best first."""
    @property
    def infeasible(self) -> dict[str, Rule]:
        """For each LLM that is excluded: the rule that excludes it."""
    @property
    def status(self) -> Status:
        """What is proved of the assignment; see `turnout.assign.Solution`."""
    @property
    def feasible(self) -> bool:
        """Whether there is a plan and it meets every limit."""
    @property
    def reasons(self) -> tuple[Reason, ...]:
        """What a reader must know beside the plan: see `turnout.names`."""
    @property
    def microseconds(self) -> dict[Stage, float]:
        """Time that each stage of this decision took; no part of equality."""
    @property
    def trace(self) -> str:
        """One line a stage with the numbers that decided, without timings."""
    def explain(self, timings: bool = True) -> str:
        """One line a stage with the numbers that decided, and how long it took."""
    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data, for JSON; with the options and the timings."""
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __str__(self) -> str: ...
    def __repr__(self) -> str: ...
    def __getstate__(self) -> tuple[Any, ...]: ...
    def __setstate__(self, state: tuple[Any, ...], /) -> None: ...

class DecisionBatch:
    """Decisions of many queries: columns at once, each Decision on demand."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Decision:
        """The Decision of one row."""
    def __iter__(self) -> Iterator[Decision]: ...
    def __repr__(self) -> str: ...
    @property
    def llm_index(self) -> NDArray[np.int32]:
        """LLM of each plan's first node, an index into `llms`; -1 without a plan. int32[N]."""
    @property
    def tool_index(self) -> NDArray[np.int32]:
        """Best tool or agent, an index into `capabilities`; -1 where none fits. int32[N]."""
    @property
    def depth(self) -> NDArray[np.int32]:
        """Layers of operators that the depth rule gave. int32[N]."""
    @property
    def calls(self) -> NDArray[np.int32]:
        """LLM calls of each plan. int32[N]."""
    @property
    def difficulty(self) -> NDArray[np.float64]:
        """P(the reference LLM fails), in [0, 1]. float64[N]."""
    @property
    def p_correct(self) -> NDArray[np.float64]:
        """P(correct) of each plan, in [0, 1]. float64[N]."""
    @property
    def usd(self) -> NDArray[np.float64]:
        """Expected USD. float64[N]."""
    @property
    def usd_bound(self) -> NDArray[np.float64]:
        """USD by the statistic that the limits bound. float64[N]."""
    @property
    def seconds(self) -> NDArray[np.float64]:
        """Expected seconds. float64[N]."""
    @property
    def utility(self) -> NDArray[np.float64]:
        """value_usd * p_correct - usd - usd_per_second * seconds, in USD. float64[N]."""
    @property
    def feasible(self) -> NDArray[np.bool_]:
        """Whether there is a plan and it meets every limit. bool[N]."""
    @property
    def reason_bits(self) -> NDArray[np.uint32]:
        """Bit i: the reason `turnout.names.REASONS[i]`. uint32[N]."""
    @property
    def llms(self) -> list[str]:
        """Ids that `llm_index` points to."""
    @property
    def capabilities(self) -> list[str]:
        """Ids that `tool_index` points to."""
    def __arrow_c_array__(self, requested_schema: object = None) -> tuple[CapsuleType, CapsuleType]: ...
    def __arrow_c_stream__(self, requested_schema: object = None) -> CapsuleType: ...

class Constraints:
    """Rules of one caller, compiled against one router's pool."""

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

class Live:
    """What a call reads of the present: conditions of one router's LLMs."""

    @staticmethod
    def fixed(health: NDArray[np.float64], slowdown: NDArray[np.float64], rules: NDArray[np.uint8]) -> Live: ...
    @staticmethod
    def watching(telemetry: Telemetry, arms: Sequence[int], clock: Callable[[], float] | None) -> Live: ...

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
    def route(self, query: str | bytes | NDArray[np.float32], options: _Options, /) -> Decision: ...
    def route_vectors(self, queries: NDArray[np.float32], options: _Options, threads: int, /) -> DecisionBatch: ...
    def route_texts(self, queries: Sequence[str | bytes], options: _Options, threads: int, /) -> DecisionBatch: ...
    def attach(self, learner: Learner, /) -> Attachment: ...
    def replay(self, note: bytes, learning: Attachment | None, /) -> tuple[Decision, Decision]: ...
    def embed(self, text: str | bytes, /) -> NDArray[np.float32]: ...
    def count_tokens(self, text: str | bytes, /) -> int: ...
    def predict_texts(
        self, queries: Sequence[str | bytes], in_tokens: NDArray[np.int32], threads: int, /
    ) -> _Predicted: ...
    def predict_vectors(
        self, queries: NDArray[np.float32], in_tokens: NDArray[np.int32], threads: int, /
    ) -> _Predicted: ...
    def assess_texts(self, queries: Sequence[str | bytes], threads: int, /) -> _Assessed: ...
    def assess_vectors(self, queries: NDArray[np.float32], threads: int, /) -> _Assessed: ...
    @property
    def embedder_name(self) -> str: ...
    def capsule(self) -> CapsuleType:
        """The C++ Router, for a binding of one's own over the same build."""
    @property
    def dim(self) -> int: ...
    @property
    def llms(self) -> list[str]: ...
    @property
    def operators(self) -> list[str]: ...
    @property
    def capabilities(self) -> list[str]: ...

# learner

def note_state_version(note: bytes, /) -> int:
    """Of the decision in a note: the version of the state that it read."""

class Attachment:
    """A learner beside one router: which of its arms each LLM is."""

class Learner:
    """What was learned, joined to decisions; see turnout.learning."""

    def __init__(
        self,
        *,
        memory: Memory,
        logit: bool,
        domains: bool,
        latent: bool,
        ridge: float,
        gate: float,
        gate_up: float,
        usd_prior: float,
        strategy: int,
        width: float,
        epsilon: float,
        temperature: float,
        quality_floor: float,
        budget_share: float,
        suspend: bool,
        notes: int,
        seed: int,
    ) -> None: ...
    def report(
        self,
        ticket: int,
        node: int,
        score: float | None,
        usd: float | None,
        in_tokens: float | None,
        out_tokens: float | None,
        seconds: float | None,
        failure: int,
        /,
    ) -> int: ...
    def report_arms(self) -> list[tuple[str, float, float, float, bool, int, bool, NDArray[np.float64]]]: ...
    frozen: bool

class BreakerConfig:
    def __init__(
        self,
        *,
        consecutive_failures: int = ...,
        failure_rate: float = ...,
        min_calls: float = ...,
        cool_down_seconds: float = ...,
        backoff: float = ...,
        max_cool_down_seconds: float = ...,
        probes: int = ...,
    ) -> None: ...
    @property
    def consecutive_failures(self) -> int: ...
    @property
    def failure_rate(self) -> float: ...
    @property
    def min_calls(self) -> float: ...
    @property
    def cool_down_seconds(self) -> float: ...
    @property
    def backoff(self) -> float: ...
    @property
    def max_cool_down_seconds(self) -> float: ...
    @property
    def probes(self) -> int: ...

class CircuitBreaker:
    def __init__(self, config: BreakerConfig) -> None: ...
    def admits(self, now: float) -> bool: ...
    def try_acquire(self, now: float) -> tuple[bool, _Transition | None]: ...
    def record(self, ok: bool, now: float, too_many: bool) -> _Transition | None: ...
    def due(self, now: float) -> bool: ...
    def state(self, now: float) -> BreakerState: ...
    def retry_after(self, now: float) -> float: ...

class ArmState:
    @property
    def health(self) -> float: ...
    @property
    def latency_ratio(self) -> float: ...
    @property
    def seconds(self) -> float: ...
    @property
    def load(self) -> float: ...
    @property
    def rate_limit_proximity(self) -> float: ...
    @property
    def breaker(self) -> BreakerState: ...
    @property
    def updates(self) -> int: ...
    @property
    def calls(self) -> float: ...
    @property
    def calls_per_second(self) -> float: ...
    @property
    def usd(self) -> float: ...
    @property
    def tokens(self) -> float: ...
    @property
    def idle_seconds(self) -> float: ...
    @property
    def retry_after(self) -> float: ...
    @property
    def in_flight(self) -> int: ...
    @property
    def by_kind(self) -> list[int]: ...
    @property
    def transitions(self) -> list[int]: ...

class QuantileSketch:
    """Streaming quantiles of numbers in [0, 2^28]: DDSketch (Masson, Rim and Lee, VLDB 2019) over fixed buckets.

    Each power of two is cut into 128 equal buckets. A quantile is the upper edge of the bucket that holds it: at least
    the true one and at most 1/128 (0.79 %) above it. Whole numbers up to 256 are edges, so for them the quantile is the
    true one and its rank is exact. What is at most 2^-20 counts as 0. 48 KiB, whatever it has seen.
    """

    def __init__(self) -> None: ...
    def add(self, value: float, times: int = 1) -> None:
        """Raises an InputError, and adds nothing, where the value is not in [0, 2^28]."""
    def extend(self, values: NDArray[np.float64]) -> None:
        """Adds float64[N], all or none."""
    def merge(self, other: QuantileSketch) -> None:
        """Adds the other's values; in any order, the result is the same."""
    def quantile(self, q: float) -> float:
        """The value of rank max(1, ceil(q n)) of n, as numpy's ``inverted_cdf``. Raises an InputError when empty."""
    def share_at_most(self, value: float) -> float:
        """Share of the values that are at most `value`, give or take its bucket; 0 when empty."""
    def copy(self) -> QuantileSketch: ...
    @property
    def count(self) -> int: ...
    def save(self) -> bytes: ...
    @staticmethod
    def load(data: bytes) -> QuantileSketch:
        """Raises an InputError where the bytes are damaged; checked before they are parsed."""
    def __eq__(self, other: object) -> bool: ...

sketch_largest: float

def sketch_index(value: float) -> int: ...
def sketch_upper_edge(index: int) -> float: ...
def jensen_shannon(p: NDArray[np.float64], q: NDArray[np.float64], smoothing: float) -> float: ...

class Drift:
    def __init__(
        self, clusters: int, arms: int, *, window_seconds: float, smoothing: float, min_count: int
    ) -> None: ...
    def record(self, cluster: int, arm: int, now: float | None) -> None: ...
    def read(self, cluster: int, now: float | None) -> tuple[float, int, int, bool]: ...

class Telemetry:
    """Telemetry of arms by number."""

    def __init__(
        self,
        arms: int,
        *,
        half_life: float,
        prior_weight: float,
        breaker: BreakerConfig,
        shards: int,
        quantiles: bool,
        capacity: Sequence[int],
        limits: Sequence[tuple[float, float, float]],
    ) -> None: ...
    def record(
        self,
        arm: int,
        ok: bool,
        seconds: float,
        expected_seconds: float,
        usd: float,
        tokens: float,
        kind: int,
        now: float | None,
    ) -> None: ...
    def begin(self, arm: int, now: float | None) -> None: ...
    def end(self, arm: int, now: float | None) -> None: ...
    def report_rate_limit(self, arm: int, used_share: float, reset_seconds: float, now: float | None) -> None: ...
    def admits(self, arm: int, now: float | None) -> bool: ...
    def try_acquire(self, arm: int, now: float | None) -> bool: ...
    def refusing(self, now: float | None) -> list[int]: ...
    def read(self, arm: int, now: float | None) -> ArmState: ...
    def read_all(self, now: float | None) -> list[ArmState]: ...
    def sketch(self, arm: int) -> QuantileSketch: ...
    def quantile(self, arm: int, q: float) -> float: ...
    def events(self, after: int) -> list[tuple[int, float, int, BreakerState, BreakerState, Cause]]: ...
    @property
    def version(self) -> int: ...
    def save(self, now: float | None, tag: int) -> bytes: ...
    def restore(self, data: bytes, now: float | None, tag: int) -> None: ...

def steady_seconds() -> float:
    """The steady clock."""

# bandit

class LinearBandit:
    """A bandit over linear models, arms by position; see `turnout.bandit`."""

    def __init__(
        self,
        *,
        dim: int,
        policy: int,
        alpha: float,
        epsilon: float,
        temperature: float,
        ridge: float,
        cost_weight: float,
        seed: int,
    ) -> None: ...
    def select(
        self,
        x: NDArray[np.float32],
        allowed: NDArray[np.bool_] | None,
        cost: NDArray[np.float64] | None,
        prior: NDArray[np.float64] | None,
        seed: int | None,
        draws: int,
    ) -> tuple[int, float, NDArray[np.float64], NDArray[np.float64]]: ...
    def update(self, arm: int, x: NDArray[np.float32], reward: float, weight: float, prior: float) -> None: ...
    def update_batch(
        self,
        arms: Sequence[int],
        x: NDArray[np.float32],
        reward: NDArray[np.float64],
        weight: NDArray[np.float64] | None,
        prior: NDArray[np.float64] | None,
    ) -> None: ...
    def predict(self, arm: int, x: NDArray[np.float32]) -> tuple[float, float]: ...
    def add_arm(self, name: str) -> None: ...
    def remove_arm(self, arm: int) -> None: ...
    def discount(self, gamma: float) -> None: ...
    def residual(self, arm: int) -> float: ...
    @property
    def names(self) -> list[str]: ...
    @property
    def dim(self) -> int: ...
    @property
    def policy(self) -> int: ...
    @property
    def selections(self) -> int: ...
    def save(self) -> bytes: ...
    @staticmethod
    def load(data: bytes) -> LinearBandit: ...

class SurpriseState:
    """What is known of an arm: `*_evidence` is in units of the threshold."""

    @property
    def dead(self) -> bool: ...
    @property
    def admitted(self) -> bool: ...
    @property
    def drifting_up(self) -> bool: ...
    @property
    def drifting_down(self) -> bool: ...
    @property
    def dead_evidence(self) -> float: ...
    @property
    def up_evidence(self) -> float: ...
    @property
    def down_evidence(self) -> float: ...
    @property
    def outcomes(self) -> int: ...
    @property
    def deaths(self) -> int: ...
    @property
    def probes(self) -> int: ...

class Surprise:
    """Tests of outcomes against predictions, arms by number; see `turnout.bandit.Surprise`."""

    def __init__(
        self, arms: int, *, dead: float, drift: float, false_alarm: float, probe_after: int, probe_at_most: int
    ) -> None: ...
    def grow(self, arms: int) -> None: ...
    def forget(self, arm: int) -> None: ...
    def admits(self, arm: int) -> bool: ...
    def observe(self, arm: int, p: float, score: float) -> None: ...
    def decided(self, arm: int) -> None: ...
    def state(self, arm: int) -> SurpriseState: ...
    @property
    def version(self) -> int: ...

def time_bandit(
    x: NDArray[np.float32], rewards: NDArray[np.float64], samples: int, alpha: float, ridge: float
) -> tuple[NDArray[np.float64], int, list[int]]:
    """Microseconds of each selection + update, heap allocations (-1: not counted), the choices."""

# belief

max_answers: int
max_distinct: int
answer_model: tuple[int, float, float, float, float, float]

def next_step(
    llms: list[tuple[Any, ...]],
    answers: list[tuple[Any, ...]],
    worth: tuple[float, float, float],
    left: tuple[float, float, float],
    model: tuple[Any, ...],
    depth: int,
) -> tuple[Any, ...]: ...
def answer_posterior(
    llms: list[tuple[Any, ...]], answers: list[tuple[Any, ...]], model: tuple[Any, ...], distinct: int
) -> NDArray[np.float64]: ...
def log_likelihoods(ratings: NDArray[np.float64], median: bool, trim: float) -> NDArray[np.float64]: ...

class Belief:
    def __init__(self, prior: NDArray[np.float64]) -> None: ...
    def update(self, log_likelihood: Any, alpha: float = ...) -> None: ...
    def probabilities(self) -> NDArray[np.float64]: ...

def least_loss(p: NDArray[np.float64], loss: NDArray[np.float64]) -> tuple[int, float]: ...
def value_of_information(
    p: NDArray[np.float64], loss: NDArray[np.float64], likelihood: NDArray[np.float64]
) -> float: ...
def models_to_ask(probes: NDArray[np.int32], classes: int) -> int: ...
def accept(confidence: float, threshold: float, last: bool) -> bool: ...
def act_alone(samples: NDArray[np.int32], all: bool, classes: int) -> bool: ...
def break_even(upfront_usd: float, saving_usd: float) -> float: ...

# consensus

max_votes: int

def distinct_votes(llms: NDArray[np.int32], samples: NDArray[np.int64]) -> NDArray[np.uint8]: ...
def effective_votes(n: float, rho: float) -> float: ...
def independence(llms: NDArray[np.int32], rho: NDArray[np.float64]) -> NDArray[np.float64]: ...
def vote(
    answers: NDArray[np.int32], classes: int, weights: NDArray[np.float64], abilities: NDArray[np.float64]
) -> tuple[int, float, float, bool, NDArray[np.float64]]: ...
def quadratic_weights(
    credits: NDArray[np.float64], voters: NDArray[np.int32], authors: NDArray[np.int32]
) -> NDArray[np.float64]: ...
def trimmed_mean(values: NDArray[np.float64], trim: float) -> float: ...
def median(values: NDArray[np.float64]) -> float: ...
def linear_pool(opinions: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]: ...
def log_pool(opinions: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]: ...
def fuse(
    scores: NDArray[np.float64], weights: NDArray[np.float64], top: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def agreement(answers: NDArray[np.int32], classes: int) -> tuple[int, int, float, float, float]: ...

# state
max_candidates: int
failure_names: tuple[str, ...]

class Memory:
    """Evidence of arms, open tickets and their log."""

    def __init__(
        self,
        *,
        dim: int,
        space: str,
        replica: int,
        ticket_prefix: int,
        tickets: int = ...,
        discount: float = ...,
        epochs: int = ...,
        log_bytes: int = ...,
    ) -> None: ...
    @property
    def dim(self) -> int: ...
    @property
    def space(self) -> str: ...
    @property
    def replica(self) -> int: ...
    def open(
        self,
        context: NDArray[np.float32],
        *,
        candidates: Sequence[tuple[int, float, float, float, float]],
        chosen: int,
        steps: Sequence[tuple[int, float, float]],
        prior: float,
        value_usd: float,
        usd_per_second: float,
        state_version: int,
    ) -> int: ...
    def report(
        self,
        ticket: int,
        node: int = -1,
        *,
        score: float = ...,
        usd: float = ...,
        in_tokens: float = ...,
        out_tokens: float = ...,
        seconds: float = ...,
        failure: str = "none",
        learn: bool = True,
    ) -> Literal["accepted", "duplicate", "expired", "unknown"]: ...
    def note(self, ticket: int, data: bytes) -> None: ...
    def arm(self, name: str) -> int: ...
    def arm_name(self, arm: int) -> str: ...
    @property
    def arms(self) -> int: ...
    def advance(self, epoch: int) -> None: ...
    @property
    def epoch(self) -> int: ...
    @property
    def version(self) -> int: ...
    def arm_version(self, arm: int) -> int: ...
    def totals(self, arm: int) -> dict[str, Any]: ...
    def counts(self) -> dict[str, int]: ...
    def take(self) -> bytes: ...
    def snapshot(self) -> bytes: ...
    def slot(self) -> bytes: ...
    def slots(self) -> bytes: ...
    def restore(self, data: bytes) -> None: ...
    def apply(self, data: bytes) -> int: ...
    def merge(self, data: bytes) -> bool: ...

def read_log(parts: Sequence[bytes]) -> dict[str, Any]: ...
