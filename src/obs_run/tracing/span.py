"""A span as agents write it: a span of OpenTelemetry, and its tags and events as plain values."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from opentelemetry import trace as api
from opentelemetry.trace import Status, StatusCode

from obs_run.base import guard
from obs_run.base.lenient import lenient
from obs_run.base.noop_awaitable import NOOP_AWAITABLE
from obs_run.base.payload import error_name
from obs_run.core import semconv
from obs_run.process.unpatched import time
from obs_run.tracing import attribute_values
from obs_run.tracing.attribute_values import INT64, MOST, SHORT, all_exported, exported
from obs_run.tracing.vocabulary import SpanContext, SpanKind, SpanStatus, coerce_enum, from_otel

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from opentelemetry.context import Context

    class SpanOwner(Protocol):
        """What began a span, and takes it when it has ended: a tracer."""

        def ended(self, span: Span, seconds: float) -> Awaitable[Any]:
            """Count and record the span."""


_MOST_LOGS = 1000
_NANO = 1e-9
_SAMPLED = api.TraceFlags.SAMPLED


class Span:
    """One piece of work in a trace.

    ``context`` has its ids; ``tags`` and ``logs`` (events) hold plain values; ``start_time`` and ``end_time`` are
    seconds since 1970, the latter None while the span is open. Made by a tracer it is a span of OpenTelemetry, too,
    and ends by ``finish`` or with its ``with`` block. Whatever it is given, nothing here raises.
    """

    __slots__ = (
        "__weakref__",
        "_begun",
        "_context",
        "_duration",
        "_error",
        "_otel",
        "_owner",
        "_parent_id",
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
            start_ns = round(start_time / _NANO)
            self._begun -= self.start_ns - start_ns
            self.start_ns = start_ns
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
        self._owner: SpanOwner | None = None
        self._error: BaseException | None = None

    @property
    def context(self) -> SpanContext:
        """The ids; zeros where OpenTelemetry is switched off."""
        if self._context is None:
            ids = self.otel_context
            if ids is None:
                self._context = SpanContext()
            else:
                self._context = from_otel(ids.trace_id, ids.span_id, self._parent_id, int(ids.trace_flags))
        return self._context

    @property
    def duration(self) -> float:
        """Seconds: so far while the span is open, in all afterwards."""
        if self._duration is not None:
            return self._duration
        return (time.perf_counter_ns() - self._begun) * _NANO

    def stands_for(self, owner: SpanOwner, otel: api.Span) -> None:
        """Be the span ``otel`` from now on, which ``owner`` began."""
        self._owner, self._otel = owner, otel
        context = self.otel_context = otel.get_span_context()
        self.kept = bool(context.trace_flags & _SAMPLED) and not isinstance(otel, api.NonRecordingSpan)
        parent = getattr(otel, "parent", None)
        self._parent_id = parent.span_id if parent is not None else 0

    def leave_to_parent(self) -> None:
        """In a child process: it is the parent's to record and to count."""
        self._owner = None

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
        """Set a tag; what is neither text, number nor bool is kept as JSON has it, and exported as JSON."""
        try:
            # A text may hold what UTF-8 cannot say, and be too long for a name.
            if type(key) is not str or not key or not key.isascii() or len(key) > SHORT:
                key = attribute_values.name(key)
            tags = self.tags
            if key not in tags and len(tags) >= MOST:
                guard.warn_once(
                    f"span {self.operation_name}: more than {MOST} tags, the rest is left out; "
                    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT allows more",
                    about="tags",
                )
                return
            attribute = value
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
                attribute = exported(value)
                self.weight += attribute_values.weight(attribute)
            tags[key] = value
            if self._otel is not None:
                self._otel.set_attribute(key, attribute)
        except Exception as error:  # noqa: BLE001 (the guard, also against a provider of the agent's own)
            guard.failed("span", error)

    @lenient
    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Set several tags."""
        for key, value in guard.call("span", attribute_values.mapping, tags, default={}).items():
            self.set_tag(key, value)

    @lenient
    def log_event(self, event: str, **fields: Any) -> None:
        """Add an event that happened just now."""
        guard.call("span", self._log_event, event, fields)

    def _log_event(self, event: str, fields: dict[str, Any]) -> None:
        plain_fields = attribute_values.fields(fields)
        name = attribute_values.text(event)
        self._add_log(name, plain_fields)
        if self._otel is not None:
            guard.call("span", self._otel.add_event, name or "event", all_exported(plain_fields))

    @lenient
    def log_error(self, exception: BaseException, **fields: Any) -> None:
        """Add an error as an event: the span has failed from now on, however it ends."""
        guard.call("span", self._log_error, exception, fields)

    def _log_error(self, exception: BaseException, fields: dict[str, Any]) -> None:
        plain_fields = attribute_values.fields(fields)
        is_error = isinstance(exception, BaseException)
        kind = error_name(exception) if is_error else type(exception).__name__
        message = attribute_values.text(guard.shown(exception))
        self.status = SpanStatus.ERROR
        self._error = exception if is_error else None
        self._add_log("error", {"error_type": type(exception).__name__, "error_message": message, **plain_fields})
        self.set_tag(semconv.ERROR_TYPE, kind)
        if self._otel is not None:
            attributes = {
                **all_exported(plain_fields),
                semconv.EXCEPTION_TYPE: kind,
                semconv.EXCEPTION_MESSAGE: message,
            }
            if is_error:
                attributes[semconv.EXCEPTION_STACKTRACE] = _stack(exception)
            guard.call("span", self._otel.add_event, "exception", attributes)
            description = f"{type(exception).__name__}: {message}" if message else type(exception).__name__
            guard.call("span", self._otel.set_status, Status(StatusCode.ERROR, description))

    def _add_log(self, event: str, fields: dict[str, Any]) -> None:
        if len(self.logs) >= _MOST_LOGS:
            del self.logs[0]
        self.weight += 64 + sum(len(value) for value in fields.values() if isinstance(value, (str, list, dict)))
        self.logs.append({"timestamp": time.time(), "event": event, **fields})

    def finish(self, status: SpanStatus | None = None) -> Awaitable[Any]:
        """End the span, once; an error that was logged stays. What is returned may be awaited, or not."""
        if self.end_time is not None:
            return NOOP_AWAITABLE
        # By a clock that nobody sets meanwhile.
        elapsed = time.perf_counter_ns() - self._begun
        duration = self._duration = elapsed * _NANO
        self.end_time = self.start_time + duration
        self._error = None
        if status is not None and self.status is not SpanStatus.ERROR:
            self.status = coerce_enum(SpanStatus, status, SpanStatus.OK)
        otel, self._otel = self._otel, None
        if otel is not None:
            try:
                if self.status is not SpanStatus.OK:
                    self._set_otel_status(otel)
                otel.end(self.start_ns + elapsed)
            except Exception as error:  # noqa: BLE001 (a provider of the agent's own)
                guard.failed("span", error)
        owner, self._owner = self._owner, None
        if owner is None:
            return NOOP_AWAITABLE
        recorded: Awaitable[Any] = guard.call("span", owner.ended, self, duration, default=NOOP_AWAITABLE)
        return recorded

    def _set_otel_status(self, otel: Any) -> None:
        status = self.status
        if status is not SpanStatus.ERROR:
            otel.set_attribute(semconv.OBS_SPAN_STATUS, status.value)
        if status is SpanStatus.TIMEOUT or (status is SpanStatus.ERROR and semconv.ERROR_TYPE not in self.tags):
            otel.set_status(Status(StatusCode.ERROR, status.value))

    def leave(self, error: BaseException | None) -> Awaitable[Any]:
        """End the span with what its block, or the function that it stands for, was left by."""
        if error is None:
            return self.finish()
        status = guard.call("span", outcome, error, default=SpanStatus.ERROR)
        if status is SpanStatus.ERROR and self._error is not error:
            # Unless it was logged by hand and raised again.
            self.log_error(error)
        return self.finish(status)

    def packed(self) -> tuple[Any, ...]:
        """Return the span, which has ended, as the values of a ``PackedSpan``; ``unpacked`` undoes it."""
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


class PackedSpan(NamedTuple):
    """The values of a span that is kept, in their order.

    Kept is a plain tuple of them: to make one of these takes ten times as long, and each span would pay for it.
    """

    weight: int
    context: SpanContext | None
    """The ids of a span that is none of OpenTelemetry's, else None."""
    trace_id: int | None
    span_id: int | None
    parent_id: int
    flags: int | None
    operation_name: str
    kind: str
    start_time: float
    end_time: float | None
    duration: float | None
    status: str
    tags: dict[str, Any]
    logs: list[dict[str, Any]] | None
    references: list[Any] | None


def unpacked(values: tuple[Any, ...]) -> Span:
    """Return the span that was packed."""
    packed = PackedSpan._make(values)
    context = packed.context
    if context is None:
        context = from_otel(packed.trace_id or 0, packed.span_id or 0, packed.parent_id, packed.flags or 0)
    span = Span(
        context,
        packed.operation_name,
        SpanKind(packed.kind),
        packed.start_time,
        packed.end_time,
        SpanStatus(packed.status),
        packed.tags,
        packed.logs,
        packed.references,
    )
    span.weight, span._duration = packed.weight, packed.duration  # noqa: SLF001 (its own maker)
    return span


def from_dict(values: Mapping[str, Any]) -> Span:
    """Return the span that ``to_dict`` wrote."""
    span = Span(
        SpanContext(**values["context"]),
        values["operation_name"],
        SpanKind(values["kind"]),
        values["start_time"],
        values["end_time"],
        SpanStatus(values["status"]),
        values["tags"],
        values["logs"],
        values["references"],
    )
    span._duration = values["duration"]  # noqa: SLF001 (its own maker)
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
