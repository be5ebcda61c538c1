"""arq: jobs that are put into a queue of Redis, and the work on them in a worker.

Chosen: patches of what puts and takes jobs, and of the functions that a worker has, as its hooks have no errors. The
trace goes along in the job, a mapping that is read by its keys: a worker that knows nothing of it does not see it.
"""

from __future__ import annotations

import copy
import pickle
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.base.steps import Step
from obs_run.core import message_carriers
from obs_run.core.callback_wrappers import wrap_context
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.message_handlers import followed_handler, followed_reader
from obs_run.core.message_steps import wrap_step
from obs_run.core.operations import MessageProcess, MessageSend
from obs_run.core.outcomes import Reader
from obs_run.core.peer_calls import wrap_carried
from obs_run.core.streams import wrap_async_call

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import MessageOperation
    from obs_run.core.outcomes import Call

_SYSTEM = "arq"
_CARRIER = "trace_context"
_OPEN_FORMATS = ("_pickle", "cloudpickle", "dill", "json", "msgpack", "orjson", "pickle")
"""The modules of serializers that take whatever keys a mapping has."""
_ERRORS = {
    "Retry": ("retry", "the job is to be run again"),
    "RetryJob": ("retry", "the job is to be run again"),
    "CancelledError": ("cancelled", "the job took too long, was aborted, or its worker ended"),
}

_sender: ContextVar[dict[str, str] | None] = ContextVar("obs-run-arq-sender", default=None)
"""What the job carries that the current task of a worker is for."""


def begin_enqueue(call: Call) -> tuple[MessageOperation, Reader]:
    """Begin ``ArqRedis.enqueue_job``."""
    operation = MessageSend(name="enqueue")
    queue = call.kwargs.get("_queue_name") or payload.get_text(call.instance, "default_queue_name")
    _describe(operation, call.instance, queue, call.argument(0, "function"))
    return operation, _ENQUEUED


def read_job(operation: MessageOperation, job: Any) -> None:
    """Read what was put into the queue: nothing, where a job of this id is there already."""
    operation.message_id = payload.get_text(job, "job_id")


_ENQUEUED: Reader[Any] = Reader(result=read_job)


def carry(call: Call, fields: Callable[[Any], dict[str, str]]) -> None:
    """Have a job carry the trace, where its serializer takes a key more."""
    if not message_carriers.uses_headers():
        return
    serializer: Any = call.kwargs.get("serializer") or pickle.dumps
    module = getattr(getattr(serializer, "func", serializer), "__module__", None) or ""
    if module.partition(".")[0] not in _OPEN_FORMATS:
        return
    added = fields(None)
    if added:
        call.kwargs = {**call.kwargs, "serializer": lambda job: serializer({**job, _CARRIER: added})}


def begin_deserialize(call: Call) -> Step:
    """Note what a job carries as it is read."""
    deserializer = call.kwargs.get("deserializer") or pickle.loads
    call.kwargs = {**call.kwargs, "deserializer": followed_reader(deserializer, note_sender)}
    return Step()


def note_sender(job: Any) -> None:
    """Note what a job carries."""
    carrier = payload.get(job, _CARRIER)
    _sender.set(carrier if isinstance(carrier, dict) else None)


def follow_functions(call: Call) -> None:
    """Have a worker's functions be followed; those that the agent has stay as they are."""
    worker = call.instance
    for name, function in list(worker.functions.items()):
        followed = copy.copy(function)
        followed.coroutine = followed_handler(function.coroutine, partial(begin_job, worker, name))
        worker.functions[name] = followed


def begin_job(worker: Any, name: str, about: Any) -> tuple[MessageOperation, Reader, dict[str, str]]:
    """Begin the work on a job; ``about`` is what the worker tells the function of it."""
    operation = MessageProcess()
    _describe(operation, payload.get(worker, "pool"), payload.get_text(worker, "queue_name"), name)
    operation.message_id = payload.get_text(about, "job_id")
    tries = payload.get_int(about, "job_try")
    operation.delivery_count = tries if tries is not None and tries > 1 else None
    due = payload.get_int(about, "score")
    operation.queue_time = None if due is None else message_carriers.seconds_since(due * 1000)
    return operation, _WORKED_ON, _sender.get() or {}


def read_failure(operation: MessageOperation, error: BaseException) -> None:
    """Read by what a job was left."""
    told = _ERRORS.get(type(error).__name__)
    if told is not None:
        operation.error_type, operation.error_message = told


_WORKED_ON: Reader[Any] = Reader(result=lambda _operation, _returned: None, failure=read_failure)


def _describe(operation: MessageOperation, pool: Any, queue: str | None, function: Any) -> None:
    operation.system = _SYSTEM
    operation.destination = operation.destination_template = queue
    operation.method = payload.as_text(function)
    about = payload.get(pool, "connection_pool", "connection_kwargs")
    host = payload.get_text(about, "host")
    if host is not None:
        operation.server_address, operation.server_port = host, payload.get_int(about, "port")
        operation.network_transport = "tcp"


INSTRUMENTORS = (
    Instrumentor(
        "arq",
        "arq",
        ">=0.25,<0.29",
        (
            Target("arq.connections", "ArqRedis.enqueue_job", wrap_async_call(begin_enqueue)),
            Target("arq.connections", "serialize_job", wrap_carried(carry)),
            Target("arq.worker", "deserialize_job_raw", wrap_step(begin_deserialize)),
            Target("arq.worker", "Worker.__init__", wrap_context(follow_functions)),
        ),
        ("jobs of arq",),
    ),
)
