"""Operations over a connection that stays open: each begins and ends with a message, of either side.

An instrumentor gives ``Messages``, which read what is sent and received into the operations of a ``Session``; the
wrappers here stand around the connection's methods. What came of an answer is read as its operation ends, so that a
message amid it costs next to nothing.
"""

from __future__ import annotations

import weakref
from functools import partial
from sys import is_finalizing
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.base import generators, guard
from obs_run.base.stand_in import no_frame, passed_over
from obs_run.base.steps import Step
from obs_run.core import client_secrets, content
from obs_run.core.outcomes import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.hooks import Wrapper
    from obs_run.core.nesting import NestedInvocation
    from obs_run.core.operations import Operation
    from obs_run.core.recorder import Recording

__all__ = [
    "Messages",
    "Session",
    "close",
    "wrap_async_receive",
    "wrap_async_send",
    "wrap_close",
    "wrap_open",
    "wrap_receive",
    "wrap_send",
]


def _itself(connection: Any) -> Any:
    return connection


class Messages(NamedTuple):
    """How the messages of a connection are read.

    ``open`` returns, given the connection, what is to be known from message to message. ``sent`` reads the call of a
    method that sends, before it does, and ``received`` a message that came; both start and end the session's
    operations. ``finish`` completes an operation from what came in of it, once, however it ends. ``is_lost`` tells from
    an error of the library that the connection is at its end. ``connection`` returns the connection of the object whose
    method is called, where that is another one.
    """

    open: Callable[[Any], Any]
    sent: Callable[[Session, Call], None]
    received: Callable[[Session, Any], None]
    finish: Callable[[Any], None]
    is_lost: Callable[[BaseException], bool]
    connection: Callable[[Any], Any] = _itself


class Session:
    """What goes on over one connection."""

    def __init__(self, messages: Messages, connection: Any) -> None:
        self.messages = messages
        self.state = messages.open(connection)
        """What the instrumentor knows from message to message."""
        self.receiving = _Receiving(self)
        self._recordings: list[Recording | NestedInvocation] = []
        number = id(connection)
        self._connection = weakref.ref(connection, partial(guard.call, "finish", _abandon, number))

    def is_of(self, connection: Any) -> bool:
        """Whether it is the session of ``connection``, and not of one that had the same number before."""
        return self._connection() is connection

    def operations(self) -> list[Any]:
        """Return the operations that go on, the oldest first."""
        return [recording.operation for recording in self._recordings]

    def start(self, operation: Operation) -> None:
        """Begin to record an operation beneath what is current here."""
        # Here, because a connection's library is imported by many who open none.
        from obs_run.core import recorder

        recording = recorder.start(operation)
        if recording is not None:
            recording.read_unfinished = partial(self._what_finishes, operation)
            self._recordings.append(recording)

    def chunk(self, operation: Operation) -> None:
        """Note that a piece of an operation's answer has come in."""
        for recording in self._recordings:
            if recording.operation is operation:
                recording.chunk()

    def end(self, operation: Operation, error: BaseException | None = None) -> None:
        """End an operation, with the library's error if there was one."""
        for recording in [each for each in self._recordings if each.operation is operation]:
            # Another thread may end it too, or may have begun another one meanwhile.
            try:
                self._recordings.remove(recording)
            except ValueError:
                continue
            if not recording.is_ended:
                content.read("end", self.messages.finish, operation)
                guard.call("finish", recording.end, error)

    def end_all(self, error: BaseException | None = None) -> None:
        """End what goes on because the connection does, with the library's error if there was one."""
        for operation in self.operations():
            if operation.is_answered():
                self.end(operation)
                continue
            if error is None and hasattr(operation, "stream_end"):
                operation.stream_end = "abandoned"
            self.end(operation, error)

    def _what_finishes(self, operation: Operation) -> Callable[[], None]:
        return partial(self.messages.finish, operation)


