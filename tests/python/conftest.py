from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import bundles
import turnout
from commands import Result, Run
from turnout.cli.app import app


@pytest.fixture(scope="session")
def small_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small planted bundle; see bundles.py."""
    return bundles.make(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="session")
def small(small_bundle: Path) -> turnout.Router:
    return turnout.Router.load(small_bundle)


@pytest.fixture(scope="session")
def guessing(tmp_path_factory: pytest.TempPathFactory) -> turnout.Router:
    """The small bundle with a network that gives a guess floor and an output scale, too."""
    return turnout.Router.load(bundles.make(tmp_path_factory.mktemp("guessing"), answers=(0.1, 0.1)))


@pytest.fixture(scope="session")
def regions(tmp_path_factory: pytest.TempPathFactory) -> turnout.Router:
    """The small bundle with a posterior over four domains, and LLMs with a discrimination and a length of their own."""
    folder = tmp_path_factory.mktemp("regions")
    return turnout.Router.load(bundles.make(folder, answers=(0.1, 0.1), domains=(4, 1.0), response=True))


@pytest.fixture(scope="session")
def lexical(tmp_path_factory: pytest.TempPathFactory) -> turnout.Router:
    """The small bundle with a lexical block, a guess floor and an output scale."""
    return turnout.Router.load(bundles.make(tmp_path_factory.mktemp("lexical"), answers=(0.1, 0.0), lexical=32))


@pytest.fixture(scope="session")
def router() -> turnout.Router:
    """The default bundle with its own pool."""
    return turnout.Router.load()


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command line in this process, with `stdin` in a pipe."""

    def call(*arguments: Any, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as ended:
            app(args=[str(a) for a in arguments], prog_name="turnout")
        captured = capsys.readouterr()
        return Result(int(ended.value.code or 0), captured.out, captured.err)

    return call
