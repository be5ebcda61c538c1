"""Who this process is, as attributes of a resource: what can be learned without starting anything."""

from __future__ import annotations

import platform
import re
import sys
import uuid
from _socket import gethostname
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run._version import __version__
from obs_run.process import program
from obs_run.process.unpatched import getpid, urandom

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONTAINER_ID = re.compile(r"[0-9a-f]{64}")


def read() -> dict[str, str | int]:
    """Return the attributes of this process; what the user set in the standard variables wins."""
    running = program.describe()
    attributes: dict[str, str | int] = {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": _sdk_version(),
        "telemetry.distro.name": "obs-run",
        "telemetry.distro.version": __version__,
        "service.name": running.name,
        "service.instance.id": _new_instance(),
        "process.pid": getpid(),
        "process.executable.path": sys.executable or "",
        "process.runtime.name": sys.implementation.name,
        "process.runtime.version": platform.python_version(),
        "host.name": gethostname(),
        "os.type": {"win32": "windows"}.get(sys.platform, sys.platform),
    }
    container = _container_id()
    if container:
        attributes["container.id"] = container
    revision = _git_revision(Path(running.path).parent if running.path else Path())
    if revision:
        attributes["vcs.ref.head.revision"] = revision
    attributes.update(settings.get("OTEL_RESOURCE_ATTRIBUTES") or {})
    if settings.get("OTEL_SERVICE_NAME"):
        attributes["service.name"] = settings.get("OTEL_SERVICE_NAME")
    return {key: value for key, value in attributes.items() if value != ""}


def in_child(parent: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a forked child: another process and instance of what its parent is."""
    own: dict[str, str | int] = {"process.pid": getpid(), "service.instance.id": _new_instance()}
    kept = settings.get("OTEL_RESOURCE_ATTRIBUTES") or {}
    return {**parent, **{key: value for key, value in own.items() if key not in kept}}


def _new_instance() -> str:
    # uuid4() may be a mock's, or the agent's choice of a sequence.
    return str(uuid.UUID(bytes=urandom(16), version=4))


def _sdk_version() -> str:
    from opentelemetry.sdk.version import __version__ as version

    return version


def _container_id() -> str | None:
    """Return the id of the container around us, as cgroup v1 or the mounts of cgroup v2 give it away."""
    for name, marker in (("cgroup", ""), ("mountinfo", "/containers/")):
        try:
            lines = Path("/proc/self", name).read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return None
        for line in lines:
            if marker in line and (found := _CONTAINER_ID.search(line)):
                return found.group()
    return None


def _git_revision(start: Path) -> str | None:
    """Return the commit that is checked out around ``start``, read from the files, without starting git."""
    try:
        folders = (start, *start.absolute().parents)
    except FileNotFoundError:  # the current folder is gone
        return None
    for folder in folders:
        git = folder / ".git"
        try:
            if not git.is_dir():
                continue
            head = (git / "HEAD").read_text(encoding="ascii").strip()
            if not head.startswith("ref: "):
                return head
            ref = git / head[5:]
            if ref.is_file():
                return ref.read_text(encoding="ascii").strip()
            packed = (git / "packed-refs").read_text(encoding="ascii").splitlines()
            return next((line.split()[0] for line in packed if line.endswith(" " + head[5:])), None)
        except (OSError, UnicodeDecodeError):
            return None
    return None
