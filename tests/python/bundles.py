"""A small bundle that is built from a seed: real files, real networks, planted numbers."""

from __future__ import annotations

import hashlib
import io
import json
import string
from pathlib import Path
from typing import Any

import numpy as np

DIM, LATENT, SKILLS, HIDDEN = 32, 4, 2, 16
WORDS = """what is the capital of a an and or how many find prove solve write function python integral matrix court
contract law chemistry reaction energy photon search web run code test history year war plus minus two three""".split()

OPERATORS = """
[[operators]]
id = "direct"
measured = true
generates = true
fix = 1.0
break = 1.0
curve = "identity"
source = "planted"
slots = [{ role = "answer" }]

[[operators]]
id = "cot"
generates = true
fix = 1.0
break = 1.0
curve = { logit_shift = 0.3 }
source = "planted"
slots = [{ role = "think", out_mult = 2.5, in_extra = 40 }]

[[operators]]
id = "ensemble"
measured = true
generates = true
parallel = true
distinct = true
min_llms = 3
fix = 1.0
break = 1.0
curve = { logit_shift = 0.5 }
source = "planted"
slots = [{ role = "voter", weight = 0.25 }, { role = "voter", weight = 0.25 }, { role = "voter", weight = 0.5 }]

[[operators]]
id = "react"
generates = true
fix = 1.0
break = 1.0
curve = { logit_shift = 0.4 }
needs_llm = ["tools"]
needs_capability = ["tool"]
source = "planted"
slots = [{ role = "act", calls = 3, rounds = 3, in_mult = 2.0, uses_tools = true }]

[[operators]]
id = "review"
fix = 0.35
break = 0.05
curve = "identity"
source = "planted"
slots = [{ role = "critic", weight = 0.5 }, { role = "editor", weight = 0.5, in_mult = 2.0 }]

[[operators]]
id = "early_stop"
stops = true
source = "planted"
"""

CAPABILITIES = [
    ("web_search", "tool", "search the web", ["network"], 0.001),
    ("run_python", "code", "run python code", ["code_execution"], 0.0),
    ("law_agent", "agent", "law court contract", [], 0.01),
    ("lab_agent", "agent", "chemistry reaction energy", [], 0.01),
    ("archive", "retrieval", "history year war", ["private_data"], 0.0),
]

# id, ability, USD per million tokens in and out, context, policy
LLMS = [
    ("tiny", -1.5, 0.05, 0.1, 2048, ["json"]),
    ("small", -0.5, 0.15, 0.6, 8192, ["json", "tools"]),
    ("large", 0.8, 2.5, 10.0, 32768, ["json", "tools", "vision"]),
    ("giant", 1.6, 15.0, 60.0, 131072, ["tools"]),
]


