"""Functions with a span around each call, of whatever kind the functions are."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from obs_run.base import guard
from obs_run.base.functions import name_of, observe_calls
from obs_run.base.payload import error_name
from obs_run.context.current_context import ContextScope
from obs_run.tracing import attribute_values
from obs_run.tracing.span import outcome
from obs_run.tracing.vocabulary import SpanStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.context import Context

    from obs_run.tracing.span import Span
    from obs_run.tracing.vocabulary import SpanKind

    class SpanStarter(Protocol):
        """What begins spans: a tracer."""

        def begin(
            self, operation_name: str, kind: SpanKind, tags: Mapping[str, Any] | None, context: Context | None
        ) -> Span:
            """Begin a span in ``context`` (None: the current one)."""


F = TypeVar("F", bound="Callable[..., Any]")


def with_span(
    function: F,
    tracer: Callable[[], SpanStarter],
    operation_name: str | None,
    kind: SpanKind,
    tags: Mapping[str, Any] | None,
) -> F:
    """Return ``function`` with a span around each call."""
    name = operation_name or name_of(function)
    fixed_tags = {
        **attribute_values.mapping(tags),
        "function.name": str(getattr(function, "__name__", type(function).__name__)),
        "function.module": str(getattr(function, "__module__", "")),
    }
    is_stream = inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)

    def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Call:
        counts = {"function.args_count": len(args), "function.kwargs_count": len(kwargs)}
        return _Call(tracer().begin(name, kind, {**fixed_tags, **counts}, None), is_stream=is_stream)

    return observe_calls(function, begin)


class _Call:
    """One call and its span."""

    __slots__ = ("_is_stream", "_span")

    def __init__(self, span: Span, *, is_stream: bool) -> None:
        self._span = span
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
