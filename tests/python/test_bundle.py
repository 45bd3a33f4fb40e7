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


# Domains --------------------------------------------------------------------------------------------------------------

DOMAINS = "difficulty/domains.npy"


def with_domains(change: dict[str, bytes]) -> dict[str, bytes]:
    return bundles.files(domains=(3, 1.0)) | change


@pytest.mark.parametrize("content", GARBAGE, ids=["empty", "zeros", "text", "bytes"])
def test_garbage_for_domains_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(turnout.BundleError, match=r"not a \.npy file") as error:
        turnout.Router.load(bundles.write(tmp_path, with_domains({DOMAINS: content})))
    assert error.value.path == str(tmp_path / DOMAINS)


def test_domains_need_their_file_and_the_file_needs_domains(tmp_path: Path) -> None:
    turnout.Router.load(bundles.write(tmp_path / "good", with_domains({})))
    files = with_domains({})
    del files[DOMAINS]
    with pytest.raises(turnout.BundleError, match="manifest does not list") as error:
        turnout.Router.load(bundles.write(tmp_path / "lacks", files))
    assert error.value.path == str(tmp_path / "lacks" / DOMAINS)
    none = {"difficulty/config.json": bundles.files()["difficulty/config.json"]}
    with pytest.raises(turnout.BundleError, match="states no domains") as error:
        turnout.Router.load(bundles.write(tmp_path / "extra", with_domains(none)))
    assert error.value.path == str(tmp_path / "extra" / DOMAINS)


@pytest.mark.parametrize("count", [-1, 6, 10**9])
def test_more_domains_than_skills_are_refused(tmp_path: Path, count: int) -> None:
    config = {"domain_threshold": 0.0, "mean_difficulty": 0.45, "domains": count}
    files = with_domains({"difficulty/config.json": json.dumps(config).encode()})
    with pytest.raises(turnout.BundleError, match=f"expected 0 to the network's 5 skills, got {count}") as error:
        turnout.Router.load(bundles.write(tmp_path, files))
    assert error.value.path == str(tmp_path / "difficulty/config.json") + ".domains"


def test_wrong_domains_are_refused(tmp_path: Path) -> None:
    good, nan, inf = bundles.domain_rows(3), float("nan"), float("inf")
    cells = {"offsets": [((0, 1), nan), ((0, 2), inf)], "floors": [((1, 0), -0.1), ((1, 2), 0.96), ((1, 1), nan)]}
    for what, changes in cells.items():
        for at, value in changes:
            rows = good.copy()
            rows[at] = value
            with pytest.raises(turnout.BundleError, match=f"{what}: expected") as error:
                turnout.Router.load(bundles.write(tmp_path, with_domains({DOMAINS: bundles._npy(rows)})))
            assert error.value.path == DOMAINS
    for rows in (good[:, :2], good[:1], good.astype(float), good.T.copy()):
        with pytest.raises(turnout.BundleError, match=r"expected float32\[2, 3\]") as error:
            turnout.Router.load(bundles.write(tmp_path, with_domains({DOMAINS: bundles._npy(rows)})))
        assert error.value.path == str(tmp_path / DOMAINS)


def test_a_domain_that_moves_with_the_latent_is_refused(tmp_path: Path) -> None:
    import io

    import numpy as np

    heads = np.load(io.BytesIO(with_domains({})["difficulty/heads.npy"]))
    heads[-2, 1] = 1e-3
    with pytest.raises(turnout.BundleError, match="zeros in the rows of the domains") as error:
        turnout.Router.load(bundles.write(tmp_path, with_domains({"difficulty/heads.npy": bundles._npy(heads)})))
    assert error.value.path == "difficulty/heads.npy"


def test_optional_fields_of_the_ability_table(tmp_path: Path) -> None:
    files = bundles.files()
    plain = json.loads(files["llms.json"])
    assert Bundle.load(bundles.write(tmp_path, files)).abilities().prior is None
    prices = {"usd_per_mtok_in": 0.5, "usd_per_mtok_out": 2, "usd_per_call": 0.0}
    prior = {"mean": [0.0, 0.0, 0.0], "covariance": [[1.0, 0.0, 0.0], [0.0, 0.5, 0.0], [0.0, 0.0, 0.5]]}
    table = plain | {"spread": 1.25, "prior": prior, "llms": [llm | prices for llm in plain["llms"]]}
    read = Bundle.load(bundles.write(tmp_path, files | {"llms.json": json.dumps(table).encode()})).abilities()
    assert read.spread == 1.25 and read.prior is not None and read.prior.covariance[1] == [0.0, 0.5, 0.0]
    assert (read.llms[0].usd_per_mtok_in, read.llms[0].usd_per_mtok_out, read.llms[0].usd_per_call) == (0.5, 2.0, 0.0)
    table["llms"][2]["usd_per_mtok_out"] = -1.0
    bundle = Bundle.load(bundles.write(tmp_path, files | {"llms.json": json.dumps(table).encode()}))
    with pytest.raises(turnout.BundleError, match=">= 0") as error:
        bundle.abilities()
    assert error.value.path == str(tmp_path / "llms.json") + ".llms[2].usd_per_mtok_out"
