"""Bundle files are checked against the manifest before any parser runs; a damaged bundle is a clear error."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import bundles
import turnout
from turnout.bundle import Bundle

FILES = sorted(bundles.files())


@pytest.fixture
def copy(small_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(small_bundle, tmp_path / "bundle"))


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_is_found(copy: Path, name: str) -> None:
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(data)
    with pytest.raises(turnout.BundleError, match="sha256") as error:
        turnout.Router.load(copy)
    assert error.value.path == str(copy / name)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("keep", [0, 0.5])
def test_a_truncated_file_is_found(copy: Path, name: str, keep: float) -> None:
    data = (copy / name).read_bytes()
    (copy / name).write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(turnout.BundleError, match=f"expected {len(data)} bytes, got {int(len(data) * keep)}"):
        turnout.Router.load(copy)


def test_a_longer_file_is_found(copy: Path) -> None:
    with open(copy / "llms.json", "ab") as file:
        file.write(b" ")
    with pytest.raises(turnout.BundleError, match="got more than"):
        turnout.Router.load(copy)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(turnout.BundleError, match="no such file") as error:
        turnout.Router.load(copy)
    assert error.value.path == str(copy / name)


@pytest.mark.parametrize("name", [f for f in FILES if f != "capability/capabilities.toml"])
def test_a_file_that_the_manifest_lacks_is_named(tmp_path: Path, name: str) -> None:
    files = bundles.files()
    del files[name]
    with pytest.raises(turnout.BundleError, match="manifest does not list") as error:
        turnout.Router.load(bundles.write(tmp_path, files))
    assert error.value.path == str(tmp_path / name)


# Files whose sha256 is right and whose content is not: the parsers must hold.
GARBAGE = [b"", b"\0" * 64, b"garbage", b"\xff\xfe" * 100]


@pytest.mark.parametrize("name", [f for f in FILES if f != "embed/vocab.txt"])
@pytest.mark.parametrize("content", GARBAGE, ids=["empty", "zeros", "text", "bytes"])
def test_verified_garbage_is_a_clear_error(tmp_path: Path, name: str, content: bytes) -> None:
    if name == "capability/capabilities.toml" and content == b"":
        pytest.skip("an empty table is a valid TOML file")
    with pytest.raises(turnout.TurnoutError) as error:
        turnout.Router.load(bundles.write(tmp_path, bundles.files() | {name: content}))
    assert error.value.path


def test_half_of_a_network_or_an_index_is_a_clear_error(tmp_path: Path) -> None:
    files = bundles.files()
    for name in ("difficulty/network.onnx", "capability/index.faiss", "embed/rows.npy"):
        half = files[name][: len(files[name]) // 2]
        with pytest.raises(turnout.TurnoutError) as error:
            turnout.Router.load(bundles.write(tmp_path, files | {name: half}))
        assert name in error.value.path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, "expected the format"),
        ({"format_version": 2}, "format version 2"),
        ({"files": {"../llms.json": {"bytes": 1, "sha256": "0"}}}, "leaves the bundle's folder"),
        ({"files": {"/etc/passwd": {"bytes": 1, "sha256": "0"}}}, "leaves the bundle's folder"),
        ({"files": {"llms.json": {"bytes": -1, "sha256": "0"}}}, "number >= 0"),
        ({"files": {"llms.json": {"bytes": 1 << 40, "sha256": "0"}}}, "bytes in all"),
        ({"files": {"llms.json": {"bytes": "x", "sha256": "0"}}}, "int"),
        ({"name": 3}, "str"),
    ],
)
def test_a_wrong_manifest_is_refused(copy: Path, change: dict[str, object], message: str) -> None:
    manifest = json.loads((copy / "manifest.json").read_text())
    (copy / "manifest.json").write_text(json.dumps(manifest | change))
    with pytest.raises(turnout.BundleError, match=message):
        Bundle.load(copy)


def test_no_bundle_at_all(tmp_path: Path) -> None:
    with pytest.raises(turnout.BundleError, match=r"manifest\.json: no such file"):
        turnout.Router.load(tmp_path / "nowhere")


def test_arrays_of_another_shape_or_type_are_refused(tmp_path: Path) -> None:
    import numpy as np

    files = bundles.files()
    wrong = {
        "embed/rows.npy": np.zeros((3, 31), np.int8),
        "embed/weights.npy": np.zeros(3, np.int32),
        "difficulty/heads.npy": np.zeros((1, bundles.LATENT), np.float32),
        "difficulty/centroids.npy": np.asfortranarray(np.ones((8, bundles.DIM), np.float32)),
        "capability/vectors.npy": np.ones((4, bundles.DIM), np.float32),
    }
    for name, array in wrong.items():
        with pytest.raises(turnout.BundleError, match="expected") as error:
            turnout.Router.load(bundles.write(tmp_path, files | {name: bundles._npy(array)}))
        assert name in error.value.path


def test_pickles_are_refused(tmp_path: Path) -> None:
    import io

    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, np.array([object()]), allow_pickle=True)
    with pytest.raises(turnout.BundleError, match="npy"):
        turnout.Router.load(bundles.write(tmp_path, bundles.files() | {"embed/rows.npy": buffer.getvalue()}))
