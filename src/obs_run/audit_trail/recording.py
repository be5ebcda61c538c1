"""Records on their way into the audit trail, and the one trail of this process."""

from __future__ import annotations

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
from obs_run.base.json_text import to_json
from obs_run.base.plain_values import Snapshot
from obs_run.context import log_context, propagation
from obs_run.core import semconv
from obs_run.process import fork, program
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
    snapshot = Snapshot()
    record: dict[str, Any] = {"action": snapshot.text(action)}
    fields = {"actor": actor, "outcome": outcome, "details": details or None}
    record.update((name, snapshot.value(value)) for name, value in fields.items() if value is not None)
    context = log_context.all_fields()
    if context:
        record["context"] = snapshot.fields(context)
    trace = propagation.current_ids()
    if trace[0]:
        record["trace_id"], record["span_id"] = f"{trace[0]:032x}", f"{trace[1]:016x}"
    receipt = _write(record) if settings.get("OBS_AUDIT") else None
    guard.call("audit log record", _export, record, trace, receipt)
    return receipt


def _write(record: dict[str, Any]) -> Receipt | None:
    return _trails.current().append(canonical(_scrubbed(record)))


def _scrubbed(record: dict[str, Any]) -> dict[str, Any]:
    from obs_run.privacy import scrubber

    one = scrubber()
    return one.value(None, record) if one.active else record


def _scrubbed_text(name: str, text: str) -> str:
    scrubbed = _scrubbed({name: text}).get(name)
    return scrubbed if isinstance(scrubbed, str) else "[withheld]"


def _export(record: dict[str, Any], trace: tuple[int, int, int], receipt: Receipt | None) -> None:
    """Put the record into the queue of the pipeline, which scrubs it."""
    if settings.get("OTEL_SDK_DISABLED"):
        return
    from obs_run.core import log_records
    from obs_run.core.sink import LogRecord
    from obs_run.runtime import process_runtime, start

    start.start_api()
    process_runtime.install()
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


def make() -> Trail:
    """Return a trail as the settings say."""
    _, key_file, file_bytes, keep, max_bytes, service = map(settings.get, _SETTINGS)
    key = None
    if key_file:
        try:
            key = seal.read_key(location.absolute(key_file))
        except seal.KeyFileError as error:
            guard.warn(f"OBS_AUDIT_KEY_FILE: {error}; the audit trail goes on without a key, and will not verify")
    origin = Origin(canonical(_host()), canonical(_scrubbed_text("service", Snapshot().text(service or _service()))))
    seals = seal.by_key(*(() if key is None else (key,)))
    return Trail(place.default(), seal.Seal(key), seals, origin, Limits(file_bytes, keep, max_bytes))


def _host() -> str:
    return Snapshot().text(socket.gethostname())


def _service() -> str:
    named = (settings.get("OTEL_RESOURCE_ATTRIBUTES") or {}).get("service.name")
    return str(named or guard.call("service name", lambda: program.describe().name) or sys.executable)


class _Trails:
    """The one trail of this process, and the settings that it was opened with."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._open: tuple[tuple[Any, ...], Trail] | None = None

    def current(self) -> Trail:
        """Return the trail that the settings of now name."""
        wanted = tuple(map(settings.get, _SETTINGS))
        opened = self._open
        if opened is None or opened[0] != wanted:
            with self._lock:
                opened = self._open
                if opened is None or opened[0] != wanted:
                    self._open = opened = (wanted, make())
        return opened[1]

    def after_fork(self) -> None:
        """In a child process: another thread of the parent may have held the lock."""
        self._lock = threading.RLock()
        if self._open is not None:
            self._open[1].after_fork()


_trails = _Trails()
fork.register(fork.USER_API, "audit trail", in_child=_trails.after_fork)
