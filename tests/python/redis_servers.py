"""A real redis-server of this test alone: on a socket in its own folder, ended by its process id."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

BINARY = shutil.which(os.environ.get("TURNOUT_REDIS_SERVER", "redis-server"))

try:
    import redis
except ImportError:
    MISSING = "redis is not installed: pip install 'turnout[redis]'"
else:
    MISSING = "" if BINARY else "redis-server is not installed: apt-get install redis-server"

READY = b"eady to accept connections"


class Server:
    """A server that can be killed and started again on the same files.

    Parameters
    ----------
    folder : Path
        Of a short name: it holds the socket.
    options : str
        As on the command line of redis-server.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder, self.options = folder, options
        self.url = f"unix://{folder / 'redis.sock'}"
        self.start()

    def start(self) -> None:
        where = ["--port", "0", "--unixsocket", str(self.folder / "redis.sock"), "--dir", str(self.folder)]
        command = [str(BINARY), *where, "--save", "", *self.options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if READY in line:
                return
        raise RuntimeError(f"redis-server ended with {self.process.wait()}")

    def client(self) -> redis.Redis:
        return redis.Redis.from_url(self.url)

    def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        self.process.send_signal(how)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
