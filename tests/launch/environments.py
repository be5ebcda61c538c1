"""Environments with other packages or another Python, made by uv once, kept under .cache till their contents change."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.file_lock import locked

ROOT = Path(__file__).parents[2]
_CACHE = ROOT / ".cache"
_PINS = ROOT / "requirements" / "development.txt"
OURSELVES = ("--constraint", str(_PINS), "--editable", str(ROOT))
# What an editable installation copies; the rest it finds in the source tree.
_COPIED = ("pyproject.toml", "src/obs_run/launch/scripts/*", "src/obs_run/launch/bootstrap/*.py")

_SERVERS = (
    "aiohttp==3.14.5",
    "fastapi==0.165.0",
    "flask==3.1.3",
    "gunicorn==27.0.1",
    "hypercorn==0.18.0",
    "uvicorn==0.54.0",
    "websockets",
)
_CONTRIB = tuple(
    f"opentelemetry-instrumentation-{name}"
    for name in ("aiohttp-server", "asgi", "fastapi", "flask", "grpc", "starlette", "wsgi")
)
PACKAGES = {
    "bare": (),
    "web": ("uvicorn==0.54.0", "gunicorn==27.0.1"),
    "servers": _SERVERS,
    "servers of before": (
        "aiohttp==3.9.0",
        "fastapi==0.115.0",
        "flask==2.0.0",
        "gunicorn==21.0.0",
        "hypercorn==0.15.0",
        "starlette==0.38.6",
        "uvicorn==0.20.0",
        "websockets==10.4",
        "werkzeug==2.0.0",
    ),
    "servers, contrib": (*_SERVERS, "grpcio", *_CONTRIB),
    "beside": (
        "celery==5.7.0",
        "eventlet",
        "freezegun",
        "gevent",
        "pyfakefs",
        "pytest-socket",
        "python-daemon",
        "requests",
        "time-machine",
        "vcrpy",
    ),
    "pytest": ("pyfakefs", "pytest"),
    "celery": ("celery==5.7.0", "sqlalchemy==2.1.9"),
    "locust": ("locust",),
    "a2a 1.0": ("a2a-sdk[grpc,http-server]==1.0.0", "uvicorn==0.54.0"),
    "a2a 1.3": ("a2a-sdk[http-server]==1.3.0", "uvicorn==0.54.0"),
    "zmq": ("openai", "pyzmq==27.3.0", "requests"),
    "nats": ("nats-py==2.16.0", "openai"),
    "redis": ("redis==8.1.0",),
    "kafka": ("aiokafka==0.14.0",),
    "websockets": ("websockets==17.4",),
    "apscheduler": ("apscheduler==3.11.3",),
    "apscheduler 4": ("apscheduler==4.0.0a6",),
    "fleet": (
        "aiohttp==3.14.5",
        "aiokafka==0.14.0",
        "apscheduler==3.11.3",
        "grpcio",
        "msgpack",
        "nats-py==2.16.0",
        "pyzmq==27.3.0",
        "redis==8.1.0",
        "requests",
        "uvicorn==0.54.0",
        "websockets==17.4",
        *(f"opentelemetry-instrumentation-{name}" for name in ("aiohttp-client", "grpc", "requests")),
    ),
    "celery redis": ("celery==5.7.0", "redis==8.1.0"),
    "resilience": ("cachetools==8.0.2", "pybreaker==1.4.1", "sqlalchemy==2.1.9", "tenacity==9.2.1"),
    "mcp 1": ("mcp==1.30.0",),
    "mcp 2": ("mcp==2.3.0",),
    "fastmcp": ("fastmcp==4.2.3",),
}

UNPINNED = frozenset(["servers, contrib", "servers of before", "fleet"])
"""Environments whose packages are there for other versions of OpenTelemetry's only than those that we develop with.

And those with another version of a package that we develop with.
"""


class Environment(NamedTuple):
    """A Python and the folder of its commands."""

    python: str
    scripts: Path

    def command(self, name: str) -> str:
        """Return the path of one of its commands."""
        return str(self.scripts / name)


HERE = Environment(sys.executable, Path(sysconfig.get_path("scripts")))


def environment(packages: str = "bare", python: str = sys.executable) -> Environment:
    """Return an environment with obs-run and a group of packages, made if there is none like it."""
    assert_may_be_made()
    version = _output(python, "-c", "import sys; print('%d.%d.%d' % sys.version_info[:3])")
    text = "\n".join([python, version, *PACKAGES[packages], *_contents()])
    name = f"{packages.replace(' ', '')}-{version}"
    folder = _CACHE / "launch" / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    with locked(folder.parent / f".{name}.lock"):
        if not (folder / "complete").exists():
            for old in folder.parent.glob(f"{name}-*"):
                shutil.rmtree(old)
            ourselves = OURSELVES[2:] if packages in UNPINNED else OURSELVES
            make(folder, python, *ourselves, *PACKAGES[packages])
            (folder / "complete").touch()
    return Environment(str(folder / "bin" / "python"), folder / "bin")


may_be_made: ContextVar[bool] = ContextVar("may_be_made", default=True)
"""Whether the test that runs is marked as one that needs environments, and with them the network."""


def make(folder: Path, python: str, *wanted: str) -> None:
    """Make an environment in ``folder`` and install what is wanted."""
    assert_may_be_made()
    _output(uv(), "venv", "--quiet", "--python", python, str(folder))
    if wanted:
        _output(uv(), "pip", "install", "--quiet", "--python", str(folder / "bin" / "python"), *wanted)


def assert_may_be_made() -> None:
    """Assert that the test that runs is one that may need environments, be they there already or not."""
    assert may_be_made.get(), "mark the test with pytest.mark.environments"


@cache
def uv() -> str:
    """Return uv as the Makefile finds it, or brings it in."""
    found = os.environ.get("UV") or shutil.which("uv")
    if found:
        return found
    private = _CACHE / "uv"
    if not (private / "bin" / "uv").exists():
        _output(sys.executable, "-m", "venv", str(private))
        _output(str(private / "bin" / "python"), "-m", "pip", "install", "--quiet", "uv")
    return str(private / "bin" / "uv")


_ASK = """
import sys
print('%d.%d %s' % (sys.version_info[:2] + (getattr(sys, '_base_executable', None) or sys.executable,)))
"""


@cache
def interpreter_or_skip(version: str) -> str:
    """Return the same; without it the test is skipped, which CI takes for a failure."""
    path = interpreter(version)
    if path is None:
        pytest.skip(f"there is no Python {version} on this machine")
    return path


def interpreter(version: str) -> str | None:
    """Return the path of a Python of this version (major.minor) on PATH or among pyenv's; None if there is none.

    Of an environment, such as the active one, its own Python is meant.
    """
    candidates = [shutil.which(f"python{version}"), sys.executable]
    pyenv = shutil.which("pyenv")
    if pyenv:
        folders = Path(_output(pyenv, "root"), "versions").glob(f"{version}.*/bin/python")
        candidates += map(str, sorted(folders))
    for candidate in filter(None, candidates):
        # A shim of pyenv is there for versions that are not switched on, and fails.
        asked = [candidate, "-c", _ASK]
        answer = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=False)
        found, _, path = answer.stdout.strip().partition(" ")
        if found == version:
            return path
    return None


def _contents() -> list[str]:
    files = [path for pattern in _COPIED for path in sorted(ROOT.glob(pattern))]
    return [str(ROOT), _PINS.read_text(), *(path.read_text() for path in files)]


def _output(*words: str) -> str:
    outside = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False, env=outside)
    assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"
    return done.stdout.strip()
