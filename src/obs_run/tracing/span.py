"""A span as agents write it: a span of OpenTelemetry, and what was told of it as plain values."""

from __future__ import annotations

import time
import traceback
from typing import TYPE_CHECKING, Any

from opentelemetry import trace as api
from opentelemetry.trace import Status, StatusCode

from obs_run.base import guard
from obs_run.base.noop_awaitable import RECORDED
from obs_run.base.payload import error_name
from obs_run.core import semconv
from obs_run.tracing import attribute_values
from obs_run.tracing.attribute_values import INT64, MOST, SHORT, all_exported, exported
from obs_run.tracing.vocabulary import SpanContext, SpanKind, SpanStatus, member, told_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from opentelemetry.context import Context

    from obs_run.tracing.tracer import Tracer

WEIGHT = 0
"""The place of the weight in a packed span."""
_MOST_LOGS = 1000
_NANO = 1e-9
_SAMPLED = api.TraceFlags.SAMPLED


class Span:
    """One piece of work in a trace.

    ``context`` has its ids; ``tags`` and ``logs`` (events) hold plain values; ``start_time`` and ``end_time`` are
    seconds since 1970, the latter None while the span is open. Made by a tracer it is a span of OpenTelemetry, too,
    and ends by ``finish`` or with its ``with`` block. Whatever it is told, nothing here raises.
    """

    __slots__ = (
        "__weakref__",
        "_begun",
        "_context",
        "_duration",
        "_error",
        "_otel",
        "_parent_id",
        "_tracer",
        "end_time",
        "kept",
        "kind",
        "logs",
        "operation_name",
        "otel_context",
        "references",
        "start_ns",
        "start_time",
        "status",
        "tags",
        "weight",
    )

    def __init__(  # noqa: PLR0917 (as old code knows it)
        self,
        context: SpanContext | None = None,
        operation_name: str = "",
        kind: SpanKind = SpanKind.INTERNAL,
        start_time: float | None = None,
        end_time: float | None = None,
        status: SpanStatus = SpanStatus.OK,
        tags: dict[str, Any] | None = None,
        logs: list[dict[str, Any]] | None = None,
        references: list[Any] | None = None,
    ) -> None:
        self.start_ns = time.time_ns()
        self._begun = time.perf_counter_ns()
        self.operation_name = operation_name
        self.kind = kind
        self.status = status
        self.tags: dict[str, Any] = {} if tags is None else tags
        self.logs: list[dict[str, Any]] = [] if logs is None else logs
        self.references: list[Any] = [] if references is None else references
        if start_time is not None:
            given = round(start_time / _NANO)
            self._begun -= self.start_ns - given
            self.start_ns = given
        self.start_time = self.start_ns * _NANO if start_time is None else start_time
        self.end_time = end_time
        self.weight = 0
        """Roughly the bytes of what is long among tags and events."""
        self._duration: float | None = None if end_time is None else end_time - self.start_time
        self._context = context
        self._otel: Any = None
        self.otel_context: api.SpanContext | None = None
        """OpenTelemetry's own ids."""
        self.kept = False
        """Whether the sampler keeps the trace."""
        self._parent_id = 0
        self._tracer: Tracer | None = None
        self._error: BaseException | None = None

    @property
    def context(self) -> SpanContext:
        """The ids; zeros where OpenTelemetry is switched off."""
        if self._context is None:
            given = self.otel_context
            self._context = (
                SpanContext()
                if given is None
                else told_of(given.trace_id, given.span_id, self._parent_id, int(given.trace_flags))
            )
        return self._context

    @property
    def duration(self) -> float:
        """Seconds: so far while the span is open, in all afterwards."""
        if self._duration is not None:
            return self._duration
        return (time.perf_counter_ns() - self._begun) * _NANO

    def stands_for(self, tracer: Tracer, otel: api.Span) -> None:
        """Be the span ``otel`` of ``tracer`` from now on."""
        self._tracer, self._otel = tracer, otel
        context = self.otel_context = otel.get_span_context()
        self.kept = bool(context.trace_flags & _SAMPLED) and not isinstance(otel, api.NonRecordingSpan)
        parent = getattr(otel, "parent", None)
        self._parent_id = parent.span_id if parent is not None else 0

    def leave_to_parent(self) -> None:
        """In a child process: it is the parent's to record and to count."""
        self._tracer = None

    def context_inside(self, context: Context | None = None) -> Context:
        """Return ``context`` (None: the current one) with this span as the current one."""
        otel = self._otel
        if otel is None:
            otel = api.NonRecordingSpan(self.otel_context or api.INVALID_SPAN_CONTEXT)
        return api.set_span_in_context(otel, context)

    @property
    def end_ns(self) -> int:
        """The end in nanoseconds since 1970; while the span is open, now."""
        return self.start_ns + round(self.duration / _NANO)

    @property
    def is_finished(self) -> bool:
        """Whether the span has ended."""
        return self.end_time is not None

    def set_tag(self, key: str, value: Any) -> None:
        """Tell a fact; what is neither text, number nor bool is kept as JSON has it, and exported as JSON."""
        if type(key) is not str or not key:
            key = attribute_values.name(key)
        tags = self.tags
        if key not in tags and len(tags) >= MOST:
            guard.warn_once(
                f"span {self.operation_name}: more than {MOST} tags, the rest is left out; "
                "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT allows more",
                about="tags",
            )
            return
        told = value
        kind = type(value)
        if kind is str:
            short = len(value) <= SHORT and value.isascii()
        elif kind is int:
            short = -INT64 <= value < INT64
        else:
            # NaN and the infinities have no JSON form.
            short = kind is bool or (kind is float and value - value == 0)
        if not short:
            value = attribute_values.plain(value)
            told = exported(value)
            self.weight += attribute_values.weight(told)
        tags[key] = value
        if self._otel is not None:
            try:
                self._otel.set_attribute(key, told)
            except Exception as error:  # noqa: BLE001 (a provider of the agent's own)
                guard.failed("span", error)

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Tell several facts."""
        for key, value in attribute_values.mapping(tags).items():
            self.set_tag(key, value)

    def log_event(self, event: str, **fields: Any) -> None:
        """Tell what happened just now."""
        told = attribute_values.fields(fields)
        name = attribute_values.text(event)
        self._note(name, told)
        if self._otel is not None:
            guard.call("span", self._otel.add_event, name or "event", all_exported(told))

    def log_error(self, exception: BaseException, **fields: Any) -> None:
        """Tell of an error: the span has failed from now on, however it ends."""
        told = attribute_values.fields(fields)
        is_error = isinstance(exception, BaseException)
        kind = error_name(exception) if is_error else type(exception).__name__
        said = attribute_values.text(guard.shown(exception))
        self.status = SpanStatus.ERROR
        self._error = exception if is_error else None
        self._note("error", {"error_type": type(exception).__name__, "error_message": said, **told})
        self.set_tag(semconv.ERROR_TYPE, kind)
        if self._otel is not None:
            attributes = {**all_exported(told), semconv.EXCEPTION_TYPE: kind, semconv.EXCEPTION_MESSAGE: said}
            if is_error:
                attributes[semconv.EXCEPTION_STACKTRACE] = _stack(exception)
            guard.call("span", self._otel.add_event, "exception", attributes)
            why = f"{type(exception).__name__}: {said}" if said else type(exception).__name__
            guard.call("span", self._otel.set_status, Status(StatusCode.ERROR, why))

    def _note(self, event: str, fields: dict[str, Any]) -> None:
        if len(self.logs) >= _MOST_LOGS:
            del self.logs[0]
        self.weight += 64 + sum(len(value) for value in fields.values() if isinstance(value, (str, list, dict)))
        self.logs.append({"timestamp": time.time(), "event": event, **fields})

    def finish(self, status: SpanStatus | None = None) -> Awaitable[Any]:
        """End the span, once; an error that was logged stays. What is returned may be awaited, or not."""
        if self.end_time is not None:
            return RECORDED
        # By a clock that nobody sets meanwhile.
        elapsed = time.perf_counter_ns() - self._begun
        duration = self._duration = elapsed * _NANO
        self.end_time = self.start_time + duration
        self._error = None
        if status is not None and self.status is not SpanStatus.ERROR:
            self.status = member(SpanStatus, status, SpanStatus.OK)
        otel, self._otel = self._otel, None
        if otel is not None:
            try:
                if self.status is not SpanStatus.OK:
                    self._tell_status(otel)
                otel.end(self.start_ns + elapsed)
            except Exception as error:  # noqa: BLE001 (a provider of the agent's own)
                guard.failed("span", error)
        tracer, self._tracer = self._tracer, None
        return RECORDED if tracer is None else tracer.ended(self, duration)

    def _tell_status(self, otel: Any) -> None:
        status = self.status
        if status is not SpanStatus.ERROR:
            otel.set_attribute(semconv.OBS_SPAN_STATUS, status.value)
        if status is SpanStatus.TIMEOUT or (status is SpanStatus.ERROR and semconv.ERROR_TYPE not in self.tags):
            otel.set_status(Status(StatusCode.ERROR, status.value))

    def leave(self, error: BaseException | None) -> Awaitable[Any]:
        """End the span with what its block, or the function that it stands for, was left by."""
        if error is None:
            return self.finish()
        status = outcome(error)
        if status is SpanStatus.ERROR and self._error is not error:
            # Whoever logged it by hand, and raised it again, has told of it.
            self.log_error(error)
        return self.finish(status)

    def packed(self) -> tuple[Any, ...]:
        """Return what is known of the span that has ended as a tuple of plain values; ``unpacked`` undoes it."""
        ids = self.otel_context
        return (
            self.weight,
            self.context if ids is None else None,
            ids and ids.trace_id,
            ids and ids.span_id,
            self._parent_id,
            ids and int(ids.trace_flags),
            self.operation_name,
            self.kind.value,
            self.start_time,
            self.end_time,
            self._duration,
            self.status.value,
            self.tags,
            self.logs or None,
            self.references or None,
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the span as plain values."""
        return {
            "context": self.context.to_dict(),
            "operation_name": self.operation_name,
            "kind": self.kind.value,
            "start_time": self.start_time,
            "end_time": self.end_time,
            "duration": self.duration,
            "status": self.status.value,
            "tags": dict(self.tags),
            "logs": [dict(log) for log in self.logs],
            "references": [each.to_dict() if hasattr(each, "to_dict") else each for each in self.references],
        }

    def to_json(self) -> str:
        """Return the span as one line of JSON."""
        return attribute_values.as_json(self.to_dict())

    def __eq__(self, other: object) -> bool:
        """Whether it is the same span of the same trace."""
        if not isinstance(other, Span):
            return NotImplemented
        return (self.context.trace_id, self.context.span_id) == (other.context.trace_id, other.context.span_id)

    def __hash__(self) -> int:
        """Return the hash of the ids."""
        return hash((self.context.trace_id, self.context.span_id))

    def __repr__(self) -> str:
        """Return the name, the ids and how it ended."""
        context = self.context
        return f"<Span {self.operation_name!r} {context.trace_id}:{context.span_id} {self.status.value}>"


