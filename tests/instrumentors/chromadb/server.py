"""Chroma's own server on loopback, one for each process."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from functools import cache
from pathlib import Path


@cache
def port() -> int:
    """Return the port of the server, which is started first; it ends with this process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = int(free.getsockname()[1])
    folder = tempfile.mkdtemp()
    chroma = Path(sys.executable).with_name("chroma")
    words = (str(chroma), "run", "--host", "127.0.0.1", "--port", str(number), "--path", folder)
    environ = {**os.environ, "ANONYMIZED_TELEMETRY": "False"}
    process = subprocess.Popen(words, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)

    def stop() -> None:
        process.kill()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    deadline = time.monotonic() + 200
    while not _listens(number):
        assert process.poll() is None, "Chroma's server ended"
        assert time.monotonic() < deadline, "Chroma's server does not start"
        time.sleep(0.1)
    return number


def _listens(number: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", number)) == 0
