"""Bundle + pool + embedder -> the native router. Everything that happens once, at load."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from turnout import _native
from turnout.bundle import Bundle, EmbedConfig, OperatorsConfig
from turnout.capability import Projection, build_index, load_index, matched_filter
from turnout.catalog import PolicyNames, load_capabilities, load_operators
from turnout.core import BundleError, ConfigError
from turnout.embed import CallableEmbedder
from turnout.onnx import load_session
from turnout.pool import Pool, ResolvedLlm, resolve
from turnout.schema import fail

LexicalTables = tuple[npt.NDArray[np.int8], npt.NDArray[np.int16], npt.NDArray[np.float32], npt.NDArray[np.float32]]

MARK_ROWS = 116

PROJECTION = "capability/projection.npy"
MAX_NORM = 1.0 + 1e-5  # of a tool's vector: a score is at most a cosine

DEPTH_RULES = {"cut_points": 0, "ceil": 1}


@dataclass(frozen=True)
class Parts:
    """What a router was made of, kept for `Router.info` and the twins."""

    bundle: Bundle
    pool: list[ResolvedLlm]
    policies: PolicyNames
    embedder: Any  # the native embedder, a CallableEmbedder, or None: vectors only
    difficulty: _native.DifficultyModel
    capabilities: list[_native.Capability]
    index: _native.CapabilityIndex | None  # None: no tools
    native: _native.Router


def default_pool(bundle: Bundle) -> Pool:
    """The pool that the bundle ships: `pool.toml`."""
    from turnout.schema import from_toml

    return from_toml(bundle.bytes("pool.toml"), Pool, bundle.where("pool.toml"), BundleError)


def read_pool(pool: Pool | dict[str, Any] | str | Path | None, bundle: Bundle) -> Pool:
    if pool is None:
        return default_pool(bundle)
    if isinstance(pool, Pool):
        return pool
    return Pool.from_dict(pool) if isinstance(pool, dict) else Pool.load(pool)


def native_llms(llms: Sequence[ResolvedLlm], policies: PolicyNames) -> list[_native.Llm]:
    return [
        _native.Llm(
            id=llm.entry.id,
            usd_per_mtok_in=llm.entry.usd_per_mtok_in,
            usd_per_mtok_out=llm.entry.usd_per_mtok_out,
            usd_per_call=llm.entry.usd_per_call,
            context_tokens=llm.entry.context_tokens,
            max_output_tokens=llm.entry.max_output_tokens,
            policy=policies.bits(llm.entry.policy, f"pool.llms[{i}].policy"),
            ability=llm.ability,
            ability_se=llm.ability_se,
            skill=llm.skill,
            discrimination=llm.discrimination,
            output_tokens_mean=llm.output_tokens_mean,
            output_tokens_p90=llm.output_tokens_p90,
            length_gain=llm.length_gain,
            length_skill=llm.length_skill,
            seconds_to_first_token=llm.entry.seconds_to_first_token,
            seconds_per_output_token=1.0 / llm.entry.tokens_per_second,
        )
        for i, llm in enumerate(llms)
    ]


def native_config(config: OperatorsConfig, path: str) -> _native.OperatorsConfig:
    if config.depth_rule not in DEPTH_RULES:
        raise fail(
            BundleError, f"{path}.depth_rule", f"expected one of {sorted(DEPTH_RULES)}, got {config.depth_rule!r}"
        )
    values = msgspec.structs.asdict(config)
    return _native.OperatorsConfig(**{**values, "depth_rule": DEPTH_RULES[config.depth_rule]})


def static_embedder(bundle: Bundle, config: EmbedConfig) -> _native.Embedder:
    rows = bundle.array("embed/rows.npy", np.int8, (None, config.dim))
    weights = bundle.array("embed/weights.npy", np.int16, (rows.shape[0],))
    vocab = bundle.bytes("embed/vocab.txt")
    return _native.StaticEmbedder(
        vocab,
        rows,
        weights,
        name=config.name,
        head=config.head,
        tail=config.tail,
        lexical=lexical_tables(bundle, config.lexical) if config.lexical else None,
    )


def lexical_tables(bundle: Bundle, width: int) -> LexicalTables:
    """n-grams, their weights and scale, and marks."""
    ngrams = bundle.array("embed/ngrams.npy", np.int8, (None, width))
    return (
        ngrams,
        bundle.array("embed/ngram_weights.npy", np.int16, (ngrams.shape[0],)),
        bundle.array("embed/ngram_scale.npy", np.float32, (width,)),
        bundle.array("embed/marks.npy", np.float32, (MARK_ROWS, width)),
    )


def check_lexical(bundle: Bundle, config: EmbedConfig) -> None:
    """Only a static embedder has a lexical block, of a width that its kernels take."""
    widths = (0, 16, 32, 48, 64) if config.kind == "static" else (0,)
    if config.lexical not in widths:
        path = f"{bundle.where('embed/config.json')}.lexical"
        expected = " or ".join(map(str, widths))
        raise fail(BundleError, path, f"expected {expected} for a {config.kind} embedder, got {config.lexical}")


def session(bundle: Bundle, name: str) -> _native.Session:
    return load_session(bundle.bytes(name), bundle.where(name))


def bundled_embedder(bundle: Bundle, config: EmbedConfig) -> _native.Embedder | None:
    if config.kind == "static":
        return static_embedder(bundle, config)
    if config.kind == "onnx":
        encoder = session(bundle, "embed/encoder.onnx")
        return _native.OnnxEmbedder(
            bundle.bytes("embed/vocab.txt"), encoder, name=config.name, max_tokens=config.max_tokens
        )
    if config.kind == "external":
        return None
    where = bundle.where("embed/config.json")
    raise fail(BundleError, f"{where}.kind", f"expected static, onnx or external, got {config.kind!r}")


def choose_embedder(given: Any, bundle: Bundle, config: EmbedConfig) -> Any:
    """The caller's embedder, if it works in the bundle's space; else the bundle's own."""
    if given is None:
        return bundled_embedder(bundle, config)
    if not isinstance(given, CallableEmbedder | _native.Embedder):
        raise TypeError(
            f"embedder: expected a turnout embedder, got {type(given).__name__}; wrap a callable in CallableEmbedder"
        )
    dim = config.dim + config.lexical
    if (given.name, given.dim, given.lexical) != (config.name, dim, config.lexical):
        raise fail(
            ConfigError,
            "embedder",
            f"the bundle was trained on {config.name!r} ({_dims(dim, config.lexical)}), "
            f"got {given.name!r} ({_dims(given.dim, given.lexical)})",
        )
    return given


