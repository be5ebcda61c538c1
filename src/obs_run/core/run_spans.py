"""The run span: one span over the run of a script, exported when the run ends or is cut."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run._version import __version__
from obs_run.base import guard
from obs_run.base.payload import error_name
from obs_run.core import semconv
from obs_run.core.sink import Scope, SpanEvent, SpanLink, SpanRecord
from obs_run.process import program, run
from obs_run.process.unpatched import getpid

if TYPE_CHECKING:
    from obs_run.process.exit_sequence import ExitInfo
    from obs_run.process.identity import Identity

_SCOPE = Scope("obs_run", __version__)


def at_start() -> SpanRecord | None:
    """Return the span of the run that goes on; None where the trace is not kept."""
    return _record(run.identity(), run.previous(), (run.started_ns(), 0), {})


def at_end(info: ExitInfo, end_ns: int) -> SpanRecord | None:
    """Return the run span of a process that leaves; None where the trace is not kept."""
    times = run.started_ns(), max(run.started_ns(), end_ns)
    record = _record(run.identity(), run.previous(), times, _attributes_of(info))
    return None if record is None else _with_outcome(record, info)


def of_part(ended: Identity, previous: Identity | None, times: tuple[int, int]) -> SpanRecord | None:
    """Return the span of a run that goes on in another trace; None where the trace is not kept."""
    return _record(ended, previous, times, {semconv.OBS_RUN_CONTINUED: True})


def _attributes_of(info: ExitInfo) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    if info.exit_code is not None:
        attributes[semconv.OBS_RUN_EXIT_CODE] = info.exit_code
    if info.signal is not None:
        attributes[semconv.OBS_RUN_SIGNAL] = info.describe()
    elif info.exception is not None:
        attributes[semconv.ERROR_TYPE] = error_name(info.exception)
    return attributes


def _with_outcome(record: SpanRecord, info: ExitInfo) -> SpanRecord:
    error = info.exception
    if info.signal is not None:
        # To be stopped is how a service ends that does well.
        return record
    if error is not None:
        from traceback import format_exception

        stack = "".join(format_exception(type(error), error, error.__traceback__))
        attributes = {
            semconv.EXCEPTION_TYPE: error_name(error),
            semconv.EXCEPTION_MESSAGE: guard.shown(error),
            semconv.EXCEPTION_STACKTRACE: stack,
        }
        event = SpanEvent("exception", attributes, info.began_ns)
        description = f"{type(error).__name__}: {guard.shown(error)}"
        return record._replace(has_failed=True, description=description, events=(event,))
    if info.exit_code:
        return record._replace(has_failed=True, description=f"exit code {info.exit_code}")
    return record


def _record(
    identity: Identity, previous: Identity | None, times: tuple[int, int], attributes: dict[str, Any]
) -> SpanRecord | None:
    if not identity.sampled:
        return None
    running = program.describe()
    attributes = {semconv.OBS_RUN_KIND: running.kind, "process.pid": getpid(), **attributes}
    if settings.get("OBS_RUN_SPAN_ARGV"):
        attributes[semconv.PROCESS_COMMAND_ARGS] = tuple(running.argv)
    parent_id = identity.parent_span_id
    return SpanRecord(
        running.name,
        "INTERNAL",
        identity.trace_id,
        identity.span_id,
        *times,
        parent=None if parent_id is None else SpanLink(identity.trace_id, parent_id, is_remote=True),
        attributes=attributes,
        links=() if previous is None else (_link(previous),),
        scope=_SCOPE,
    )


def _link(identity: Identity) -> SpanLink:
    return SpanLink(identity.trace_id, identity.span_id, int(identity.sampled))
