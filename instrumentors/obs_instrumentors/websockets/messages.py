"""Messages of a connection: what is sent, and what is received and worked on until the next is asked for."""

from __future__ import annotations

import sys
from collections.abc import Sized
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from obs_run.base.steps import Step
from obs_run.core import handled_messages, message_carriers, recorder
from obs_run.core.operations import MessageProcess, MessageReceive, MessageSend
from obs_run.core.outcomes import Reader

from . import connections

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.handled_messages import HandledMessage
    from obs_run.core.operations import MessageOperation
    from obs_run.core.outcomes import Call

    from .connections import Connection

_INTERNAL_ERROR = 1011
_NO_FAILURES = ("CancelledError", "Cancelled", "ConnectionClosedOK", "GeneratorExit", "TimeoutError")
"""What ends the waiting for a message without a failure."""

_handled: WeakKeyDictionary[Any, HandledMessage] = WeakKeyDictionary()
"""What was received last by a connection."""
_READER: Reader[Any] = Reader(result=lambda _operation, _returned: None)


def begin_send(call: Call) -> tuple[MessageOperation, Reader] | None:
    """Begin ``send``."""
    known = connections.find(call.instance)
    if known is None or not connections.may_send(call.instance):
        return None
    operation = MessageSend()
    connections.describe(operation, known.place)
    operation.body_size = connections.text_size(call.argument(0, "message"))
    return operation, _READER


def carry(call: Call, _fields: Callable[[Any], dict[str, str]]) -> None:
    """Have a message carry the trace, where the other end takes it out again."""
    known = connections.find(call.instance)
    if known is not None and known.reads_carriers:
        _carry_in(call, 0, known)


def _carry_in(call: Call, at: int, known: Connection) -> None:
    carrying = message_carriers.carried_in_json(call.argument(at, "message"), known.place.host)
    if carrying is not None:
        call.replace(at, "message", carrying)


def begin_broadcast(call: Call) -> tuple[MessageOperation, Reader] | None:
    """Begin ``broadcast``, which sends a message to several connections."""
    receivers = _receivers(call)
    if not receivers or not connections.may_send(receivers[0]):
        return None
    operation = MessageSend()
    known = [connections.find(each) for each in receivers]
    paths = {None if each is None else each.place.path for each in known}
    connections.describe(operation, known[0].place if known[0] is not None and len(paths) == 1 else None)
    operation.batch_size = len(receivers)
    return operation, _READER


def carry_in_broadcast(call: Call, _fields: Callable[[Any], dict[str, str]]) -> None:
    """Have it carry the trace, where all the other ends take it out again."""
    known = [connections.find(each) for each in _receivers(call)]
    if known and known[0] is not None and all(each is not None and each.reads_carriers for each in known):
        _carry_in(call, 1, known[0])


def _receivers(call: Call) -> list[Any]:
    """Return whom a message is sent to; what can be read only once is the library's."""
    receivers = call.argument(0, "connections")
    if receivers is None:
        receivers = call.kwargs.get("websockets")
    return list(receivers) if isinstance(receivers, Sized) else []  # type: ignore[call-overload]


class _ReceiveStep(Step):
    """The waiting for a message."""

    __slots__ = ("_connection", "_known")

    def __init__(self, connection: Any, known: Connection) -> None:
        super().__init__()
        self._connection = connection
        self._known = known

    def read_returned(self, returned: Any) -> Any:
        """Have the agent work on what came."""
        message, sender = message_carriers.read_json(returned) if self._known.reads_carriers else (returned, None)
        if connections.may_receive(self._connection):
            operation = MessageProcess()
            connections.describe(operation, self._known.place)
            operation.body_size = connections.text_size(message)
            operation.queue_time = None if sender is None else sender.seconds_under_way()
            senders = [{} if sender is None else sender.headers()]
            handled = handled_messages.receive_news(operation, senders, self._connection)
            if handled is not None:
                _handled[self._connection] = handled
                handled.make_current()
        return message

    def end(self, error: BaseException) -> None:
        """Note where it failed otherwise than that nothing came."""
        if type(error).__name__ in _NO_FAILURES:
            return
        operation = MessageReceive(batch_size=0)
        connections.describe(operation, self._known.place)
        recorder.measure(operation, 0, error)


def begin_receive(call: Call) -> Step | None:
    """Begin ``recv``: the work on the message before is over."""
    known = connections.find(call.instance)
    if known is None:
        return None
    _end_handled(call.instance)
    return _ReceiveStep(call.instance, known)


def note_close(call: Call) -> None:
    """Note that a connection is closed, which the library does for a handler that has failed."""
    is_failed = call.argument(0, "code") == _INTERNAL_ERROR
    _end_handled(call.instance, sys.exc_info()[1] if is_failed else None)
    known = connections.find(call.instance)
    if known is not None and known.rated is None:
        connections.measure_rest(call.instance)


def note_end(call: Call) -> None:
    """Note that the handler of a connection has returned, which ``WebSocketServer.unregister`` is told."""
    _end_handled(call.argument(0, "protocol"))


def note_server_close(call: Call) -> None:
    """Note that a server is closed."""
    connections.measure_rest(call.instance)


def _end_handled(connection: Any, error: BaseException | None = None) -> None:
    handled = _handled.pop(connection, None)
    if handled is not None:
        handled.end(error)
