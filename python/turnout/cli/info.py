"""``turnout info``: versions, engines, costs of import and load on this machine, contents of the bundle."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from turnout import build_info
from turnout.cli.output import print_json, say, width, wrap
from turnout.core import TurnoutError
from turnout.router import Router

# Run in a fresh process, so that what this command has imported does not count.
_PROBE = """
import sys, time
start = time.perf_counter()
import turnout
imported = time.perf_counter()
turnout.Router.load(sys.argv[1] or None)
loaded = time.perf_counter()
with open("/proc/self/status") as file:
    rss = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
print((imported - start) * 1e3, (loaded - imported) * 1e3, rss / 1024)
"""
LIMITS = {"import_ms": 150.0, "load_ms": 100.0, "resident_mib": 150.0}


def measure_costs(bundle: Path | None, runs: int = 5) -> dict[str, float]:
    """Best of `runs` fresh processes: milliseconds of import and of load, MiB resident after load.

    Raises
    ------
    TurnoutError
        The fresh process failed.
    """
    best: list[float] = []
    for _ in range(runs):
        done = subprocess.run([sys.executable, "-c", _PROBE, str(bundle or "")], capture_output=True, text=True)
        if done.returncode != 0:
            why = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise TurnoutError(f"loading in a fresh process failed: {why[-1]}")
        values = [float(x) for x in done.stdout.split()]
        best = values if not best else [min(a, b) for a, b in zip(best, values, strict=True)]
    return dict(zip(LIMITS, best, strict=True))


def _contents(router: Router) -> dict[str, Any]:
    parts = router.parts
    manifest = parts.bundle.manifest
    return {
        "bundle": manifest.name,
        "version": manifest.version,
        "path": str(parts.bundle.path),
        "files": {name: entry.bytes for name, entry in sorted(manifest.files.items())},
        "embedder": router.embedder_name,
        "dim": router.dim,
        "llms": router.llms,
        "value_usd": router.value_usd,
        "operators": router.operators,
        "capabilities": len(router.capabilities),
        "metrics": manifest.metrics,
    }


def _metric_lines(metrics: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """One line a group: its dotted name, and its numbers."""
    plain = [f"{name} {value}" for name, value in metrics.items() if not isinstance(value, dict)]
    lines = [(prefix or "metrics", ", ".join(plain))] if plain else []
    for name, value in metrics.items():
        if isinstance(value, dict):
            lines += _metric_lines(value, f"{prefix}.{name}" if prefix else name)
    return lines


def _lines(data: dict[str, Any]) -> list[tuple[str, str]]:
    contents = data["contents"]
    size = sum(contents["files"].values())
    return [
        *data["build"].items(),
        *((name, f"{value:.1f} (promised: under {LIMITS[name]:.0f})") for name, value in data["costs"].items()),
        ("bundle", f"{contents['bundle']} {contents['version']}, {size / 1e6:.1f} MB at {contents['path']}"),
        ("embedder", f"{contents['embedder']}, {contents['dim']} dimensions"),
        ("LLMs", ", ".join(contents["llms"])),
        ("value", f"{contents['value_usd']:g} USD a correct answer, where a call does not say"),
        ("operators", ", ".join(contents["operators"])),
        ("capabilities", str(contents["capabilities"])),
        *_metric_lines(contents["metrics"]),
    ]


def show_info(router: Router, bundle: Path | None, as_json: bool) -> None:
    """Prints everything that a bug report needs."""
    data = {"build": build_info(), "costs": measure_costs(bundle), "limits": LIMITS, "contents": _contents(router)}
    if as_json:
        print_json(data)
        return
    lines = _lines(data)
    label = max(len(name) for name, _ in lines) + 2
    for name, value in lines:
        say("\n".join(wrap(f"{name:{label}}", value, width())))
