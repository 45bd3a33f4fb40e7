from __future__ import annotations

import os
from pathlib import Path

import pytest

from turnout.bench.workload import Workload, make_workload


@pytest.fixture(scope="session")
def workload() -> Workload:
    """Queries of the folder TURNOUT_DATA if set, else built-in ones; 1,000 capabilities."""
    data = os.environ.get("TURNOUT_DATA")
    return make_workload(None, Path(data) if data else None, quick=False)
