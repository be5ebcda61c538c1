"""Whether a relay exports for this process: the launcher says where it reads."""

import os
import stat
import sys

VARIABLE = "OBS_RELAY_FOLDER"
ANNOUNCED = ".run"
"""What the name of a file ends with by which a process says that it has begun, and has written nothing yet."""
WRITES = ".writes"
"""What it is renamed to when the process writes: its end is to be seen, and its run is in its buffer."""
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
_ELSEWHERE = ("console", "memory")
"""Exporters that are of use in the agent's own process only."""
_EXPORTERS = ("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER")
_PREFIXES = ("OTEL_", "OBS_", "SSL_CERT_", "GRPC_DEFAULT_")
_NAMES = ("TRACEPARENT", "BAGGAGE", "HOME", "XDG_DATA_HOME", "PATH")
_found: "dict[str, str]" = {}
_announced: "list[tuple[int, str]]" = []


def folder() -> str:
    """Return the folder that the relay reads, empty where none exports for this process; asked of the first call on."""
    if "folder" not in _found:
        _found["folder"] = _look()
    return _found["folder"]


def announce(started_ns: int) -> None:
    """Say to the relay, if there is one, that this process has begun: it may be killed before it writes anything."""
    if not folder():
        return
    import marshal

    path = os.path.join(folder(), f"{os.getpid()}{ANNOUNCED}")
    environ = {name: value for name, value in os.environ.items() if _is_of_export(name)}
    try:
        here = os.getcwd()
    except FileNotFoundError:  # it is gone
        here = ""
    described = (environ, sys.orig_argv, here, sys.executable, started_ns)
    descriptor = os.open(path, _CREATE, 0o600)
    try:
        os.write(descriptor, marshal.dumps(described, 2))
    finally:
        os.close(descriptor)
    _announced.append((os.getpid(), path))


def _is_of_export(name: str) -> bool:
    """Whether what is exported, or where to, may depend on a variable; the agent's own secrets stay its own."""
    return name.startswith(_PREFIXES) or name in _NAMES or name.upper().endswith("_PROXY")


def announce_writing() -> None:
    """Say that this process writes, so that nobody else has to tell of its run."""
    for pid, path in _announced:
        if pid == os.getpid():
            os.rename(path, path.removesuffix(ANNOUNCED) + WRITES)


def end_announcement() -> None:
    """Take back what was said: this process ends by itself."""
    while _announced:
        pid, path = _announced.pop()
        if pid == os.getpid() and os.path.exists(path):
            os.unlink(path)


def is_private(path: str) -> bool:
    """Whether a folder is there that this user alone can enter."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & _OTHERS


def _look() -> str:
    named = os.environ.get(VARIABLE, "")
    if not named or _word("OBS_RELAY") != "on" or _word("OTEL_CONFIG_FILE"):
        return ""
    if any(name in _word(variable) for variable in _EXPORTERS for name in _ELSEWHERE):
        return ""
    return named if is_private(named) and os.access(named, os.W_OK) else ""


def _word(variable: str) -> str:
    return os.environ.get(variable, "").strip().lower()