def _dims(dim: int, lexical: int) -> str:
    return f"{dim} dimensions" + (f", the last {lexical} of them lexical scores" if lexical else "")


def embed_all(embedder: Any, texts: list[str]) -> npt.NDArray[np.float32]:
    return np.stack([np.asarray(embedder.embed(text), np.float32) for text in texts])


@dataclass(frozen=True)
class Capabilities:
    entries: list[_native.Capability]
    index: _native.CapabilityIndex | None


def _index(
    data: bytes, where: str, vectors: npt.NDArray[np.float32], entries: list[_native.Capability], bundle: Bundle
) -> Any:
    config = bundle.capability_config()
    return load_index(
        data,
        where,
        vectors,
        np.array([int(c.kind) for c in entries], np.uint8),
        np.array([c.requires for c in entries], np.uint32),
        np.array([c.usd_per_call for c in entries], np.float32),
        None if config is None else config.threshold,
    )


def bundled_capabilities(bundle: Bundle, policies: PolicyNames, dim: int) -> Capabilities:
    name = "capability/capabilities.toml"
    if name not in bundle.files:
        return Capabilities([], None)
    entries = load_capabilities(bundle.bytes(name), policies, bundle.where(name))
    vectors = bundled_vectors(bundle, len(entries), dim)
    where = bundle.where("capability/index.faiss")
    return Capabilities(entries, _index(bundle.bytes("capability/index.faiss"), where, vectors, entries, bundle))


def bundled_vectors(bundle: Bundle, count: int, dim: int) -> npt.NDArray[np.float32]:
    name = "capability/vectors.npy"
    vectors = bundle.array(name, np.float32, (count, dim))
    longest = np.linalg.norm(vectors, axis=1).max(initial=0.0)
    if not longest <= MAX_NORM:
        raise fail(BundleError, bundle.where(name), f"expected rows of norm at most 1, got one of {longest:g}")
    return vectors


def own_capabilities(path: str | Path, policies: PolicyNames, embedder: Any, bundle: Bundle) -> Capabilities:
    """The caller's tools and agents: embedded now, with the embedder that routes, without its lexical scores."""
    if embedder is None:
        raise fail(ConfigError, "capabilities", "a router that only takes vectors cannot embed descriptions")
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise fail(ConfigError, str(path), f"cannot be read: {error.strerror}") from None
    entries = load_capabilities(data, policies, "capabilities")
    if not entries:
        return Capabilities([], None)
    texts = [capability_text(c.id, c.description) for c in entries]
    whole = embed_all(embedder, texts)
    plain = np.ascontiguousarray(whole[:, : whole.shape[1] - embedder.lexical])
    if PROJECTION in bundle.files:
        vectors = _trained_vectors(bundle, texts, plain)
    else:
        queries = bundle.array("difficulty/centroids.npy", np.float32, (None, plain.shape[1]))
        vectors = matched_filter(plain, queries)
    return Capabilities(entries, _index(build_index(vectors), str(path), vectors, entries, bundle))


