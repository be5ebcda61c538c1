"""What ``obsctl doctor`` says of how long telemetry stays on this machine: store, log files, audit trail."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.cli import words
from obs_run.cli.finding import Finding
from obs_run.runtime import destinations

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNALS = ("traces", "metrics", "logs")


def findings() -> Iterator[Finding]:
    """Yield one finding for each place, and what of it everybody may read."""
    if any("store" in destinations.names(signal) for signal in _SIGNALS):
        yield from _store()
    if any("otlp" in destinations.names(signal) for signal in _SIGNALS):
        yield _spool()
    yield _log_files()
    yield _audit_trail()


def _read(name: str) -> Any:
    return settings.lookup(name).value


def _store() -> Iterator[Finding]:
    from obs_run.store import permissions
    from obs_run.store.location import default_path

    keep, path = _read("OBS_STORE_KEEP"), default_path()
    until = f"{words.age(keep)} (OBS_STORE_KEEP)" if keep else "any age (OBS_STORE_KEEP=0)"
    size = f"{words.a_size(_read('OBS_STORE_MAX_BYTES'))} in all (OBS_STORE_MAX_BYTES)"
    waiting = _aged(keep) if keep else 0
    note = f"; {words.count(waiting, 'older trace')} will leave when agents next write" if waiting else ""
    yield Finding("ok", "local store", f"traces, logs and metrics up to {until}, {size}{note}")
    said = permissions.openness(path)
    if said:
        yield Finding("!", "local store", said)


def _spool() -> Finding:
    if not _read("OBS_SPOOL"):
        return Finding("-", "spool", "off (OBS_SPOOL=false): what an endpoint does not take waits in memory alone")
    from obs_run.pipeline import spool_folder

    folder, keep = destinations.spool_folder(), _read("OBS_SPOOL_KEEP")
    waiting = sum(size for _, size in spool_folder.files(folder))
    until = f"up to {words.age(keep)} (OBS_SPOOL_KEEP)" if keep else "of any age (OBS_SPOOL_KEEP=0)"
    size = f"{words.a_size(waiting)} of {words.a_size(_read('OBS_SPOOL_BYTES'))} (OBS_SPOOL_BYTES)"
    text = f"what OTLP endpoints did not take, {until}, {size}, in {folder}"
    return Finding("!" if waiting else "ok", "spool", f"{text}; see obsctl spool status" if waiting else text)


def _aged(keep: float) -> int:
    from obs_run.store import retention
    from obs_run.store.location import default_path
    from obs_run.store.schema import StoreError, open_reader

    # What is wrong with the file stands where telemetry goes.
    with suppress(StoreError):
        connection = open_reader(default_path())
        try:
            return retention.aged(connection, keep)
        finally:
            connection.close()
    return 0


def _log_files() -> Finding:
    folder = _read("OBS_LOG_FOLDER")
    if folder == "none":
        return Finding("-", "log files", "none (OBS_LOG_FOLDER=none)")
    age, keep = _read("OBS_LOG_FILE_AGE"), _read("OBS_LOG_KEEP")
    begun = f"{words.a_size(_read('OBS_LOG_FILE_BYTES'))}" + (f" or {words.age(age)}" if age else "")
    kept = words.count(_read("OBS_LOG_FILES"), "file") + (f", up to {words.age(keep)}" if keep else ", of any age")
    return Finding("ok", "log files", f"in {folder}, put aside at {begun}; kept of those: {kept}")


def _audit_trail() -> Finding:
    if not _read("OBS_AUDIT"):
        return Finding("-", "audit trail", "off (OBS_AUDIT=false)")
    keep, size = _read("OBS_AUDIT_KEEP"), _read("OBS_AUDIT_MAX_BYTES")
    limits = [f"older than {words.age(keep)} (OBS_AUDIT_KEEP)"] if keep else []
    limits += [f"beyond {words.a_size(size)} (OBS_AUDIT_MAX_BYTES)"] if size else []
    if not limits:
        return Finding("ok", "audit trail", "nothing of it is ever deleted")
    return Finding("ok", "audit trail", f"whole files {' or '.join(limits)} are deleted, which the trail records")
