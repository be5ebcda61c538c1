"""The run span: one span over the run of a script, exported when the run ends or is cut."""

from __future__ import annotations

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
from obs_run.process import program, run
from obs_run.process.unpatched import getpid

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource

    from obs_run.process.exit_sequence import ExitInfo
    from obs_run.process.identity import Identity


def build_at_end(info: ExitInfo, end_ns: int, resource: Resource) -> ReadableSpan | None:
    """Return the run span of a process that leaves; None where the trace is not kept."""
    attributes: dict[str, Any] = {}
    if info.exit_code is not None:
        attributes[semconv.OBS_RUN_EXIT_CODE] = info.exit_code
    if info.signal is not None:
        attributes[semconv.OBS_RUN_SIGNAL] = info.describe()
    elif info.exception is not None:
        attributes[semconv.ERROR_TYPE] = error_name(info.exception)
    times = run.started_ns(), max(run.started_ns(), end_ns)
    return _build(run.identity(), run_context.previous(), times, attributes, *_outcome(info), resource)


def build_part(
    ended: Identity, previous: Identity | None, times: tuple[int, int], resource: Resource
) -> ReadableSpan | None:
    """Return the span of a run that goes on in another trace; None where the trace is not kept."""
    status = Status(StatusCode.UNSET)
    return _build(ended, previous, times, {semconv.OBS_RUN_CONTINUED: True}, status, [], resource)


def _outcome(info: ExitInfo) -> tuple[Status, list[Event]]:
    error = info.exception
    if info.signal is not None:
        # To be stopped is how a service ends that does well.
        return Status(StatusCode.UNSET), []
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
            info.began_ns,
        )
        return Status(StatusCode.ERROR, f"{type(error).__name__}: {guard.shown(error)}"), [event]
    if info.exit_code:
        return Status(StatusCode.ERROR, f"exit code {info.exit_code}"), []
    return Status(StatusCode.UNSET), []


def _build(
    identity: Identity,
    previous: Identity | None,
    times: tuple[int, int],
    attributes: dict[str, Any],
    status: Status,
    events: list[Event],
    resource: Resource,
) -> ReadableSpan | None:
    if not identity.sampled:
        return None
    running = program.describe()
    attributes = {semconv.OBS_RUN_KIND: running.kind, "process.pid": getpid(), **attributes}
    if settings.get("OBS_RUN_SPAN_ARGV"):
        attributes[semconv.PROCESS_COMMAND_ARGS] = tuple(running.argv)
    return ReadableSpan(
        name=running.name,
        context=span_context(identity),
        parent=_parent(identity),
        resource=resource,
        attributes=attributes,
        events=events,
        links=[] if previous is None else [Link(span_context(previous))],
        kind=SpanKind.INTERNAL,
        status=status,
        start_time=times[0],
        end_time=times[1],
        instrumentation_scope=InstrumentationScope("obs_run", __version__),
    )


def _parent(identity: Identity) -> SpanContext | None:
    if identity.parent_span_id is None:
        return None
    flags = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(identity.trace_id, identity.parent_span_id, is_remote=True, trace_flags=flags)
