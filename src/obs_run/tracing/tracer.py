"""Tracers: one for each service name, and the spans that they begin."""

from __future__ import annotations

import os
import threading
from inspect import iscoroutine
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from opentelemetry import trace as api
from opentelemetry.context import get_current

from obs_run.base import guard
from obs_run.base.lenient import lenient
from obs_run.base.noop_awaitable import NOOP_AWAITABLE
from obs_run.core.tool_windows import windows
from obs_run.process import fork
from obs_run.tracing import attribute_values, otel_tracers, own_coroutines, recorders
from obs_run.tracing.parents import links_to, parent_of
from obs_run.tracing.scope import SpanScope
from obs_run.tracing.span import Span
from obs_run.tracing.vocabulary import KINDS, SpanKind, SpanStatus, coerce_enum

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from opentelemetry.context import Context

    from obs_run.tracing.headers import Headers
    from obs_run.tracing.recorders import SpanRecorder

_SERVICE_NAME = "service.name"
_FAILED = (SpanStatus.ERROR, SpanStatus.TIMEOUT)
_MOST_ACTIVE = 10_000
_NO_TRACER = api.NoOpTracer()
"""How many open spans a tracer knows of; those that nobody ends must not fill the memory."""


class Tracer:
    """Begins spans of one service; ``recorder`` keeps those that end, else the one that all tracers share."""

    def __init__(self, service_name: str, recorder: SpanRecorder | None = None) -> None:
        self.service_name = attribute_values.text(service_name)
        self._recorder = recorder
        self._otel = otel_tracers.UserTracer(self.service_name)
        self._active: dict[int, Span] = {}
        self._lock = threading.RLock()
        self._finished = self._failed = self._let_go = 0
        self._seconds = 0.0
        _all.add(self)

    @property
    def recorder(self) -> SpanRecorder:
        """Where spans go that have ended; None gives back what all tracers share."""
        return self._recorder or shared_recorder()

    @recorder.setter
    def recorder(self, recorder: SpanRecorder | None) -> None:
        self._recorder = recorder

    @lenient
    def span(
        self,
        operation_name: str,
        kind: SpanKind = SpanKind.INTERNAL,
        tags: Mapping[str, Any] | None = None,
        *,
        headers: Headers = None,
    ) -> SpanScope:
        """Return a span for a ``with`` or ``async with`` block, in which it is current; as a decorator, for a function.

        With ``headers`` of a request or message it goes on in their trace, or begins one where they bring none.
        """
        return SpanScope(self, operation_name, kind, tags, headers)

    async_span = span

    @lenient
    def start_span(
        self,
        operation_name: str,
        kind: SpanKind = SpanKind.INTERNAL,
        parent_context: Any = None,
        tags: Mapping[str, Any] | None = None,
        references: list[Any] | None = None,
    ) -> Span:
        """Begin a span that is not made current, and that ends by ``finish_span`` or its own ``finish``.

        ``parent_context`` is a span, its ``context``, what ``extract`` returned, or headers; else the current span is
        the parent. ``references`` are spans or contexts that it is linked to.
        """
        try:
            return self.begin(operation_name, kind, tags, parent_of(parent_context), references)
        except Exception as error:  # noqa: BLE001 (this is the guard)
            guard.failed("span", error)
            return Span()

    @lenient
    def finish_span(self, span: Span, status: SpanStatus | None = None) -> Awaitable[Any]:
        """End a span, at this call; what is returned may be awaited, or not. A logged error stays one."""
        if not isinstance(span, Span):
            guard.warn_once(f"finish_span: {type(span).__name__} is not allowed; allowed: a span of start_span")
            return NOOP_AWAITABLE
        return span.finish(status)

    def begin(
        self,
        operation_name: str,
        kind: SpanKind,
        tags: Mapping[str, Any] | None,
        context: Context | None,
        references: list[Any] | None = None,
    ) -> Span:
        """Begin a span in ``context`` (None: the current one)."""
        if context is None:
            # The SDK and its sampler would each look for it again.
            context = get_current()
            if windows.waiting:
                from obs_run.core import inferred_tools

                name = operation_name if type(operation_name) is str else ""
                context = guard.call("tools", inferred_tools.parent_of_span, context, name, tags, default=context)
        # The first of all loads what spans need: before the clock of this one begins.
        otel = guard.call("span", self._otel.now, default=_NO_TRACER)
        if type(operation_name) is not str or not operation_name.isascii():
            operation_name = attribute_values.text(operation_name)
        if type(kind) is not SpanKind:
            kind = coerce_enum(SpanKind, kind, SpanKind.INTERNAL)
        span = Span(None, operation_name, kind, None, None, SpanStatus.OK, {_SERVICE_NAME: self.service_name})
        try:
            if tags is not None:
                span.set_tags(tags)
            if references is not None:
                span.references = attribute_values.listed(references)
            links = links_to(span.references) if span.references else None
            # One attribute costs the SDK three times as much at the start as right after it.
            attributes = None if tags is None else attribute_values.all_exported(span.tags)
            started = otel.start_span(operation_name, context, KINDS[kind], attributes, links, span.start_ns)
            if tags is None:
                started.set_attribute(_SERVICE_NAME, self.service_name)
            span.stands_for(self, started)
            if span.kept and self.recorder.outlives_process:
                otel_tracers.finished_at_exit(started, span.finish)
        except Exception as error:  # noqa: BLE001 (a provider of the agent's own)
            guard.failed("span", error)
        self._active[id(span)] = span
        if len(self._active) > _MOST_ACTIVE:
            guard.call("tracer", self._let_go_of_oldest)
        return span

    def _let_go_of_oldest(self) -> None:
        with self._lock:
            oldest = next(iter(self._active.values()))
            del self._active[id(oldest)]
            self._let_go += 1

    def ended(self, span: Span, seconds: float) -> Awaitable[Any]:
        """Count a span of this tracer that has ended, and record it if its trace is kept."""
        with self._lock:
            if self._active.pop(id(span), None) is None and self._let_go:
                self._let_go -= 1
            self._finished += 1
            self._seconds += seconds
            if span.status in _FAILED:
                self._failed += 1
        if not span.kept:
            return NOOP_AWAITABLE
        try:
            done = (self._recorder or shared_recorder()).record_span(span)
            if done is NOOP_AWAITABLE or done is None:
                return NOOP_AWAITABLE
            return own_coroutines.run(done) if iscoroutine(done) else done
        except Exception as error:  # noqa: BLE001 (a recorder of the agent's own)
            guard.failed("span recorder", error)
            return NOOP_AWAITABLE

    def get_active_spans(self) -> list[Span]:
        """Return the spans of this tracer that have begun and not ended."""
        return list(self._active.values())

    def get_metrics(self) -> dict[str, Any]:
        """Return counts of this tracer's spans, their durations in seconds and the share of those with errors."""
        with self._lock:
            active = len(self._active) + self._let_go
            finished, failed, seconds = self._finished, self._failed, self._seconds
        return {
            "spans_created": finished + active,
            "spans_finished": finished,
            "spans_with_errors": failed,
            "total_duration": seconds,
            "active_spans": active,
            "avg_duration": seconds / finished if finished else 0.0,
            "error_rate": failed / finished if finished else 0.0,
        }

    def after_fork(self) -> None:
        """In a child process: the open spans are the parent's to end."""
        self._lock = threading.RLock()
        for span in self.get_active_spans():
            span.leave_to_parent()
        self._active.clear()
        self._let_go = 0


