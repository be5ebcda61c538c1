"""``trace_function``: a span around each call of a function, of whatever kind the function is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, overload

from obs_run.base.functions import is_decorable
from obs_run.base.lenient import lenient
from obs_run.tracing import attribute_values
from obs_run.tracing.traced_calls import with_span
from obs_run.tracing.tracer import get_tracer
from obs_run.tracing.vocabulary import SpanKind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

F = TypeVar("F", bound="Callable[..., Any]")


@overload
def trace_function(operation_name: F) -> F: ...
@overload
def trace_function(
    operation_name: str | None = None, kind: SpanKind = ..., tags: Mapping[str, Any] | None = None
) -> Callable[[F], F]: ...
@lenient
def trace_function(
    operation_name: Any = None, kind: SpanKind = SpanKind.INTERNAL, tags: Mapping[str, Any] | None = None
) -> Any:
    """Return a decorator that puts a span around each call of a function, named ``module.qualname`` by default.

    It is for functions, coroutine functions, generators (whose span lasts from the first step to the last and is
    current while they run), methods, properties, classes and other callables, which all stay what they are.
    """
    if is_decorable(operation_name):
        return with_span(operation_name, get_tracer, None, kind, tags)
    name = None if operation_name is None else attribute_values.text(operation_name)
    return lambda function: with_span(function, get_tracer, name, kind, tags)
