"""Wrappers of a protocol's calls from program to program: the trace goes along with what is sent, and comes with it.

==================================================  ==========================================================
what the library has                                wrapper
==================================================  ==========================================================
a coroutine function that sends a message and,      ``wrap_async_send``
where there is an answer, waits for it
a function, or one that returns a coroutine, that   ``wrap_send``
does so
a coroutine function that does what a message       ``wrap_async_receive``, and ``wrap_stream_receive`` for
asks for                                            an async generator function
a function inside of a recorded call by which what  ``wrap_carried``
that sends goes out
a function that returns a context manager made of   ``wrap_opened``
a generator, which gives a connection
==================================================  ==========================================================
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context
from opentelemetry.trace import get_current_span

from obs_run.base import generators, guard
from obs_run.base.stand_in import no_frame, passed_over
from obs_run.base.steps import Step
from obs_run.context import current_context, run_context
from obs_run.context.allowed_hosts import is_allowed
from obs_run.core import content, ownership, recorder
from obs_run.core.open_recordings import open_recordings
from obs_run.core.outcomes import Call, OutcomeTracker

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import SpanContext

    from obs_run.core.hooks import Wrapper
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Reader

    Send = Callable[[Call], tuple[Operation, Reader] | None]
    Receive = Callable[[Call], tuple[Operation, Reader, Any] | None]
    Carry = Callable[[Call, Callable[[Any], dict[str, str]]], None]

__all__ = [
    "context_of",
    "fields_for",
    "wrap_async_receive",
    "wrap_async_send",
    "wrap_carried",
    "wrap_opened",
    "wrap_send",
    "wrap_stream_receive",
]

_SENDERS = ("CLIENT", "PRODUCER")
"""The kinds of spans by which something goes out."""


def wrap_async_send(begin: Send, carry: Carry) -> Wrapper:
    """Return the wrapper of a coroutine function that sends a message.

    ``carry(call, fields)`` puts ``fields(carrier)`` into a copy of the message: what is to be added to the mapping that
    carries the trace in this protocol, or would.
    """

    @passed_over
    async def observe(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = Call(instance, args, kwargs)
        step = guard.call("begin", _begin_send, begin, call)
        if step is None:
            with no_frame:
                return await wrapped(*args, **kwargs)
        with step:
            guard.call("trace of a message", _carry, carry, call, step.recording.operation)
            returned = await wrapped(*call.args, **call.kwargs)
        return guard.call("outcome", step.read_returned, returned, default=returned)

    return generators.named_coroutines(observe)


def wrap_send(begin: Send, carry: Carry) -> Wrapper:
    """Return the wrapper of a function that sends a message, at once or as a coroutine, as ``wrap_async_send``."""

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = Call(instance, args, kwargs)
        step = guard.call("begin", _begin_send, begin, call)
        if step is None:
            with no_frame:
                return wrapped(*args, **kwargs)
        with step:
            guard.call("trace of a message", _carry, carry, call, step.recording.operation)
            returned = wrapped(*call.args, **call.kwargs)
        return guard.call("outcome", step.read_returned, returned, default=returned)

    return wrapper


def wrap_async_receive(begin: Receive) -> Wrapper:
    """Return the wrapper of a coroutine function that does what a message asks for.

    ``begin`` gives besides operation and reader the mapping that may carry the sender's trace; or the context of the
    sender, where the message has come from elsewhere in this process.
    """

    @passed_over
    async def observe(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        step = guard.call("begin", _begin_receive, begin, Call(instance, args, kwargs))
        if step is None:
            with no_frame:
                return await wrapped(*args, **kwargs)
        with step:
            returned = await wrapped(*args, **kwargs)
        return guard.call("outcome", step.read_returned, returned, default=returned)

    return generators.named_coroutines(observe)


def wrap_stream_receive(begin: Receive) -> Wrapper:
    """Return the wrapper of a generator function that does what a message asks for, as ``wrap_async_receive``."""

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with no_frame:
            inner = wrapped(*args, **kwargs)
        return guard.call("begin", _follow_receiving, begin, Call(instance, args, kwargs), inner, default=inner)

    return wrapper


def _follow_receiving(begin: Receive, call: Call, inner: Any) -> Any:
    def start() -> OutcomeTracker | None:
        tracker = _begin_receive(begin, call)
        return None if tracker is None else tracker.start_reading()

    return generators.followed(inner, start)


def wrap_carried(carry: Carry) -> Wrapper:
    """Return the wrapper of a function inside of a recorded call, by which what that sends goes out.

    ``carry`` does as for ``wrap_async_send``. The function may be of any kind: it is called, and no more.
    """

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = Call(instance, args, kwargs)
        guard.call("trace of a message", _carry_current, carry, call)
        with no_frame:
            return wrapped(*call.args, **call.kwargs)

    return wrapper


def _carry_current(carry: Carry, call: Call) -> None:
    recording = ownership.current_recording()
    if recording is not None and recording.operation.KIND in _SENDERS:
        _carry(carry, call, recording.operation)


def wrap_opened(note: Callable[[Any], object]) -> Wrapper:
    """Return the wrapper of a function whose context manager opens a connection; ``note`` gets what it gives."""

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:  # noqa: ARG001
        with no_frame:
            manager = wrapped(*args, **kwargs)
        guard.call("connection", _follow_opening, manager, note)
        return manager

    return wrapper


def _follow_opening(manager: Any, note: Callable[[Any], object]) -> None:
    manager.gen = generators.followed(manager.gen, lambda: _Opening(note))


class _Opening(Step):
    """The steps of the generator behind a context manager."""

    __slots__ = ("_note",)

    def __init__(self, note: Callable[[Any], object]) -> None:
        super().__init__()
        self._note = note

    def hides(self, chunk: Any) -> bool:
        """Have what is opened noted."""
        guard.call("connection", self._note, chunk)
        return False


def _begin_send(begin: Send, call: Call) -> OutcomeTracker | None:
    request = content.read("begin", begin, call)
    if request is None:
        return None
    operation, reader = request
    recording = recorder.start(operation)
    return None if recording is None else OutcomeTracker(recording, reader)


def fields_for(host: str | None, carrier: Any) -> dict[str, str]:
    """Return what tells a receiver by ``host`` of what is current here, where no call of ours is under way."""
    return _fields(carrier) if is_allowed(host) else {}


def _carry(carry: Carry, call: Call, operation: Operation) -> None:
    if is_allowed(operation.server_address):
        carry(call, _fields)


def _begin_receive(begin: Receive, call: Call) -> OutcomeTracker | None:
    request = content.read("begin", begin, call)
    if request is None:
        return None
    operation, reader, carrier = request
    context = carrier if isinstance(carrier, Context) else guard.call("trace of a message", context_of, carrier)
    if context is None and getattr(operation, "transport", None) == "pipe":
        context = run_context.for_starter(current_context.current())
    recording = recorder.start(operation, context)
    return None if recording is None else OutcomeTracker(recording, reader)


def _fields(carrier: Any) -> dict[str, str]:
    """Return what tells the receiver of the current trace; empty where the agent has told of another one."""
    from opentelemetry import propagate

    fields: dict[str, str] = {}
    propagate.inject(fields)
    if not isinstance(carrier, Mapping):
        return fields
    told = get_current_span(propagate.extract(_texts(carrier), ownership.no_span())).get_span_context()
    if told.is_valid and told.trace_id != get_current_span().get_span_context().trace_id:
        return {}
    return fields


def context_of(carrier: Any) -> Context | None:
    """Return the context of the sender; None where it tells of none, and what is current here is all that is known."""
    from opentelemetry import propagate

    if not isinstance(carrier, Mapping):
        return None
    here = current_context.current()
    context = propagate.extract(_texts(carrier), ownership.no_span(here))
    span = get_current_span(context).get_span_context()
    if not span.is_valid or _is_beneath(get_current_span(here), span):
        return None
    sender = open_recordings.find(span.span_id)
    if isinstance(sender, recorder.Recording):
        # In one process the sender's conversation and agent are known here too.
        return sender.inside(context)
    return context


def scope_of(carrier: Any) -> current_context.ContextScope | None:
    """Return what makes the context of the sender current; None where ``context_of`` has none."""
    context = context_of(carrier)
    return None if context is None else current_context.ContextScope(context)


def _is_beneath(current: Any, sender: SpanContext) -> bool:
    """Whether the span that is current has the sender's as its parent: one of the server's, made by who was faster."""
    parent = getattr(current, "parent", None)
    return parent is not None and (parent.trace_id, parent.span_id) == (sender.trace_id, sender.span_id)


def _texts(carrier: Mapping[Any, Any]) -> dict[str, str]:
    return {key: value for key, value in carrier.items() if isinstance(key, str) and isinstance(value, str)}
