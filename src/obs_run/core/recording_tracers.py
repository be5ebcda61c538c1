"""Libraries that trace themselves by OpenTelemetry's API get a tracer of ours, whose spans are recordings.

So what we record of them has the form, the price, the metrics and the limits of everything else, and joins with what
the model's client tells.

=====================================================  =======================================================
where the library has its tracer from                  what gives it ours
=====================================================  =======================================================
a variable of its module                               ``replace_tracer``, as a set-up
a field of its own tracers' class                      ``replace_fields``, as a set-up
a function of its own                                  ``wrap_tracer``
a provider that is an argument                         ``wrap_providers``
=====================================================  =======================================================
"""

from __future__ import annotations

import sys
from contextlib import ContextDecorator
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.trace import Span, Tracer, TracerProvider

from obs_run.base import guard
from obs_run.context import current_context
from obs_run.core import content, native_spans, ownership
from obs_run.core.recorded_spans import RecordedSpan, Vocabulary, read_attributes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.context import Context

    from obs_run.context.current_context import Entry
    from obs_run.core.hooks import Wrapper
    from obs_run.core.operations import Operation

__all__ = [
    "RecordingTracer",
    "UnflushedProvider",
    "Vocabulary",
    "current_span",
    "is_process_provider",
    "providers",
    "replace_fields",
    "replace_tracer",
    "silence_logger",
    "wrap_providers",
    "wrap_tracer",
]

_TRACER_METHODS = ("start_span", "start_as_current_span")
_BETWEEN = ("obs_run", "wrapt")
"""Whose code stands between a function's caller and what we do in its place."""


class _CurrentSpan(ContextDecorator):
    """Makes a span current while a block runs."""

    def __init__(self, span: Span, *, ends: bool, records: bool, fails: bool) -> None:
        self._span = span
        self._ends = ends
        self._records = records
        self._fails = fails
        self._entries: list[Entry] = []

    def __enter__(self) -> Span:
        """Make it current."""
        if isinstance(self._span, RecordedSpan):
            current_context.enter(self, self._inside, self._entries)
        return self._span

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        """Make what was current before current again."""
        span = self._span
        if not isinstance(span, RecordedSpan):
            return
        current_context.leave(self, self._entries)
        if isinstance(error, Exception) and self._records:
            span.fail(error, is_failure=self._fails)
        if self._ends:
            span.end()

    def _inside(self, context: Context) -> Context:
        return ownership.with_recorded_span(self._span, context)


class RecordingTracer(Tracer):
    """A library's tracer, whose spans are recordings."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        ownership.recognise_spans(RecordedSpan)

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: Any = None,  # noqa: ARG002 (the conventions say it)
        attributes: Mapping[str, Any] | None = None,
        links: Any = None,
        start_time: int | None = None,  # noqa: ARG002 (a recording begins now)
        record_exception: bool = True,  # noqa: FBT001, FBT002, ARG002 (as the API has it)
        set_status_on_exception: bool = True,  # noqa: FBT001, FBT002, ARG002 (as the API has it)
    ) -> Span:
        """Begin what the span tells of, or stand for what is around it."""
        span = guard.call("begin", self._start, name, context, attributes or {})
        for link in links or ():
            if isinstance(span, RecordedSpan):
                guard.call("begin", span.add_link, link.context, link.attributes)
        if span is None:
            span = trace.NonRecordingSpan(trace.get_current_span(context).get_span_context())
        return span

    def start_as_current_span(  # type: ignore[override]  # noqa: PLR0917 (as the API has it)
        self,
        name: str,
        context: Context | None = None,
        kind: Any = None,
        attributes: Mapping[str, Any] | None = None,
        links: Any = None,
        start_time: int | None = None,
        record_exception: bool = True,  # noqa: FBT001, FBT002 (as the API has it)
        set_status_on_exception: bool = True,  # noqa: FBT001, FBT002 (as the API has it)
        end_on_exit: bool = True,  # noqa: FBT001, FBT002 (as the API has it)
    ) -> _CurrentSpan:
        """Begin what the span tells of, and make it current for a block."""
        span = self.start_span(name, context, kind, attributes, links, start_time)
        return _CurrentSpan(span, ends=end_on_exit, records=record_exception, fails=set_status_on_exception)

    def _start(self, name: str, context: Context | None, attributes: Mapping[str, Any]) -> RecordedSpan | None:
        around = current_context.current() if context is None else context
        operation = content.read("begin", self._operation, name, attributes)
        if operation is not None:
            # Here, because libraries are given their tracer as they are imported.
            from obs_run.core import recorder

            recording: Any = recorder.start(operation, ownership.beside_answers(operation, around))
            if recording is not None:
                return RecordedSpan(self._vocabulary, recording, operation)
        outer = ownership.recording_in(around)
        return None if outer is None else RecordedSpan(self._vocabulary, outer, None)

    def _operation(self, name: str, attributes: Mapping[str, Any]) -> Operation | None:
        vocabulary = self._vocabulary
        operation = vocabulary.operation(name, attributes)
        if operation is not None:
            read_attributes(vocabulary, operation, attributes)
        return operation


class RecordingProvider(TracerProvider):
    """A provider of such tracers for one library."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def get_tracer(self, *_: Any, **__: Any) -> Tracer:
        """Return a tracer, whatever it is named."""
        return RecordingTracer(self._vocabulary)