def unpacked(packed: tuple[Any, ...]) -> Span:
    """Return the span that was packed."""
    weight, context, trace_id, span_id, parent_id, flags, name, kind, start, end, duration, status, *told = packed
    if context is None:
        context = told_of(trace_id, span_id, parent_id, flags)
    tags, logs, references = told
    span = Span(context, name, SpanKind(kind), start, end, SpanStatus(status), tags, logs, references)
    span.weight, span._duration = weight, duration  # noqa: SLF001 (its own maker)
    return span


def from_dict(told: Mapping[str, Any]) -> Span:
    """Return the span that ``to_dict`` told of."""
    span = Span(
        SpanContext(**told["context"]),
        told["operation_name"],
        SpanKind(told["kind"]),
        told["start_time"],
        told["end_time"],
        SpanStatus(told["status"]),
        told["tags"],
        told["logs"],
        told["references"],
    )
    span._duration = told["duration"]  # noqa: SLF001 (its own maker)
    return span


def outcome(error: BaseException) -> SpanStatus:
    """Return the status of what ``error`` ended: cancellations and interrupts are no failures of the work."""
    if isinstance(error, Exception):
        # The one of concurrent.futures; asyncio's is no Exception.
        return SpanStatus.CANCELLED if type(error).__name__ == "CancelledError" else SpanStatus.ERROR
    if isinstance(error, SystemExit):
        return SpanStatus.ERROR if error.code not in (None, 0) else SpanStatus.OK
    # A generator that is left early has done its work.
    return SpanStatus.OK if isinstance(error, GeneratorExit) else SpanStatus.CANCELLED


def _stack(error: BaseException) -> str:
    lines = guard.call("span", traceback.format_exception, type(error), error, error.__traceback__, default=())
    return attribute_values.text("".join(lines))
