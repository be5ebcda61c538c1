"""Libraries that trace themselves: their spans stand back where a recording of ours tells of the same thing.

What we do not record keeps the library's span, under the name that the conventions give it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.core import semconv
from obs_run.core.outcomes import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from obs_run.core.hooks import Wrapper
    from obs_run.core.operations import Operation

    Covers = Callable[[str, Mapping[str, Any], Operation | None], bool]

_SUBJECTS = (semconv.TOOL_NAME, semconv.REQUEST_MODEL)


def tracer(covers: Covers, own: Callable[[Call], Any]) -> Wrapper:
    """Return the wrapper of the function that gives a library its tracer.

    ``covers(name, attributes, operation)`` tells whether we record what the library's span would tell of;
    ``operation`` is what is being recorded now. ``own(call)`` gives the tracer provider that the agent chose for this
    library alone, None where it chose none: what goes to another than the process's is the agent's own affair.
    """

    def adopted(made: Any, call: Call) -> Any:
        from opentelemetry import trace

        provider = own(call)
        foreign = provider is not None and provider is not trace.get_tracer_provider()
        return made if made is None or foreign else AdoptedTracer(made, covers)

    return changed(adopted)


def changed(change: Callable[[Any, Call], Any]) -> Wrapper:
    """Return the wrapper of a function by which a library sets its own tracing up; ``change`` gives another result."""

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        returned = wrapped(*args, **kwargs)
        # The call is made inside of the guard too: it is ours.
        return guard.call("adoption", lambda: change(returned, Call(instance, args, kwargs)), default=returned)

    return wrapper


def replaced(replace: Callable[[Call], Any]) -> Wrapper:
    """Return the wrapper of a function of a library's own tracing that ``replace`` answers in its place.

    Where that gives None, or fails, the library's function runs.
    """

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        replacement = guard.call("adoption", lambda: replace(Call(instance, args, kwargs)))
        if replacement is None:
            return wrapped(*args, **kwargs)
        return replacement

    return wrapper


def _span_in_place(_: Call) -> Any:
    """Return what stands for a span that is made current: none, so that the current one stays."""
    from contextlib import nullcontext

    from opentelemetry.trace import INVALID_SPAN

    return nullcontext(INVALID_SPAN)


silent = replaced(_span_in_place)
"""The wrapper of a tracer's ``start_as_current_span`` that makes no span."""


class AdoptedTracer:
    """A library's tracer, whose spans stand back where we record."""

    def __init__(self, inner: Any, covers: Covers) -> None:
        self._inner = inner
        self._covers = covers

    def start_span(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Start the library's span, or give in its place one that stands for ours and takes nothing."""
        attributes = kwargs.get("attributes") or {}
        ours = guard.call("adoption", self._ours, name, attributes)
        if ours is not None:
            return ours
        return self._inner.start_span(guard.call("adoption", _named, name, attributes, default=name), *args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        """Return whatever else the library's tracer has."""
        return getattr(self._inner, name)

    def _ours(self, name: str, attributes: Mapping[str, Any]) -> Any:
        from opentelemetry.trace import NonRecordingSpan, get_current_span

        from obs_run.core import ownership

        recording = ownership.owner()
        if not self._covers(name, attributes, None if recording is None else recording.operation):
            return None
        return NonRecordingSpan(get_current_span().get_span_context())


def _named(name: str, attributes: Mapping[str, Any]) -> str:
    """Return the name that the conventions give a span with these attributes."""
    operation = attributes.get(semconv.OPERATION_NAME)
    if operation is None:
        return name
    subject = next((attributes[each] for each in _SUBJECTS if each in attributes), None)
    return f"{operation} {subject}" if subject and operation != "invoke_agent" else str(operation)
