"""The run span: one span over the run of a script, the default parent of everything that the script does.

It exists as ids from the start and as a span only when something was recorded. A run that lasts is cut into several
spans, each in a trace of its own and linked to the one before, so that no trace grows without end.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    get_current_span,
    set_span_in_context,
)

from obs_run import settings
from obs_run._version import __version__
from obs_run.core import semconv
from obs_run.launch import program, run
from obs_run.pipeline.items import SpanItem
from obs_run.pipeline.queue import queue
from obs_run.sdk import spans

if TYPE_CHECKING:
    from obs_run.launch.leaving import Leaving
    from obs_run.launch.run import Identity

_NOTHING = Context()
_context: Context | None = None
_identity: Identity | None = None
_previous: Identity | None = None
_cut_at = float("inf")


def default_context() -> Context:
    """Return the context of code that has none of its own: inside the run, or empty where there is no run span."""
    global _context, _identity, _cut_at
    if _context is not None and time.monotonic() < _cut_at and _identity is run.known():
        return _context
    if _context is not None and time.monotonic() >= _cut_at and run.owned():
        _cut()
    if not run.has_parent_for_all():
        return _NOTHING
    identity = _identity = run.identity()
    lifetime: float = settings.get("OBS_RUN_SPAN_SECONDS")
    _cut_at = time.monotonic() + lifetime if lifetime else float("inf")
    _context = set_span_in_context(NonRecordingSpan(_span_context(identity)), Context())
    return _context


def is_run(context: Context | None) -> bool:
    """Whether the current span of ``context`` is the run span itself."""
    return _identity is not None and get_current_span(context).get_span_context().span_id == _identity.span_id


def end(left: Leaving) -> None:
    """Export the run span as the process leaves."""
    if run.owned():
        attributes: dict[str, Any] = {}
        if left.exit_code is not None:
            attributes[semconv.OBS_RUN_EXIT_CODE] = left.exit_code
        if left.signal is not None:
            attributes[semconv.OBS_RUN_SIGNAL] = spans.ending_name(left)
        _export(run.identity(), attributes, *_outcome(left))
        forget()


def forget() -> None:
    """Begin anew, without a run span of one's own: after it was exported, or in a forked child."""
    global _context, _identity
    _context = _identity = None


def _outcome(left: Leaving) -> tuple[Status, list[Event]]:
    error = left.exception
    if error is not None:
        from traceback import format_exception

        stack = "".join(format_exception(type(error), error, error.__traceback__))
        event = Event(
            "exception",
            {
                semconv.EXCEPTION_TYPE: type(error).__qualname__,
                semconv.EXCEPTION_MESSAGE: str(error),
                semconv.EXCEPTION_STACKTRACE: stack,
            },
            time.time_ns(),
        )
        return Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"), [event]
    if left.signal is not None:
        return Status(StatusCode.ERROR, f"ended by {spans.ending_name(left)}"), []
    if left.exit_code:
        return Status(StatusCode.ERROR, f"exit code {left.exit_code}"), []
    return Status(StatusCode.UNSET), []


def _cut() -> None:
    """Close the run's span and begin the next, in a trace of its own."""
    global _previous
    ended = run.identity()
    _export(ended, {semconv.OBS_RUN_CONTINUED: True}, Status(StatusCode.UNSET), [])
    _previous = ended
    run.begin_next_trace()


def _export(identity: Identity, attributes: dict[str, Any], status: Status, events: list[Event]) -> None:
    if not identity.sampled:
        return
    running = program.describe()
    attributes = {semconv.OBS_RUN_KIND: running.kind, "process.pid": os.getpid(), **attributes}
    if settings.get("OBS_RUN_SPAN_ARGV"):
        attributes[semconv.PROCESS_COMMAND_ARGS] = tuple(running.argv)
    if status.status_code is StatusCode.ERROR:
        attributes[semconv.ERROR_TYPE] = events[0].attributes[semconv.EXCEPTION_TYPE] if events else "exit"
    from obs_run.sdk import providers

    span = ReadableSpan(
        name=running.name,
        context=_span_context(identity),
        parent=_parent(identity),
        resource=providers.set_up().resource,
        attributes=attributes,
        events=events,
        links=[Link(_span_context(_previous))] if _previous is not None else [],
        kind=SpanKind.INTERNAL,
        status=status,
        start_time=run.started_ns,
        end_time=time.time_ns(),
        instrumentation_scope=InstrumentationScope("obs_run", __version__),
    )
    queue().put(SpanItem(span))


def _span_context(identity: Identity) -> SpanContext:
    flags = TraceFlags(TraceFlags.SAMPLED if identity.sampled else TraceFlags.DEFAULT)
    return SpanContext(identity.trace_id, identity.span_id, is_remote=False, trace_flags=flags)


def _parent(identity: Identity) -> SpanContext | None:
    if identity.parent_span_id is None:
        return None
    flags = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(identity.trace_id, identity.parent_span_id, is_remote=True, trace_flags=flags)
