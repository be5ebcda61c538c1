"""celery: tasks that are sent, and the work on them in workers of all kinds, or at once where they are eager.

Chosen: patches of what sends a task and of what makes the function that a worker runs a task by, as signals are not
around the task: what fails, is retried or sends further tasks is inside. The trace goes along in the message's headers,
from which a worker that knows nothing of it takes what it knows.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import message_carriers
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.message_handlers import wrap_made_work
from obs_run.core.operations import MessageProcess, MessageSend
from obs_run.core.outcomes import Reader
from obs_run.core.peer_calls import wrap_carried
from obs_run.core.streams import wrap_call, wrap_inner_call

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import MessageOperation, Operation
    from obs_run.core.outcomes import Call

_SYSTEM = "celery"
_SENT_AT = "obs_sent_at"
_HEADERS = ("traceparent", "tracestate", "baggage", _SENT_AT)
_FAILURE, _RETRY, _REJECTED = "FAILURE", "RETRY", "REJECTED"
_STATES = {
    _RETRY: ("retry", "the task is to be run again"),
    _REJECTED: ("rejected", "the message was rejected"),
}


def begin_send(call: Call) -> tuple[MessageOperation, Reader] | None:
    """Begin ``Celery.send_task``, which all ways of sending a task pass."""
    operation = MessageSend(name="publish", system=_SYSTEM)
    operation.method = payload.as_text(call.argument(0, "name"))
    operation.message_id = payload.as_text(call.argument(5, "task_id"))
    return operation, _SENT


def read_sent(operation: MessageOperation, result: Any) -> None:
    """Read the id of a task."""
    operation.message_id = payload.get_text(result, "id") or operation.message_id


_SENT: Reader[Any] = Reader(result=read_sent)


def read_publish(operation: Operation, call: Call) -> None:
    """Read where a task is sent by ``Producer.publish``; an event of celery's own may come after it."""
    if not isinstance(operation, MessageSend) or operation.system != _SYSTEM or operation.destination is not None:
        return
    operation.destination = operation.destination_template = payload.as_text(call.argument(1, "routing_key"))
    connection = payload.get(call.instance, "connection")
    operation.server_address = payload.get_text(connection, "hostname")
    operation.server_port = payload.get_int(connection, "port")


def carry(call: Call, fields: Callable[[Any], dict[str, str]]) -> None:
    """Have the message of a task carry the trace, and when it was sent."""
    headers = call.kwargs.get("headers")
    if not message_carriers.uses_headers() or not isinstance(headers, dict) or "task" not in headers:
        return
    added = fields({name: text for name, text in headers.items() if name in _HEADERS})
    if added:
        sent_at = str(time.time_ns() // 1000)
        call.kwargs = {**call.kwargs, "headers": {**headers, **added, _SENT_AT: sent_at}}


class _Outcome:
    """What became of a task, whose exceptions celery catches."""

    __slots__ = ("_error",)

    def __init__(self) -> None:
        self._error: BaseException | None = None

    def read(self, operation: MessageOperation, traced: Any) -> None:
        """Read what the function gave that a worker runs a task by."""
        told = payload.get(traced, "info")
        state, error = payload.get(told, "state"), payload.get(told, "retval")
        if state in _STATES:
            operation.error_type, operation.error_message = _STATES[state]
        if state in (_FAILURE, _RETRY) and isinstance(error, BaseException):
            self._error = error

    def error(self, _operation: MessageOperation) -> BaseException | None:
        """Return the exception."""
        return self._error


def begin_task(made: Call, call: Call) -> tuple[MessageOperation, Reader, dict[str, str] | None]:
    """Begin the work on a task, by the function that ``build_tracer`` has made."""
    request = call.argument(3, "request") or {}
    operation = MessageProcess(system=_SYSTEM)
    operation.method = payload.as_text(made.argument(0, "name"))
    operation.message_id = payload.as_text(call.argument(0, "uuid"))
    delivery = payload.get(request, "delivery_info")
    operation.destination = operation.destination_template = payload.get_text(delivery, "routing_key")
    operation.client_id = payload.as_text(made.argument(3, "hostname"))
    retries = payload.get_int(request, "retries")
    operation.delivery_count = retries + 1 if retries else None
    sender: dict[str, str] | None = None
    if not payload.get(request, "is_eager"):
        told = {name: payload.get_text(request, name) for name in _HEADERS}
        sender = {name: text for name, text in told.items() if text is not None}
        operation.queue_time = _queue_time(payload.get_text(request, "eta"), sender.pop(_SENT_AT, None))
    outcome = _Outcome()
    return operation, Reader(result=outcome.read, caught=outcome.error), sender


def _queue_time(due: str | None, sent_at: str | None) -> float | None:
    """Return how long a task has waited since it was due, or was sent."""
    if due is not None:
        return message_carriers.seconds_since(round(datetime.fromisoformat(due).timestamp() * 1e6))
    return message_carriers.seconds_since(int(sent_at)) if sent_at is not None and sent_at.isdecimal() else None


_WORK = wrap_made_work(begin_task)

INSTRUMENTORS = (
    Instrumentor(
        "celery",
        "celery",
        ">=5.3,<6",
        (
            Target("celery.app.base", "Celery.send_task", wrap_call(begin_send)),
            Target("kombu.messaging", "Producer.publish", wrap_carried(carry)),
            Target("kombu.messaging", "Producer.publish", wrap_inner_call(read_publish)),
            Target("celery.app.trace", "build_tracer", _WORK),
            # Where it was imported before.
            Target("celery.worker.consumer.consumer", "build_tracer", _WORK),
        ),
        ("tasks of celery",),
    ),
)
