"""SIGKILL at random moments loses nothing that a flush has returned for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "bench" / "state_kills.py"


@pytest.mark.skipif(not SCRIPT.is_file(), reason="the script lies in the source tree only")
def test_kills(tmp_path: Path) -> None:
    kills = os.environ.get("TURNOUT_STATE_KILLS", "100")  # a release check has 1,000
    command = [sys.executable, str(SCRIPT), kills, "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"{kills} kills" in done.stdout and "nothing lost" in done.stdout
