"""A bundle: a folder of verified files that a router is made of. Format: docs/bundle-format.md.

Every file is checked against the manifest's length and sha256 before any parser sees a byte of it.
"""

from __future__ import annotations

import hashlib
import io
import math
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt

from turnout.core import BundleError
from turnout.schema import fail, from_json

FORMAT = "turnout-bundle"
FORMAT_VERSION = 1
MAX_FILES = 256
MAX_BYTES = 1 << 30  # of all files together

Usd = Annotated[float, msgspec.Meta(ge=0.0)]


class FileEntry(msgspec.Struct, forbid_unknown_fields=True):
    """What the manifest says of one file."""

    bytes: int
    sha256: str


class Manifest(msgspec.Struct):
    """`manifest.json`."""

    format: str
    format_version: int
    name: str
    version: str
    files: dict[str, FileEntry]
    training: dict[str, Any] = {}
    metrics: dict[str, Any] = {}


class EmbedConfig(msgspec.Struct, forbid_unknown_fields=True):
    """`embed/config.json`. `kind` is ``static``, ``onnx`` or ``external`` (vectors or a callable from the caller).

    `dim` is that of the unit vector; `lexical` scores follow it.
    """

    kind: str
    name: str
    dim: int
    lexical: int = 0
    head: int = 128
    tail: int = 384
    max_tokens: int = 256


class DifficultyConfig(msgspec.Struct, forbid_unknown_fields=True):
    """`difficulty/config.json`."""

    domain_threshold: float
    mean_difficulty: float
    domains: int = 0


class OperatorsConfig(msgspec.Struct, forbid_unknown_fields=True):
    """`operators/config.json`."""

    layers: int
    depth_rule: str
    cut_points: list[float]
    activation_threshold: float
    temperature: float
    cost_weight: float
    reference_ability: float
    max_stages: int
    max_uses: int


class CapabilityConfig(msgspec.Struct, forbid_unknown_fields=True):
    """`capability/config.json`: P(relevant) = sigmoid(slope * similarity + intercept), and below which similarity
    nothing is proposed.
    """

    slope: float
    intercept: float
    threshold: float | None = None


class Ability(msgspec.Struct):
    """One LLM of the ability table. Tokens are of a direct answer; prices are what its outcomes were paid with."""

    id: str
    ability: float
    ability_se: float
    skill: list[float]
    output_tokens_mean: float
    output_tokens_p90: float
    set: str = ""
    n: int = 0
    mean_score: float | None = None
    discrimination: float = 1.0
    length_gain: float = 1.0
    length_skill: list[float] = []
    usd_per_mtok_in: Usd | None = None
    usd_per_mtok_out: Usd | None = None
    usd_per_call: Usd | None = None


class ScoreLine(msgspec.Struct):
    """ability = intercept + slope * logit(score), with a standard error of `residual_sd`."""

    slope: float
    intercept: float
    residual_sd: float
    n: int = 0
    range: tuple[float, float] = (0.0, 1.0)


class AbilityPrior(msgspec.Struct):
    """What training knows of an LLM before its outcomes: (ability, skill) ~ N(mean, covariance)."""

    mean: list[float]
    covariance: list[list[float]]


class AbilityTable(msgspec.Struct):
    """`llms.json`."""

    skills: int
    llms: list[Ability]
    scores: dict[str, ScoreLine] = {}
    default_pool: list[str] = []
    prior: AbilityPrior | None = None
    spread: float | None = None  # standard deviation of abilities


def _check_prior(prior: AbilityPrior, size: int, path: str) -> None:
    if len(prior.mean) != size:
        raise fail(BundleError, f"{path}.mean", f"expected 1 + skills = {size} numbers, got {len(prior.mean)}")
    if [len(row) for row in prior.covariance] != [size] * size:
        raise fail(BundleError, f"{path}.covariance", f"expected {size} rows of {size} numbers")
    if not is_covariance(np.array(prior.covariance)):
        raise fail(BundleError, f"{path}.covariance", "expected a symmetric positive definite matrix")


def is_covariance(matrix: npt.NDArray[np.float64]) -> bool:
    """Whether it is symmetric and positive definite."""
    if not np.isfinite(matrix).all() or not np.allclose(matrix, matrix.T, rtol=1e-6, atol=1e-9):
        return False
    try:
        np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return False
    return True


def default_path() -> Path:
    """The bundle that ships with the package."""
    return Path(__file__).parent / "models" / "default"


