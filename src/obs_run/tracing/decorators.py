"""``trace_function``: a span around each call of a function, of whatever kind the function is."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, TypeVar, overload

from obs_run.base import guard
from obs_run.base.functions import name_of, observe_calls
from obs_run.base.payload import error_name
from obs_run.context.current_context import ContextScope
from obs_run.tracing import attribute_values
from obs_run.tracing.span import outcome
from obs_run.tracing.tracer import get_tracer
from obs_run.tracing.vocabulary import SpanKind, SpanStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from obs_run.tracing.tracer import Tracer

F = TypeVar("F", bound="Callable[..., Any]")


@overload
def trace_function(operation_name: F) -> F: ...
@overload
def trace_function(
    operation_name: str | None = None, kind: SpanKind = ..., tags: Mapping[str, Any] | None = None
) -> Callable[[F], F]: ...
def trace_function(
    operation_name: Any = None, kind: SpanKind = SpanKind.INTERNAL, tags: Mapping[str, Any] | None = None
) -> Any:
    """Return a decorator that puts a span around each call of a function, named ``module.qualname`` by default.

    It is for functions, coroutine functions, generators (whose span lasts from the first step to the last and is
    current while they run), methods, classes and other callables, which all stay what they are.
    """
    if operation_name is None or isinstance(operation_name, str):
        return lambda function: with_span(function, get_tracer, operation_name, kind, tags)
    return with_span(operation_name, get_tracer, None, kind, tags)


def with_span(
    function: F,
    tracer: Callable[[], Tracer],
    operation_name: str | None,
    kind: SpanKind,
    tags: Mapping[str, Any] | None,
) -> F:
    """Return ``function`` with a span around each call."""
    name = operation_name or name_of(function)
    described = {
        "function.name": str(getattr(function, "__name__", type(function).__name__)),
        "function.module": str(getattr(function, "__module__", "")),
    }
    given = {**attribute_values.mapping(tags)}
    is_stream = inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)

    def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Call:
        counts = {"function.args_count": len(args), "function.kwargs_count": len(kwargs)}
        return _Call(tracer(), name, kind, {**given, **described, **counts}, is_stream=is_stream)

    return observe_calls(function, begin)


class _Call:
    """One call and its span."""

    __slots__ = ("_is_stream", "_span")

    def __init__(self, tracer: Tracer, name: str, kind: SpanKind, tags: dict[str, Any], *, is_stream: bool) -> None:
        self._span = tracer.begin(name, kind, tags, None)
        self._is_stream = is_stream

    def running(self) -> ContextScope:
        """Return what makes the span current."""
        return ContextScope(self._span.context_inside())

    def end(self, error: BaseException | None, result: Any) -> None:
        """End the span."""
        if error is None and not self._is_stream:
            self._span.set_tag("function.result_type", type(result).__name__)
        elif error is not None and outcome(error) is SpanStatus.ERROR:
            self._span.set_tags({"error.type": error_name(error), "error.message": guard.shown(error)})
        self._span.leave(error)