def bundled_projection(bundle: Bundle, dim: int) -> Projection:
    matrices = bundle.array(PROJECTION, np.float32, (2, dim, dim))
    return Projection(matrices[0], matrices[1], bundle.array("capability/shift.npy", np.float32, (dim,)))


def _trained_vectors(bundle: Bundle, texts: list[str], plain: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Tools that the bundle was trained for keep their vectors; others are projected."""
    name = "capability/capabilities.toml"
    known = load_capabilities(bundle.bytes(name), PolicyNames(), bundle.where(name))
    trained = bundled_vectors(bundle, len(known), plain.shape[1])
    row_of = {capability_text(c.id, c.description): i for i, c in enumerate(known)}
    vectors = bundled_projection(bundle, plain.shape[1]).apply(plain)
    for i, text in enumerate(texts):
        if text in row_of:
            vectors[i] = trained[row_of[text]]
    return vectors


def capability_text(name: str, description: str) -> str:
    """What is embedded of a tool or agent: its name as words, then its description."""
    return f"{name.replace('_', ' ').replace('-', ' ')}. {description}"


def metadata_int(network: _native.Session, key: str, where: str) -> int:
    value = network.metadata(key)
    if not value.isdigit():
        raise fail(BundleError, where, f"expected an integer as metadata {key!r}, got {value!r}")
    return int(value)


def domain_rows(bundle: Bundle, domains: int, skills: int) -> npt.NDArray[np.float32] | None:
    """Offsets and floors of the domains, float32[2, K]; None: the bundle has no domains."""
    name = "difficulty/domains.npy"
    if not 0 <= domains <= skills:
        where = bundle.where("difficulty/config.json")
        raise fail(BundleError, f"{where}.domains", f"expected 0 to the network's {skills} skills, got {domains}")
    if domains == 0 and name in bundle.files:
        raise fail(BundleError, bundle.where(name), "difficulty/config.json states no domains")
    return bundle.array(name, np.float32, (2, domains)) if domains > 0 else None


def difficulty_model(bundle: Bundle) -> _native.DifficultyModel:
    config, where = bundle.difficulty_config(), bundle.where("difficulty/network.onnx")
    space = bundle.embed_config()
    network = session(bundle, "difficulty/network.onnx")
    latent, skills = metadata_int(network, "latent", where), metadata_int(network, "skills", where)
    return _native.DifficultyModel(
        network,
        latent=latent,
        skills=skills,
        heads=bundle.array("difficulty/heads.npy", np.float32, (1 + skills, latent)),
        centroids=bundle.array("difficulty/centroids.npy", np.float32, (None, space.dim)),
        domain_threshold=config.domain_threshold,
        mean_difficulty=config.mean_difficulty,
        lexical=space.lexical,
        domains=domain_rows(bundle, config.domains, skills),
    )


def make_native(
    bundle: Bundle,
    llms: list[ResolvedLlm],
    policies: PolicyNames,
    embedder: Any,
    difficulty: _native.DifficultyModel,
    tools: Capabilities,
) -> _native.Router:
    operators = "operators/operators.toml"
    return _native.Router(
        llms=native_llms(llms, policies),
        operators=load_operators(bundle.bytes(operators), policies, bundle.where(operators)),
        capabilities=tools.entries,
        embedder=embedder if isinstance(embedder, _native.Embedder) else None,
        difficulty=difficulty,
        index=tools.index,
        config=native_config(bundle.operators_config(), bundle.where("operators/config.json")),
        bundle=bundle.manifest.name,
        version=bundle.manifest.version,
        embedder_name=bundle.embed_config().name,
    )


def assemble(bundle: Bundle, pool: Pool, embedder: Any = None, capabilities: str | Path | None = None) -> Parts:
    """Builds the native router.

    Raises
    ------
    BundleError, ConfigError, EngineError
        With the path to the culprit.
    """
    check_lexical(bundle, bundle.embed_config())
    table, difficulty = bundle.abilities(), difficulty_model(bundle)
    if difficulty.skills != table.skills:
        where = bundle.where("llms.json")
        raise fail(BundleError, f"{where}.skills", f"the network gives {difficulty.skills} skills, got {table.skills}")
    policies = PolicyNames()
    llms = resolve(pool, table, bundle.manifest.version)
    config = bundle.embed_config()
    chosen = choose_embedder(embedder, bundle, config)
    if capabilities is None:
        tools = bundled_capabilities(bundle, policies, config.dim)
    else:
        tools = own_capabilities(capabilities, policies, chosen, bundle)
    native = make_native(bundle, llms, policies, chosen, difficulty, tools)
    return Parts(bundle, llms, policies, chosen, difficulty, tools.entries, tools.index, native)
