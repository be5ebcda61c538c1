"""What a relay exports with, and the folder of the agents that it is the same for."""

from __future__ import annotations

import marshal
import os
import sys
from _blake2 import blake2b
from typing import Any

from obs_run import settings
from obs_run._version import __version__
from obs_run.buffer import folder
from obs_run.process.unpatched import getpid, urandom

_AGENTS_OWN = frozenset((
    "General", "Budgets of runs", "Log files and console", "Launcher", "Audit trail", "Instrumentors of others, HTTP",
))  # fmt: skip
"""The groups of settings that only the agent's side reads."""
_FILE_KINDS = ("file", "files", "folder")
# process/relay.py has a wider choice, of which these are a part.
_NETWORK = frozenset((
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
))  # fmt: skip
_PLACES = ("HOME", "XDG_DATA_HOME")
_DIGEST_BYTES = 10


def variables() -> dict[str, str]:
    """Return the variables of the environment that what is exported depends on, and where it goes."""
    own = {setting.name for setting in settings.SETTINGS if setting.group in _AGENTS_OWN}
    return {
        name: value
        for name, value in os.environ.items()
        if (name.startswith(("OTEL_", "OBS_")) and name not in own and not name.startswith(_MARKS))
        or name.upper() in _NETWORK
        or name in _PLACES
    }


_MARKS = ("OBS_RUN", "OBS_RELAY_FOLDER", "OBS_TESTS_")


def package_folder() -> str:
    """Return the folder that ``obs_run`` is imported from."""
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def prepare(parent: str) -> str:
    """Return the folder of this process's configuration in ``parent``, made and described where it is new."""
    described = _described()
    written = marshal.dumps(described, 2)
    path = os.path.join(parent, blake2b(written, digest_size=_DIGEST_BYTES).hexdigest())
    folder.make(path)
    place = os.path.join(path, folder.CONFIGURATION)
    if not os.path.exists(place):
        temporary = f"{place}.{getpid()}-{urandom(4).hex()}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.write(descriptor, written)
        finally:
            os.close(descriptor)
        os.rename(temporary, place)
    return path


def read(path: str) -> dict[str, Any]:
    """Return the configuration in a folder; ``OSError`` or ``ValueError`` where there is none."""
    descriptor = os.open(os.path.join(path, folder.CONFIGURATION), os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        found: dict[str, Any] = marshal.load(file)  # noqa: S302 (of a folder of this user's alone)
    return found


def _described() -> dict[str, Any]:
    chosen = variables()
    return {
        "version": __version__,
        "python": sys.executable,
        "path": package_folder(),
        "folder": os.path.abspath("") if _has_relative_path(chosen) else "",
        "variables": dict(sorted(chosen.items())),
    }


def _has_relative_path(chosen: dict[str, str]) -> bool:
    """Whether a file is named by where the agent was started."""
    of_files = (setting.name for setting in settings.SETTINGS if setting.kind in _FILE_KINDS)
    return any(name in chosen and not chosen[name].startswith(("/", "~")) for name in of_files if chosen.get(name))