def vocab() -> list[str]:
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    letters = list(string.ascii_lowercase + string.digits + string.punctuation)
    pieces = ["##" + c for c in string.ascii_lowercase + string.digits]
    return list(dict.fromkeys([*special, *letters, *pieces, *WORDS]))


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def _unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def network(
    rng: np.random.Generator,
    dim: int = DIM,
    answers: tuple[float, float] | None = None,
    lexical: int = 0,
    domains: tuple[int, float] = (0, 1.0),
) -> tuple[bytes, np.ndarray]:
    """Gemm-Relu-Gemm with heads that are linear in the latent; and those heads, [1 + S, Z].

    `answers` adds the columns of guess floor and logarithm of the output scale, with weights of these sizes; `domains`
    adds so many skills that are a posterior, with weights of that size. `lexical` scores follow the `dim` numbers of a
    vector.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    columns = 2 * LATENT + 1 + SKILLS
    w1 = rng.normal(0, 1.0, (HIDDEN, dim)).astype(np.float32)
    w2 = rng.normal(0, 0.5, (columns, HIDDEN)).astype(np.float32)
    heads = rng.normal(0, 0.7, (1 + SKILLS, LATENT)).astype(np.float32)
    w2[2 * LATENT :] = heads @ w2[:LATENT]
    b2 = np.zeros(columns, np.float32)
    b2[LATENT : 2 * LATENT] = -2.0
    count, size = domains
    if count > 0:
        columns += count
        w2 = np.concatenate([w2, np.random.default_rng(98).normal(0, size, (count, HIDDEN))]).astype(np.float32)
        b2 = np.concatenate([b2, np.zeros(count, np.float32)])
        heads = np.concatenate([heads, np.zeros((count, LATENT), np.float32)])
    if answers is not None:
        columns += 2
        sizes = np.array(answers)[:, None]
        more = sizes * np.random.default_rng(99).normal(0, 1.0, (2, HIDDEN))  # `rng` gives the rest as without them
        w2 = np.concatenate([w2, more]).astype(np.float32)
        b2 = np.concatenate([b2, np.float32([answers[0], 4.0 * answers[0]])])
    if lexical:
        w1 = np.concatenate([w1, np.random.default_rng(98).normal(0, 0.3, (HIDDEN, lexical))], 1).astype(np.float32)
        dim += lexical
    inits = {"w1": w1, "b1": np.zeros(HIDDEN, np.float32), "w2": w2, "b2": b2}
    graph = helper.make_graph(
        [
            helper.make_node("Gemm", ["embedding", "w1", "b1"], ["h"], transB=1),
            helper.make_node("Relu", ["h"], ["r"]),
            helper.make_node("Gemm", ["r", "w2", "b2"], ["assessment"], transB=1),
        ],
        "difficulty",
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["B", dim])],
        [helper.make_tensor_value_info("assessment", TensorProto.FLOAT, ["B", columns])],
        [numpy_helper.from_array(array, name) for name, array in inits.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    helper.set_model_props(model, {"latent": str(LATENT), "skills": str(SKILLS + count)})
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True), heads


def _capabilities_toml() -> str:
    lines = []
    for name, kind, description, requires, usd in CAPABILITIES:
        lines.append(
            f'[[capabilities]]\nid = "{name}"\nkind = "{kind}"\ndescription = "{description}"\n'
            f"requires = {json.dumps(requires)}\nusd_per_call = {usd}\nseconds = 0.5\n"
        )
    return "\n".join(lines)


def _pool_toml() -> str:
    lines = []
    for name, _, usd_in, usd_out, context, policy in LLMS:
        lines.append(
            f'[[llms]]\nid = "{name}"\nability = "{name}"\nusd_per_mtok_in = {usd_in}\nusd_per_mtok_out = {usd_out}\n'
            f"price_date = 2026-01-01\ncontext_tokens = {context}\nmax_output_tokens = {context // 4}\n"
            f"policy = {json.dumps(policy)}\n"
        )
    return "\n".join(lines)


def _response(i: int, skills: int) -> dict[str, object]:
    """An LLM's own discrimination and length; the first has none. Powers of two: float32 and float64 give alike."""
    if i == 0:
        return {}
    length = [0.0] * skills
    length[-1] = 0.25 * i
    return {"discrimination": 0.5 + 0.25 * i, "length_gain": 0.5 * i, "length_skill": length}


def _llms_json(rng: np.random.Generator, domains: int = 0, response: bool = False) -> bytes:
    own = np.random.default_rng(97)  # `rng` gives the rest as without them
    llms: list[dict[str, object]] = [
        {
            "id": name,
            "ability": ability,
            "ability_se": 0.1,
            "skill": [round(float(s), 3) for s in [*rng.normal(0, 0.2, SKILLS), *own.normal(0, 1.0, domains)]],
            "output_tokens_mean": 200.0 + 40 * i,
            "output_tokens_p90": 380.0 + 60 * i,
        }
        for i, (name, ability, *_) in enumerate(LLMS)
    ]
    line = {"slope": 1.2, "intercept": 0.1, "residual_sd": 0.4, "n": 4, "range": [0.2, 0.8]}
    if response:
        llms = [llm | _response(i, SKILLS + domains) for i, llm in enumerate(llms)]
    table = {
        "skills": SKILLS + domains,
        "llms": llms,
        "scores": {"mmlu_pro": line},
        "default_pool": [x[0] for x in LLMS],
    }
    return json.dumps(table, indent=1).encode()


def lexical_tables(width: int, bits: int = 10, seed: int = 23) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """n-grams, their weights and scale, and marks: random, and of about the size of a trained block's."""
    rng = np.random.default_rng(seed)
    return (
        rng.integers(-128, 128, (1 << bits, width)).astype(np.int8),
        rng.integers(0, 2048, 1 << bits).astype(np.int16),
        rng.uniform(0.001, 0.004, width).astype(np.float32),
        rng.normal(0, 0.2, (116, width)).astype(np.float32),
    )


LEXICAL_FILES = ("embed/ngrams.npy", "embed/ngram_weights.npy", "embed/ngram_scale.npy", "embed/marks.npy")


