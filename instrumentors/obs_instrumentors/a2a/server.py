"""What a server is asked for, and what it answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import payload
from obs_run.core import ownership
from obs_run.core.operations import A2aServerCall
from obs_run.core.outcomes import Reader

from . import events

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obs_run.core.outcomes import Call

    Received = tuple[A2aServerCall, Reader[Any], Mapping[str, str] | None]

_WORKS = ("SendMessage", "SendStreamingMessage", "SubscribeToTask")
"""Methods whose answer is what becomes of the task."""


def receive_request(method: str, call: Call) -> Received | None:
    """Return the operation of a method of a request handler, and the headers or metadata that the request had."""
    recording = ownership.current_recording()
    outer = None if recording is None else recording.operation
    if isinstance(outer, A2aServerCall) and outer.name == method:
        # A handler that asks the one that it is derived from, or made around.
        return None
    params, context = call.argument(0, "params"), call.argument(1, "context")
    operation = A2aServerCall(method)
    events.note_card(operation, payload.get(call.instance, "_agent_card"))
    message = payload.get(params, "message")
    if message is None:
        operation.task_id = events.task_asked_for(params)
    else:
        events.note_ids(operation, message)
    state = payload.get(context, "state")
    request_id = payload.get(state, "request_id")
    servicer = payload.get(state, "grpc_context")
    if request_id is not None:
        operation.request_id = str(request_id)
    if payload.get(state, "method") is not None:
        operation.rpc_system = "jsonrpc"
    elif servicer is not None:
        operation.rpc_system = "grpc"
    return operation, _reader(method), _carrier(state, servicer)


def _carrier(state: Any, servicer: Any) -> Mapping[str, str] | None:
    if servicer is None:
        headers: Mapping[str, str] | None = payload.get(state, "headers")
        return headers
    return {name.lower(): text for name, text in servicer.invocation_metadata() or () if isinstance(text, str)}


def _reader(method: str) -> Reader[Any]:
    if method not in _WORKS:
        return Reader(events.read_answer)
    # The agent's run inside has what was said.
    answer = events.Answer(keeps_texts=False)
    return Reader(answer.read, chunk=answer.read, single_response=True)