_DEFAULT = "ai_system"
_all: WeakSet[Tracer] = WeakSet()


class _Tracers:
    """The tracers of this process by their names, the one that has no name, and the recorder that they share."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._by_name: dict[str, Tracer] = {}
        self.default: Tracer | None = None
        self.recorder: SpanRecorder | None = None

    def named(self, service_name: str) -> Tracer:
        """Return the tracer of a service, always the same one."""
        tracer = self._by_name.get(service_name)
        if tracer is None:
            with self._lock:
                tracer = self._by_name.get(service_name)
                if tracer is None:
                    tracer = self._by_name[service_name] = Tracer(service_name)
        return tracer

    def shared_recorder(self) -> SpanRecorder:
        """Return the recorder of all tracers that have none of their own, made at the first call."""
        if self.recorder is None:
            with self._lock:
                if self.recorder is None:
                    self.recorder = recorders.InMemorySpanRecorder()
        return self.recorder

    def renew_lock(self) -> None:
        """In a child process: another thread of the parent may have held it."""
        self._lock = threading.RLock()


_tracers = _Tracers()


def shared_recorder() -> SpanRecorder:
    """Return the recorder of all tracers that have none of their own: in memory, unless ``setup_tracing`` said else."""
    return _tracers.shared_recorder()


def get_tracer(service_name: str | None = None) -> Tracer:
    """Return the tracer of a service, always the same one.

    Without a name: the one of ``setup_tracing``, else the first that was asked for, else one named by
    OTEL_SERVICE_NAME or "ai_system".
    """
    if service_name is not None:
        tracer = _tracers.named(service_name)
        _tracers.default = _tracers.default or tracer
        return tracer
    return _tracers.default or _tracers.named(os.environ.get("OTEL_SERVICE_NAME", "").strip() or _DEFAULT)


def setup_tracing(service_name: str, recorder_type: str = "memory", **recorder_config: Any) -> Tracer:
    """Choose what keeps the spans of all tracers, name the one that decorators use, and return it.

    ``recorder_type`` is "memory" (``max_spans``), "file" (``file_path``, ``max_size``, ``backup_count``) or "remote"
    (``endpoint``, ``batch_size``, ``flush_interval``); another one is a ``ValueError``.
    """
    recorder = _recorder(recorder_type, recorder_config)
    tracer = _tracers.named(service_name)
    _tracers.recorder, _tracers.default = recorder, tracer
    tracer.recorder = None
    return tracer


def _recorder(kind: str, config: dict[str, Any]) -> SpanRecorder:
    if kind == "memory":
        return recorders.InMemorySpanRecorder(**config)
    if kind == "file":
        from obs_run.tracing.file_recorder import FileSpanRecorder

        return FileSpanRecorder(**config)
    if kind == "remote":
        from obs_run.tracing.remote_recorder import RemoteSpanRecorder

        return RemoteSpanRecorder(**config)
    raise ValueError(f"recorder_type {kind!r} is not allowed; allowed: memory, file, remote")


@lenient
def trace_operation(operation_name: str, tags: Mapping[str, Any] | None = None) -> SpanScope:
    """Return a span for a ``with`` or ``async with`` block; it may be awaited first, or not."""
    return get_tracer().span(operation_name, tags=tags)


def get_current_trace_id() -> str | None:
    """Return the id of the trace that is going on as 32 hex characters, None outside of any."""
    context = api.get_current_span().get_span_context()
    return api.format_trace_id(context.trace_id) if context.is_valid else None


def get_current_span_id() -> str | None:
    """Return the id of the span that is current as 16 hex characters, None outside of any."""
    context = api.get_current_span().get_span_context()
    return api.format_span_id(context.span_id) if context.is_valid else None


def _after_fork_in_child() -> None:
    _tracers.renew_lock()
    for tracer in tuple(_all):
        guard.call("tracer after a fork", tracer.after_fork)


fork.register(fork.USER_API, "tracers", in_child=_after_fork_in_child)
