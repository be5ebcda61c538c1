"""The run span: one span over the run of a script, exported when the run ends or is cut."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags

from obs_run import settings
from obs_run._version import __version__
from obs_run.base import guard
from obs_run.base.payload import error_name
from obs_run.context import run_context
from obs_run.context.run_context import span_context
from obs_run.core import semconv
from obs_run.pipeline.items import SpanItem
from obs_run.pipeline.queue import queue
from obs_run.process import program, run
from obs_run.sdk import spans

if TYPE_CHECKING:
    from obs_run.process.exit_hooks import Leaving
    from obs_run.process.run import Identity


_ended: Identity | None = None


def end(left: Leaving) -> None:
    """Export the run span as the process leaves, once."""
    global _ended
    if run.owned() and _ended is not run.identity():
        _ended = run.identity()
        attributes: dict[str, Any] = {}
        if left.exit_code is not None:
            attributes[semconv.OBS_RUN_EXIT_CODE] = left.exit_code
        if left.signal is not None:
            attributes[semconv.OBS_RUN_SIGNAL] = spans.ending_name(left)
        if left.exception is not None:
            attributes[semconv.ERROR_TYPE] = error_name(left.exception)
        times = run.started_ns, time.time_ns()
        _export(run.identity(), run_context.before(), times, attributes, *_outcome(left))


def cut(ended: Identity, before: Identity | None, times: tuple[int, int]) -> None:
    """Export the span of a run that goes on in another trace; on the export thread."""
    _export(ended, before, times, {semconv.OBS_RUN_CONTINUED: True}, Status(StatusCode.UNSET), [])


def _outcome(left: Leaving) -> tuple[Status, list[Event]]:
    error = left.exception
    if error is not None:
        from traceback import format_exception

        stack = "".join(format_exception(type(error), error, error.__traceback__))
        event = Event(
            "exception",
            {
                semconv.EXCEPTION_TYPE: error_name(error),
                semconv.EXCEPTION_MESSAGE: guard.shown(error),
                semconv.EXCEPTION_STACKTRACE: stack,
            },
            time.time_ns(),
        )
        return Status(StatusCode.ERROR, f"{type(error).__name__}: {guard.shown(error)}"), [event]
    if left.signal is not None:
        return Status(StatusCode.ERROR, f"ended by {spans.ending_name(left)}"), []
    if left.exit_code:
        return Status(StatusCode.ERROR, f"exit code {left.exit_code}"), []
    return Status(StatusCode.UNSET), []


def _export(
    identity: Identity,
    before: Identity | None,
    times: tuple[int, int],
    attributes: dict[str, Any],
    status: Status,
    events: list[Event],
) -> None:
    if not identity.sampled:
        return
    running = program.describe()
    attributes = {semconv.OBS_RUN_KIND: running.kind, "process.pid": os.getpid(), **attributes}
    if settings.get("OBS_RUN_SPAN_ARGV"):
        attributes[semconv.PROCESS_COMMAND_ARGS] = tuple(running.argv)
    from obs_run.sdk import providers

    span = ReadableSpan(
        name=running.name,
        context=span_context(identity),
        parent=_parent(identity),
        resource=providers.set_up().resource,
        attributes=attributes,
        events=events,
        links=[Link(span_context(before))] if before is not None else [],
        kind=SpanKind.INTERNAL,
        status=status,
        start_time=times[0],
        end_time=times[1],
        instrumentation_scope=InstrumentationScope("obs_run", __version__),
    )
    queue().put(SpanItem(span))


def _parent(identity: Identity) -> SpanContext | None:
    if identity.parent_span_id is None:
        return None
    flags = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(identity.trace_id, identity.parent_span_id, is_remote=True, trace_flags=flags)
