"""Records on their way into the audit trail, and the one trail of this process."""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.audit_trail import place, seal
from obs_run.audit_trail.entry import Origin, canonical
from obs_run.audit_trail.trail import Limits, Receipt, Trail
from obs_run.base import guard
from obs_run.base.plain_values import Snapshot, to_json
from obs_run.context import log_context, propagation
from obs_run.core import semconv
from obs_run.process import program
from obs_run.store import location

if TYPE_CHECKING:
    from collections.abc import Mapping

_SETTINGS = (
    "OBS_AUDIT_FILE",
    "OBS_AUDIT_KEY_FILE",
    "OBS_AUDIT_FILE_BYTES",
    "OBS_AUDIT_KEEP",
    "OBS_AUDIT_MAX_BYTES",
    "OTEL_SERVICE_NAME",
)
_INFO = 9
_SCALARS = frozenset({str, int, float, bool})

_trail: tuple[tuple[Any, ...], Trail] | None = None
_opening = threading.RLock()


def append(record: Mapping[str, Any]) -> Receipt | None:
    """Append a record to the audit trail, scrubbed by privacy; None when it could not be written or OBS_AUDIT is off.

    Any values are taken, as plain ones. The receipt is true, and has the entry's ``sequence`` and ``hash`` for a copy
    elsewhere; both are None in a call that interrupted another one of the same thread, and is written by that.
    """
    receipt: Receipt | None = guard.call("audit trail", _append, record)
    return receipt


def audit(action: str, *, actor: Any = None, outcome: Any = None, **details: Any) -> Receipt | None:
    """Record that ``actor`` did ``action`` with ``outcome``, in the audit trail and as a log record of telemetry.

    ``details`` are any further values. Never raises; None when the trail could not be written or OBS_AUDIT is off.
    """
    receipt: Receipt | None = guard.call("audit", _audit, action, actor, outcome, details)
    return receipt


def _append(record: Mapping[str, Any]) -> Receipt | None:
    return _write(Snapshot().fields(record)) if settings.get("OBS_AUDIT") else None


def _audit(action: Any, actor: Any, outcome: Any, details: dict[str, Any]) -> Receipt | None:
    taken = Snapshot()
    record: dict[str, Any] = {"action": taken.text(action)}
    given = {"actor": actor, "outcome": outcome, "details": details or None}
    record.update((name, taken.value(value)) for name, value in given.items() if value is not None)
    around = log_context.all_fields()
    if around:
        record["context"] = taken.fields(around)
    trace = propagation.current_ids()
    if trace[0]:
        record["trace_id"], record["span_id"] = f"{trace[0]:032x}", f"{trace[1]:016x}"
    receipt = _write(record) if settings.get("OBS_AUDIT") else None
    guard.call("audit log record", _export, record, trace, receipt)
    return receipt


def _write(record: dict[str, Any]) -> Receipt | None:
    return _current().append(canonical(_scrubbed(record)))


def _scrubbed(record: dict[str, Any]) -> dict[str, Any]:
    from obs_run.privacy import scrubber

    one = scrubber()
    return one.value(None, record) if one.active else record


def _export(record: dict[str, Any], trace: tuple[int, int, int], receipt: Receipt | None) -> None:
    """Put the record into the queue of the pipeline, which scrubs it."""
    if settings.get("OTEL_SDK_DISABLED"):
        return
    from obs_run.core import log_records
    from obs_run.core.sink import LogRecord
    from obs_run.runtime import in_process, start

    start.start_api()
    in_process.install()
    if not log_records.is_wanted():
        return
    attributes: dict[str, Any] = {
        semconv.OBS_LOG_CATEGORY: "security",
        semconv.OBS_AUDIT_ACTOR: record.get("actor"),
        semconv.OBS_AUDIT_OUTCOME: record.get("outcome"),
        semconv.OBS_AUDIT_SEQUENCE: receipt.sequence if receipt else None,
        semconv.OBS_AUDIT_HASH: receipt.hash if receipt else None,
    }
    for name, value in (*record.get("context", {}).items(), *record.get("details", {}).items()):
        attributes[f"data.{name}" if name in attributes else name] = value
    log_records.log(
        LogRecord(
            time_ns=time.time_ns(),
            severity=_INFO,
            severity_text="INFO",
            body=record["action"],
            attributes={name: _attribute(value) for name, value in attributes.items() if value is not None},
            trace=trace,
            scope="obs_run.audit",
            event_name=semconv.EVENT_AUDIT,
        )
    )


def _attribute(value: Any) -> Any:
    return value if type(value) in _SCALARS else to_json(value)


def _current() -> Trail:
    """Return the trail that the settings of now name."""
    global _trail
    chosen = tuple(map(settings.get, _SETTINGS))
    known = _trail
    if known is None or known[0] != chosen:
        with _opening:
            known = _trail
            if known is None or known[0] != chosen:
                _trail = known = (chosen, make())
    return known[1]


def make() -> Trail:
    """Return a trail as the settings say."""
    _, key_file, file_bytes, keep, max_bytes, service = map(settings.get, _SETTINGS)
    key = None
    if key_file:
        try:
            key = seal.read_key(location.absolute(key_file))
        except seal.KeyFileError as error:
            guard.warn(f"OBS_AUDIT_KEY_FILE: {error}; the audit trail goes on without a key, and will not verify")
    origin = Origin(canonical(_host()), canonical(Snapshot().text(service or _service())))
    seals = seal.by_key(*(() if key is None else (key,)))
    return Trail(place.default(), seal.Seal(key), seals, origin, Limits(file_bytes, keep, max_bytes))


def _host() -> str:
    return Snapshot().text(socket.gethostname())


def _service() -> str:
    named = (settings.get("OTEL_RESOURCE_ATTRIBUTES") or {}).get("service.name")
    return str(named or guard.call("service name", lambda: program.describe().name) or sys.executable)


def _after_fork_in_child() -> None:
    global _opening
    # Another thread of the parent may have held it.
    _opening = threading.RLock()
    if _trail is not None:
        _trail[1].after_fork()


os.register_at_fork(after_in_child=_after_fork_in_child)
