"""Slots of replicas in a folder that they share: one file each, replaced whole."""

from __future__ import annotations

import os
import re
from pathlib import Path

from turnout.state.disk import disk_errors, read, write_whole

_NAME = re.compile(r"[0-9a-f]{16}")


class Slots:
    """A folder of slots; on one machine, or on a disk that machines share.

    Parameters
    ----------
    folder : Path
        Made where it is missing, for its owner only.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def _names(self) -> list[str]:
        with disk_errors(self._folder, "read"):
            return sorted(x for x in os.listdir(self._folder) if _NAME.fullmatch(x)) if self._folder.exists() else []

    def publish(self, replica: int, slot: bytes) -> None:
        with disk_errors(self._folder, "made"):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_whole(self._folder / f"{replica:016x}", slot)

    def peers(self, replica: int) -> dict[int, bytes]:
        """The slots of all replicas but `replica`; other files are nothing to it."""
        return {int(x, 16): read(self._folder / x) for x in self._names() if int(x, 16) != replica}