class _Receiving(Step):
    """The library's step in which it waits for a message."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def read(self, message: Any) -> None:
        """Read what came."""
        try:
            self._session.messages.received(self._session, message)
        except Exception as error:  # noqa: BLE001 (the guard, without the cost of a call to it)
            guard.failed("message", error)

    def end(self, error: BaseException) -> None:
        """Take the library's error; to wait no longer is none of the connection's."""
        if self._session.messages.is_lost(error):
            self._session.end_all(error)


class _Sending(Step):
    """The library's step in which it sends a message, and what the message has begun."""

    __slots__ = ("_begun", "_session")

    def __init__(self, session: Session, begun: list[Any]) -> None:
        super().__init__()
        self._session = session
        self._begun = begun

    def end(self, error: BaseException) -> None:
        """Take the library's error: what was asked for did not go out."""
        for operation in self._begun:
            self._session.end(operation, error)
        if self._session.messages.is_lost(error):
            self._session.end_all(error)


def wrap_open(messages: Messages) -> Wrapper:
    """Return the wrapper of a connection's ``__init__``, for what can only be read as it is made."""

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with no_frame:
            wrapped(*args, **kwargs)
        guard.call("session", _session_of, messages, instance)

    return wrapper


def wrap_send(messages: Messages) -> Wrapper:
    """Return the wrapper of a method that sends a message."""

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        step = guard.call("message", _read_sent, messages, instance, args, kwargs)
        if step is None:
            with no_frame:
                return wrapped(*args, **kwargs)
        with step:
            return wrapped(*args, **kwargs)

    return wrapper


def wrap_async_send(messages: Messages) -> Wrapper:
    """Return the wrapper of a coroutine method that sends a message."""

    @passed_over
    async def observe(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        step = guard.call("message", _read_sent, messages, instance, args, kwargs)
        if step is None:
            with no_frame:
                return await wrapped(*args, **kwargs)
        with step:
            return await wrapped(*args, **kwargs)

    return _awaited(observe)


def wrap_receive(messages: Messages) -> Wrapper:
    """Return the wrapper of a method that returns the next message."""

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        step = guard.call("message", _receiving, messages, instance)
        if step is None:
            with no_frame:
                return wrapped(*args, **kwargs)
        with step:
            message = wrapped(*args, **kwargs)
        step.read(message)
        return message

    return wrapper


def wrap_async_receive(messages: Messages) -> Wrapper:
    """Return the wrapper of a coroutine method that returns the next message."""

    @passed_over
    async def observe(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        step = guard.call("message", _receiving, messages, instance)
        if step is None:
            with no_frame:
                return await wrapped(*args, **kwargs)
        with step:
            message = await wrapped(*args, **kwargs)
        step.read(message)
        return message

    return _awaited(observe)


def close(connection: Any) -> None:
    """End what goes on over a connection that the agent is done with."""
    session = _sessions.get(id(connection))
    if session is not None and session.is_of(connection):
        session.end_all()


def wrap_close() -> Wrapper:
    """Return the wrapper of the method that closes a connection, sync or async."""

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        guard.call("close", close, instance)
        with no_frame:
            return wrapped(*args, **kwargs)

    return wrapper


def _awaited(observe: Callable[..., Any]) -> Wrapper:
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        coroutine = observe(wrapped, instance, args, kwargs)
        guard.call("message", generators.take_name, coroutine, wrapped)  # as warnings of Python's tell it
        return coroutine

    return wrapper


_sessions: dict[int, Session] = {}
"""By the numbers of their connections, whose own fields are the library's and the agent's."""


def _session_of(messages: Messages, connection: Any) -> Session:
    session = _sessions.get(id(connection))
    if session is None or not session.is_of(connection):
        client_secrets.note(connection, {})
        session = _sessions[id(connection)] = Session(messages, connection)
    return session


def _read_sent(messages: Messages, instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> _Sending | None:
    session = _session_of(messages, messages.connection(instance))
    before = session.operations()
    guard.call("message", messages.sent, session, Call(instance, args, kwargs))
    begun = [operation for operation in session.operations() if not any(operation is each for each in before)]
    return _Sending(session, begun)


def _receiving(messages: Messages, connection: Any) -> _Receiving:
    return _session_of(messages, connection).receiving


def _abandon(number: int, _: object) -> None:
    """End what goes on over a connection that the agent let go of."""
    session = _sessions.pop(number, None)
    # While the interpreter goes down its modules are half gone; open spans were ended before.
    if session is not None and not is_finalizing():
        session.end_all()
