"""Libraries that trace themselves: their spans stand back where a recording of ours tells of the same thing.

What we do not record keeps the library's span, under the name that the conventions give it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import guard, payload
from obs_run.base.stand_in import no_frame
from obs_run.core import semconv
from obs_run.core.outcomes import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from opentelemetry.trace import Span

    from obs_run.core.hooks import Wrapper
    from obs_run.core.operations import Operation

    Covers = Callable[[str, Mapping[str, Any], Operation | None], bool]

_SUBJECTS = (semconv.TOOL_NAME, semconv.REQUEST_MODEL)


def wrap_get_tracer(covers: Covers, own_provider: Callable[[Call], Any]) -> Wrapper:
    """Return the wrapper of the function that gives a library its tracer.

    ``covers(name, attributes, operation)`` tells whether we record what the library's span would tell of;
    ``operation`` is what is being recorded now. ``own_provider(call)`` gives the tracer provider that the agent chose
    for this library alone, None where it chose none: what goes to another than the process's is the agent's own affair.
    """

    def adopt(tracer: Any, call: Call) -> Any:
        from opentelemetry import trace

        if tracer is None:
            return None
        provider = own_provider(call)
        is_foreign = provider is not None and provider is not trace.get_tracer_provider()
        return tracer if is_foreign else AdoptedTracer(tracer, covers)

    return wrap_result(adopt)


def has_global_provider(tracer: Any) -> bool:
    """Whether a tracer of the SDK's is the global provider's, where our spans go."""
    from opentelemetry import trace

    # A tracer has no attribute for its provider, but keeps the provider's resource.
    return payload.get(tracer, "resource") is payload.get(trace.get_tracer_provider(), "resource")


def wrap_result(replace: Callable[[Any, Call], Any]) -> Wrapper:
    """Return the wrapper of a function by which a library sets its own tracing up; ``replace`` gives another result."""

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with no_frame:
            returned = wrapped(*args, **kwargs)
        return guard.call("adoption", _replace_result, replace, returned, instance, args, kwargs, default=returned)

    return wrapper


def _replace_result(
    replace: Callable[[Any, Call], Any], returned: Any, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    return replace(returned, Call(instance, args, kwargs))


def wrap_replaced(replace: Callable[[Call], Any]) -> Wrapper:
    """Return the wrapper of a function of a library's own tracing that ``replace`` answers in its place.

    Where that gives None the library's function runs, with the arguments that ``replace`` has left in the call.
    """

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        as_called = None, args, kwargs
        replacement, args, kwargs = guard.call(
            "adoption", _replacement, replace, instance, args, kwargs, default=as_called
        )
        if replacement is not None:
            return replacement
        with no_frame:
            return wrapped(*args, **kwargs)

    return wrapper


def _replacement(
    replace: Callable[[Call], Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    call = Call(instance, args, kwargs)
    return replace(call), call.args, call.kwargs


def start_no_span(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001 (as wrapt calls it)
    """Take the place of a tracer's ``start_as_current_span``: no span, and the current one stays current."""
    scope = guard.call("adoption", scope_without_span)
    return wrapped(*args, **kwargs) if scope is None else scope


def span_of_current(_: Call | None = None) -> Span:
    """Return what stands for a span of a library's: it takes nothing, and what is inside has the parent of now."""
    from opentelemetry.trace import NonRecordingSpan, get_current_span

    return NonRecordingSpan(get_current_span().get_span_context())


def scope_without_span() -> AbstractContextManager[Span]:
    """Return what stands for a span that a library makes current: none, which leaves the current one alone."""
    from contextlib import nullcontext

    from opentelemetry.trace import INVALID_SPAN

    return nullcontext(INVALID_SPAN)


class AdoptedTracer:
    """A library's tracer, whose spans stand back where we record."""

    def __init__(self, inner: Any, covers: Covers) -> None:
        self._inner = inner
        self._covers = covers

    def start_span(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Start the library's span, or give in its place one that stands for ours and takes nothing."""
        attributes = kwargs.get("attributes")
        span = guard.call("adoption", self._span_of_ours, name, attributes)
        if span is not None:
            return span
        return self._inner.start_span(
            guard.call("adoption", _conventional_name, name, attributes, default=name), *args, **kwargs
        )

    def start_as_current_span(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Make the library's span current, or leave ours so."""
        scope = guard.call("adoption", self._scope_of_ours, name, kwargs.get("attributes"))
        return self._inner.start_as_current_span(name, *args, **kwargs) if scope is None else scope

    def __getattr__(self, name: str) -> Any:
        """Return whatever else the library's tracer has."""
        return getattr(self._inner, name)

    def _span_of_ours(self, name: str, attributes: Mapping[str, Any] | None) -> Span | None:
        return span_of_current() if self._is_ours(name, attributes) else None

    def _scope_of_ours(self, name: str, attributes: Mapping[str, Any] | None) -> AbstractContextManager[Span] | None:
        return scope_without_span() if self._is_ours(name, attributes) else None

    def _is_ours(self, name: str, attributes: Mapping[str, Any] | None) -> bool:
        from obs_run.core import ownership

        recording = ownership.current_recording()
        return self._covers(name, attributes or {}, None if recording is None else recording.operation)


class AdoptedApi:
    """What a library imported as the API's module ``trace``: the tracers that it gives are adopted."""

    def __init__(self, inner: Any, covers: Covers) -> None:
        self._inner = inner
        self._covers = covers

    def get_tracer(self, *args: Any, **kwargs: Any) -> AdoptedTracer:
        """Return the library's tracer, whose spans stand back where we record."""
        return AdoptedTracer(self._inner.get_tracer(*args, **kwargs), self._covers)

    def __getattr__(self, name: str) -> Any:
        """Return whatever else the module has."""
        return getattr(self._inner, name)


def _conventional_name(name: str, attributes: Mapping[str, Any] | None) -> str:
    """Return the name that the conventions give a span with these attributes."""
    operation = (attributes or {}).get(semconv.OPERATION_NAME)
    if attributes is None or operation is None:
        return name
    subject = next((attributes[each] for each in _SUBJECTS if each in attributes), None)
    if not subject or operation == "invoke_agent":
        return str(operation)
    return f"{operation} {subject}"