def _static(vectors_of: list[str], rng: np.random.Generator, lexical: int = 0) -> tuple[dict[str, bytes], np.ndarray]:
    from turnout import _native

    tokens = vocab()
    text = "\n".join(tokens).encode()
    rows = rng.integers(-127, 128, (len(tokens), DIM)).astype(np.int8)
    weights = rng.integers(200, 2048, len(tokens)).astype(np.int16)
    embedder = _native.StaticEmbedder(text, rows, weights, name="planted", head=8, tail=24)
    config = {"kind": "static", "name": "planted", "dim": DIM, "head": 8, "tail": 24}
    files = {
        "embed/config.json": json.dumps(config).encode(),
        "embed/vocab.txt": text,
        "embed/rows.npy": _npy(rows),
        "embed/weights.npy": _npy(weights),
    }
    if lexical:
        files["embed/config.json"] = json.dumps(config | {"lexical": lexical}).encode()
        files |= {name: _npy(table) for name, table in zip(LEXICAL_FILES, lexical_tables(lexical), strict=True)}
    return files, np.stack([embedder.embed(t) for t in vectors_of])


def _external(name: str, dim: int, count: int, rng: np.random.Generator) -> tuple[dict[str, bytes], np.ndarray]:
    config = {"kind": "external", "name": name, "dim": dim}
    return {"embed/config.json": json.dumps(config).encode()}, _unit(rng.normal(size=(count, dim)))


def write(folder: Path, files: dict[str, bytes], name: str = "planted", version: str = "1") -> Path:
    """Writes the files with a manifest that fits them."""
    entries = {}
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        entries[path] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    manifest = {"format": "turnout-bundle", "format_version": 1, "name": name, "version": version, "files": entries}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1))
    return folder


def domain_rows(domains: int) -> np.ndarray:
    """Offsets to b and guess floors, float32[2, K]."""
    k = np.arange(domains)
    return np.stack([0.5 * (-1.0) ** k * (1 + k), 0.05 * k % 0.4]).astype(np.float32)


def files(
    seed: int = 7,
    external: tuple[str, int] | None = None,
    answers: tuple[float, float] | None = None,
    lexical: int = 0,
    domains: tuple[int, float] = (0, 1.0),
    response: bool = False,
) -> dict[str, bytes]:
    """The files of a small bundle; `external` = (name, dim) makes one whose vectors come from the caller.

    `answers` and `domains` are those of `network`; `lexical`: scores of the lexical block, which the network sees, too;
    `response` gives LLMs a discrimination and a length of their own.
    """
    import faiss

    rng = np.random.default_rng(seed)
    texts = [f"{c[0].replace('_', ' ')}. {c[2]}" for c in CAPABILITIES]
    out, vectors = _static(texts, rng, lexical) if external is None else _external(*external, len(texts), rng)
    dim = vectors.shape[1]
    model, heads = network(rng, dim, answers, lexical, domains)
    index = faiss.IndexFlatIP(dim)
    index.add(vectors)
    config = {
        "layers": 4,
        "depth_rule": "cut_points",
        "cut_points": [0.3, 0.5, 0.7],
        "activation_threshold": 0.3,
        "temperature": 0.1,
        "cost_weight": 0.02,
        "reference_ability": 0.0,
        "max_stages": 8,
        "max_uses": 1,
    }
    out |= {
        "difficulty/network.onnx": model,
        "difficulty/heads.npy": _npy(heads),
        "difficulty/centroids.npy": _npy(_unit(rng.normal(size=(8, dim)))),
        "difficulty/config.json": json.dumps({"domain_threshold": 0.0, "mean_difficulty": 0.45}).encode(),
        "operators/config.json": json.dumps(config).encode(),
        "operators/operators.toml": OPERATORS.encode(),
        "llms.json": _llms_json(rng, domains[0], response),
        "pool.toml": _pool_toml().encode(),
        "capability/capabilities.toml": _capabilities_toml().encode(),
        "capability/vectors.npy": _npy(vectors),
        "capability/index.faiss": faiss.serialize_index(index).tobytes(),
    }
    if domains[0] > 0:
        stated = {"domain_threshold": 0.0, "mean_difficulty": 0.45, "domains": domains[0]}
        out["difficulty/config.json"] = json.dumps(stated).encode()
        out["difficulty/domains.npy"] = _npy(domain_rows(domains[0]))
    return out


def make(folder: Path, seed: int = 7, external: tuple[str, int] | None = None, **options: Any) -> Path:
    """Writes a small bundle and returns its folder; options as `files`."""
    return write(folder, files(seed, external, **options))