def _safe_name(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts and "\\" not in name and "\0" not in name


def _read(folder: Path, name: str, limit: int) -> bytes:
    path = folder / name
    try:
        with open(path, "rb") as file:
            return file.read(limit + 1)
    except FileNotFoundError:
        raise fail(BundleError, str(path), "no such file") from None
    except OSError as error:
        raise fail(BundleError, str(path), f"cannot be read: {error.strerror or error}") from None


def _verified(folder: Path, name: str, entry: FileEntry) -> bytes:
    data = _read(folder, name, entry.bytes)
    if len(data) != entry.bytes:
        got = f"{len(data)}" if len(data) < entry.bytes else f"more than {entry.bytes}"
        raise fail(BundleError, str(folder / name), f"expected {entry.bytes} bytes, got {got}")
    digest = hashlib.sha256(data).hexdigest()
    if digest != entry.sha256.lower():
        raise fail(BundleError, str(folder / name), f"sha256 is {digest}, the manifest says {entry.sha256}")
    return data


def read_manifest(folder: Path) -> Manifest:
    """Reads and checks `manifest.json`.

    Raises
    ------
    BundleError
        It is missing, malformed, of another format version, or names files outside of the folder.
    """
    path = str(folder / "manifest.json")
    manifest = from_json(_read(folder, "manifest.json", 1 << 24), Manifest, path, BundleError)
    if manifest.format != FORMAT:
        raise fail(BundleError, path, f"expected the format {FORMAT!r}, got {manifest.format!r}")
    if manifest.format_version != FORMAT_VERSION:
        raise fail(
            BundleError, path, f"format version {manifest.format_version}; this turnout reads version {FORMAT_VERSION}"
        )
    if len(manifest.files) > MAX_FILES:
        raise fail(BundleError, path, f"{len(manifest.files)} files, at most {MAX_FILES}")
    for name, entry in manifest.files.items():
        if not _safe_name(name):
            raise fail(BundleError, path, f"file name {name!r} leaves the bundle's folder")
        if entry.bytes < 0:
            raise fail(BundleError, path, f"files.{name}.bytes: expected a number >= 0, got {entry.bytes}")
    if sum(entry.bytes for entry in manifest.files.values()) > MAX_BYTES:
        raise fail(BundleError, path, f"more than {MAX_BYTES} bytes in all")
    return manifest


@dataclass(frozen=True)
class Bundle:
    """A verified bundle in memory.

    Attributes
    ----------
    path : Path
    manifest : Manifest
    files : dict of str to bytes
        Every file of the manifest, checked against its length and sha256.
    """

    path: Path
    manifest: Manifest
    files: dict[str, bytes]

    @staticmethod
    def load(path: str | Path | None = None) -> Bundle:
        """Reads the bundle in the folder `path` (default: the one that ships with the package).

        Raises
        ------
        BundleError
            A file is missing, truncated, corrupt, or of an unknown format version; names the file.
        """
        from concurrent.futures import ThreadPoolExecutor  # it brings logging with it

        folder = default_path() if path is None else Path(path)
        manifest = read_manifest(folder)
        with ThreadPoolExecutor(2) as threads:  # hashing releases the GIL
            data = threads.map(lambda item: _verified(folder, *item), manifest.files.items())
            return Bundle(folder, manifest, dict(zip(manifest.files, data, strict=True)))

    def bytes(self, name: str) -> bytes:
        """The content of one file; a file that the manifest lacks is a BundleError."""
        try:
            return self.files[name]
        except KeyError:
            raise fail(BundleError, str(self.path / name), "the manifest does not list this file") from None

    def where(self, name: str) -> str:
        """The path of a file, for messages."""
        return str(self.path / name)

    def array(self, name: str, dtype: npt.DTypeLike, shape: tuple[int | None, ...]) -> npt.NDArray[Any]:
        """A `.npy` file of exactly this dtype and shape (None: any length), C order; pickles are refused.

        Raises
        ------
        BundleError
            It is missing or something else.
        """
        data = self.bytes(name)
        try:
            array: npt.NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
        except (ValueError, EOFError, OSError) as error:
            raise fail(BundleError, self.where(name), f"not a .npy file: {error}") from None
        expected = f"{np.dtype(dtype).name}{['any' if n is None else n for n in shape]}"
        fits = array.ndim == len(shape) and all(n is None or n == m for n, m in zip(shape, array.shape, strict=True))
        if array.dtype != np.dtype(dtype) or not fits or not array.flags.c_contiguous:
            raise fail(
                BundleError, self.where(name), f"expected {expected} in C order, got {array.dtype}{list(array.shape)}"
            )
        return array

    def embed_config(self) -> EmbedConfig:
        return from_json(self.bytes("embed/config.json"), EmbedConfig, self.where("embed/config.json"), BundleError)

    def difficulty_config(self) -> DifficultyConfig:
        name = "difficulty/config.json"
        return from_json(self.bytes(name), DifficultyConfig, self.where(name), BundleError)

    def operators_config(self) -> OperatorsConfig:
        name = "operators/config.json"
        return from_json(self.bytes(name), OperatorsConfig, self.where(name), BundleError)

    def capability_config(self) -> CapabilityConfig | None:
        """Calibration of the tools' similarities; None where the bundle has none."""
        name = "capability/config.json"
        if name not in self.files:
            return None
        config = from_json(self.bytes(name), CapabilityConfig, self.where(name), BundleError)
        if not 0.0 < config.slope < math.inf:
            raise fail(BundleError, f"{self.where(name)}.slope", f"expected a finite number > 0, got {config.slope}")
        for field in ("intercept", "threshold"):
            value = getattr(config, field)
            if value is not None and not math.isfinite(value):
                raise fail(BundleError, f"{self.where(name)}.{field}", f"expected a finite number, got {value}")
        return config

    def abilities(self) -> AbilityTable:
        table = from_json(self.bytes("llms.json"), AbilityTable, self.where("llms.json"), BundleError)
        if table.prior is not None:
            _check_prior(table.prior, 1 + table.skills, f"{self.where('llms.json')}.prior")
        return table
