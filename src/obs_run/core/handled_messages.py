"""Messages that the agent works on in a loop of its own: received, and current until the answer or the next receive.

No function of the agent's stands around the work on a message. So what receives it makes it current where it was
received, in that thread, task or greenlet, and whatever comes there next ends that: the answer, another receiving or
waiting on the same socket, its closing. Where the work goes on elsewhere it was handed on with the context.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import get_current_span

from obs_run.context import current_context, run_context
from obs_run.core import ownership, recorder, request_links
from obs_run.core.peer_calls import context_of

if TYPE_CHECKING:
    from opentelemetry.context import Context

    from obs_run.core.operations import MessageOperation

__all__ = ["HandledMessage", "here", "is_inside_work", "receive", "receive_batch", "receive_news", "start_handling"]

_here: ContextVar[HandledMessage | None] = ContextVar("obs-run-handled-message", default=None)
"""The message that was received last in this thread or task; tasks that begin meanwhile inherit it."""


class HandledMessage:
    """A message while the agent works on it."""

    __slots__ = ("__weakref__", "_outer", "_places", "expects_answer", "recording")

    def __init__(self, recording: Any, *, expects_answer: bool) -> None:
        self.recording = recording
        self.expects_answer = expects_answer
        self._outer: HandledMessage | None = None
        """The one that waits for an answer, in the work on which this was received."""
        self._places: list[current_context.Place] = []

    def make_current(self) -> None:
        """Be what the caller's thread or task works on."""
        if self.recording.is_ended or self.is_current():
            return
        before = here()
        if before is not None:
            # That it could not be left here means that it is the one around this.
            self._outer = before
        _here.set(self)
        self._places.append(current_context.Place())
        self.recording.__enter__()

    def is_current(self) -> bool:
        """Whether the caller's thread or task works on it."""
        return any(place.is_here() for place in self._places)

    def leave(self) -> None:
        """Be current nowhere any more; the answer may still come."""
        if not self._places:
            return
        inner = here()
        while inner is not None and inner is not self:
            if inner.is_within(self):
                inner.end()
            inner = inner._outer  # noqa: SLF001 (another one of these)
        for _ in self._places.copy():
            self.recording.__exit__(None, None, None)
        if self.is_current():
            _here.set(self._outer)
        self._places.clear()
        self._outer = None

    def end(self, error: BaseException | None = None) -> None:
        """Have the work on it be over."""
        self.leave()
        self.recording.end(error)

    def is_within(self, other: HandledMessage) -> bool:
        """Whether it was received in the work on another one."""
        message = self._outer
        while message is not None and message is not other:
            message = message._outer  # noqa: SLF001 (as above)
        return message is other


def here() -> HandledMessage | None:
    """Return what the caller's thread or task works on, and has received itself."""
    message = _here.get()
    return message if message is not None and message.is_current() else None


def receive(operation: MessageOperation, sender: dict[str, str] | None, owner: object) -> HandledMessage | None:
    """Begin to record the work on a message, which is to be made current; None where it is not to be recorded.

    ``sender`` carries the sender's trace where it is known; else the work begins a trace, or belongs to what goes on
    here. It is marked as unfinished when ``owner``, the socket, is gone.
    """
    return receive_batch(operation, [sender or {}], owner)


def receive_batch(operation: MessageOperation, senders: list[dict[str, str]], owner: object) -> HandledMessage | None:
    """Begin to record the work on several messages that were received together, as ``receive`` does on one."""
    expects_answer = operation.KIND == "SERVER"
    make_room(expects_answer=expects_answer)
    recording = start_handling(operation, senders, owner)
    return None if recording is None else HandledMessage(recording, expects_answer=expects_answer)


def receive_news(
    operation: MessageOperation, senders: list[dict[str, str]], owner: object, waiting: Any = None
) -> HandledMessage | None:
    """Begin as ``receive_batch`` does, but for what is read inside of the very work that it came of, as answers are.

    Nothing is begun there: the recording that was ``waiting`` for it, or else the span in progress, is linked to those
    who sent it.
    """
    around = current_context.current()
    if is_inside_work(around):
        span = get_current_span(around) if waiting is None else waiting.span
        contexts = [context_of(sender) if sender else None for sender in senders]
        told = [context for context in contexts if context is not None]
        if not told or _are_of_one_trace([around, *told]):
            request_links.link_to_senders(span, told, None)
            return None
    return receive_batch(operation, senders, owner)


def is_inside_work(around: Context | None = None) -> bool:
    """Whether what is current, here or in a context, is a span in progress that is more than the run."""
    if around is None:
        around = current_context.current()
    return get_current_span(around).is_recording() and not run_context.is_run(around)


def start_handling(operation: MessageOperation, senders: list[dict[str, str]], owner: object = None) -> Any:
    """Begin to record the work on messages, each of which carries its sender's trace or nothing.

    It belongs to the trace of the senders where they have one in common, and is linked to the others.
    """
    around = current_context.current()
    contexts = [context_of(sender) if sender else None for sender in senders]
    context = contexts[0] if _are_of_one_trace(contexts) else None
    is_first = context is None and _is_left(around)
    recording = recorder.start(operation, _parent(context, around, is_first=is_first), owner)
    if recording is None:
        return None
    if is_first:
        request_links.link_to_receiver(recording.span, around)
    if len(contexts) > 1:
        request_links.link_to_senders(recording.span, contexts, context)
    return recording


def _are_of_one_trace(contexts: list[Context | None]) -> bool:
    traces = {None if one is None else get_current_span(one).get_span_context().trace_id for one in contexts}
    return len(traces) == 1


def _is_left(around: Context) -> bool:
    """Whether what is current is the run, or was over before the message came, as in tasks that wait for messages."""
    if run_context.is_run(around):
        return True
    span = get_current_span(around)
    told = span.get_span_context()
    return told.is_valid and told.trace_flags.sampled and not told.is_remote and not span.is_recording()


def _parent(context: Context | None, around: Context, *, is_first: bool) -> Context:
    if context is not None:
        return context
    return ownership.no_span(around) if is_first else around


def make_room(*, expects_answer: bool) -> None:
    """Leave what the caller has worked on, since it receives the next message: but for what that may belong to."""
    before = here()
    if before is None:
        return
    if not before.expects_answer:
        before.end()
        before = here()
    if before is not None and expects_answer:
        before.leave()