def replace_tracer(vocabulary: Vocabulary, name: str = "tracer") -> Callable[[Any], Callable[[], object]]:
    """Return what has the tracer that a library's module holds as ``name`` be ours, as ``hooks.SetUp`` registers it.

    The tracer itself is changed: other modules of the library may have taken it from there.
    """

    def register(module: Any) -> Callable[[], object]:
        tracer = getattr(module, name)
        ours = RecordingTracer(vocabulary)
        for method in _TRACER_METHODS:
            setattr(tracer, method, getattr(ours, method))

        def take_back() -> None:
            for method in _TRACER_METHODS:
                vars(tracer).pop(method, None)

        return take_back

    return register


class UnflushedProvider(TracerProvider):
    """The process's provider, for a library that otherwise waits for it to be flushed."""

    def get_tracer(self, *args: Any, **kwargs: Any) -> Tracer:
        """Return the process's tracer."""
        return trace.get_tracer_provider().get_tracer(*args, **kwargs)


class _Replaced:
    """A field that has our value in all objects of a class, whatever the library keeps there."""

    def __init__(self, name: str, value: Any) -> None:
        self._name = name
        self._value = value

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        """Return ours."""
        return self._value

    def __set__(self, instance: Any, value: Any) -> None:
        """Keep the library's for the time after us."""
        instance.__dict__[self._name] = value


def replace_fields(kind: str, fields: Callable[[], Mapping[str, Any]]) -> Callable[[Any], Callable[[], object]]:
    """Return what has ``fields`` stand in all objects of a module's class, made already or later."""

    def register(module: Any) -> Callable[[], object]:
        owner = getattr(module, kind)
        names = []
        for name, value in fields().items():
            if name not in vars(owner):
                setattr(owner, name, _Replaced(name, value))
                names.append(name)

        def take_back() -> None:
            for name in names:
                delattr(owner, name)

        return take_back

    return register


def silence_logger(module: Any, name: str) -> Callable[[], object]:
    """Have the events that a library logs of its spans, by what its module holds as ``name``, go nowhere."""
    from opentelemetry._logs import NoOpLoggerProvider

    original = getattr(module, name)
    setattr(module, name, NoOpLoggerProvider().get_logger(module.__name__))
    return lambda: setattr(module, name, original)


def current_span() -> RecordedSpan | None:
    """Return the current span, if it is a library's."""
    span = trace.get_current_span()
    return span if isinstance(span, RecordedSpan) else None


def wrap_tracer(vocabulary: Vocabulary) -> Wrapper:
    """Return the wrapper of a function that gives a library its tracer.

    Whoever else asks for one by it makes spans of their own.
    """

    def ours(tracer: Any, _: Any) -> Any:
        return RecordingTracer(vocabulary) if tracer is not None and vocabulary.is_library(_asker()) else tracer

    return native_spans.wrap_result(ours)


def _asker() -> str:
    """Return the module whose code called a function that is wrapped."""
    frame: Any = sys._getframe(1)  # noqa: SLF001
    while frame is not None:
        module: str = frame.f_globals.get("__name__", "")
        if module.partition(".")[0] not in _BETWEEN:
            return module
        frame = frame.f_back
    return ""


def wrap_providers(vocabulary: Vocabulary) -> Wrapper:
    """Return the wrapper of a function by whose ``tracer_provider`` and ``meter_provider`` a library is set up.

    Where the agent gives none, or the process's, the library's spans are recorded, and its metrics would be there
    twice. What goes to others is the agent's own affair.
    """

    def with_ours(kwargs: dict[str, Any]) -> dict[str, Any]:
        from opentelemetry.metrics import get_meter_provider
        from opentelemetry.trace import get_tracer_provider

        process_providers = {"tracer_provider": get_tracer_provider, "meter_provider": get_meter_provider}
        ours = {
            name: provider
            for name, provider in providers(vocabulary).items()
            if kwargs.get(name) in (None, process_providers[name]())
        }
        return {**kwargs, **ours}

    def wrapper(wrapped: Callable[..., Any], _: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return wrapped(*args, **guard.call("adoption", with_ours, kwargs, default=kwargs))

    return wrapper


def is_process_provider(provider: Any) -> bool:
    """Whether spans of a tracer provider are the process's, as those of one that stands for it are."""
    stands_in = (trace.ProxyTracerProvider, trace.NoOpTracerProvider)
    return provider is None or provider is trace.get_tracer_provider() or isinstance(provider, stands_in)


def providers(vocabulary: Vocabulary) -> dict[str, Any]:
    """Return the arguments by which a library is set up to be recorded."""
    ours: dict[str, Any] = {"tracer_provider": RecordingProvider(vocabulary)}
    if vocabulary.has_metrics:
        from opentelemetry.metrics import NoOpMeterProvider

        ours["meter_provider"] = NoOpMeterProvider()
    return ours
