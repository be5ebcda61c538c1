"""Replicate's client: runs of any model, and predictions that are asked for and fetched later.

The module's own functions (``replicate.run``) are methods of a default client, bound when the package is imported; its
submodule ``client``, which the targets live in, is there before.
"""

from __future__ import annotations

import mimetypes
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.openai.chat_messages import data_part
from obs_run.base import payload
from obs_run.core import content, messages, streams
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.operations import Inference, Usage
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from obs_run.core.messages import Message, Part
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

_CREATED = re.compile(r"/v1/(?:(?:models|deployments)/(?P<owner>[^/]+)/(?P<name>[^/]+)/)?predictions$")
_STATUS = {
    "starting": "queued",
    "processing": "in_progress",
    "succeeded": "completed",
    "failed": "failed",
    "canceled": "cancelled",
}
_ENDED = {"completed": "stop", "failed": "error"}


@dataclass
class Answer(Inference):
    """What a model made; its output is kept only while content is wanted."""

    pieces: list[Any] = field(default_factory=list)
    output: Any = None


def begin(call: Call) -> tuple[Inference, Reader]:
    """Return the operation of a run."""
    operation = _asked(call.instance, _model(call.argument(0, "ref")), call.argument(1, "input"))
    return operation, Reader(_result, chunk=_chunk, end=_end, failure=_failure)


def begin_stream(call: Call) -> tuple[Inference, Reader]:
    """Return the operation of a run whose output comes in events."""
    operation = _asked(call.instance, _model(call.argument(0, "ref")), call.argument(1, "input"))
    operation.stream = True
    return operation, Reader(_result, chunk=_event, end=_end, failure=_failure, lazy=True)


def begin_request(call: Call) -> tuple[Inference, Reader] | None:
    """Return the operation of a prediction that the agent asks for itself; None for any other request."""
    path = call.argument(1, "path")
    asked = _CREATED.search(path) if call.argument(0, "method") == "POST" and isinstance(path, str) else None
    if asked is None:
        return None
    body = payload.get(call.kwargs, "json")
    model = f"{asked['owner']}/{asked['name']}" if asked["name"] else payload.get_text(body, "version")
    return _asked(call.instance, model, payload.get(body, "input")), Reader(_answered, failure=_failure)


def read_prediction(operation: Operation, call: Call) -> None:
    """Read a prediction, which comes in more than once while a run waits for it."""
    if isinstance(operation, Answer):
        _read(operation, call.argument(1, "json"))


def _asked(client: Any, model: str | None, given: Any) -> Answer:
    given = given if isinstance(given, dict) else {}
    stop = payload.as_text(payload.coalesce(given.get("stop_sequences"), given.get("stop")))
    operation = Answer(
        "generate_content",
        "replicate",
        request_model=model,
        seed=payload.as_int(given.get("seed")),
        temperature=payload.as_float(given.get("temperature")),
        top_p=payload.as_float(given.get("top_p")),
        top_k=payload.as_int(given.get("top_k")),
        presence_penalty=payload.as_float(given.get("presence_penalty")),
        frequency_penalty=payload.as_float(given.get("frequency_penalty")),
        max_tokens=payload.as_int(payload.coalesce(given.get("max_tokens"), given.get("max_new_tokens"))),
        stop_sequences=stop.split(",") if stop else None,
    )
    url = payload.get(client, "_client", "base_url")
    operation.server_address, operation.server_port = (
        payload.get_text(url, "host"),
        payload.get(url, "port"),
    )
    if content.wanted():
        system = payload.as_text(given.get("system_prompt"))
        operation.system_instructions = None if system is None else [messages.text(system)]
        operation.input_messages = [_question(given)]
    return operation


def _model(ref: Any) -> str | None:
    """Return the model's name without its version, or the version where that is all there is."""
    if isinstance(ref, str):
        return ref.partition(":")[0]
    owner, name = payload.get(ref, "owner"), payload.get(ref, "name")
    return f"{owner}/{name}" if owner and name else payload.get_text(ref, "id")


def _result(operation: Answer, returned: Any) -> None:  # noqa: ARG001 (what came back is read on its way in)
    _end(operation)


def _answered(operation: Answer, response: Any) -> None:
    _read(operation, response.json())
    _end(operation)


def _read(operation: Answer, prediction: Any) -> None:
    operation.response_id = payload.as_text(prediction.get("id"))
    operation.response_model = payload.as_text(prediction.get("model"))
    operation.response_status = _STATUS.get(prediction.get("status"))
    reason = _ENDED.get(operation.response_status or "")
    operation.finish_reasons = None if reason is None else [reason]
    metrics = prediction.get("metrics") or {}
    usage = Usage(payload.as_int(metrics.get("input_token_count")), payload.as_int(metrics.get("output_token_count")))
    operation.usage = usage if usage != Usage() else operation.usage
    if content.wanted():
        operation.output = prediction.get("output")


def _chunk(operation: Answer, piece: Any) -> None:
    if content.wanted():
        operation.pieces.append(piece if isinstance(piece, str) else str(payload.get(piece, "url") or ""))


def _event(operation: Answer, event: Any) -> None:
    kind = payload.get(event, "event", "value")
    if kind == "output":
        _chunk(operation, event.data)
    elif kind == "done":
        told = payload.get(messages.parsed(event.data), "reason") if event.data else None
        operation.finish_reasons = ["error" if told == "error" else told or "stop"]


def _end(operation: Answer) -> None:
    output = operation.pieces or operation.output
    operation.pieces, operation.output = [], None
    if output is not None and content.wanted():
        reason = operation.finish_reasons[0] if operation.finish_reasons else None
        operation.output_messages = [messages.message("assistant", *_parts(output), finish_reason=reason)]


def _failure(operation: Answer, error: BaseException) -> None:
    status = payload.get_int(error, "status")
    operation.error_type = None if status is None else str(status)


def _question(given: dict[str, Any]) -> Message:
    said = payload.coalesce(given.get("prompt"), given.get("text"))
    picture = payload.as_text(given.get("image"))
    parts = [messages.text(said if isinstance(said, str) else content.to_json(given))]
    return messages.message("user", *parts, *([] if picture is None else [data_part("image", picture)]))


def _parts(output: Any) -> list[Part]:
    """Return an output as parts: texts that came in pieces are one, what lies at an address is told by its kind."""
    pieces = output if isinstance(output, list) else [output]
    if all(isinstance(each, str) and not each.startswith(("http", "data:")) for each in pieces):
        return [messages.text("".join(pieces))]
    return [_part(each) for each in pieces]


def _part(piece: Any) -> Part:
    if not isinstance(piece, str):
        return messages.text(content.to_json(piece))
    kind = mimetypes.guess_type(piece)[0]
    modality = "document" if kind is None else kind.partition("/")[0]
    return data_part(modality, piece) if piece.startswith("data:") else messages.uri(modality, piece, kind)


_OBSERVED = ("replicate.prediction", "replicate.model", "replicate.deployment")

INSTRUMENTORS = (
    Instrumentor(
        "replicate",
        "replicate",
        ">=0.34,<2",
        (
            Target("replicate.client", "Client.run", streams.call(begin)),
            Target("replicate.client", "Client.async_run", streams.async_call(begin)),
            Target("replicate.client", "Client.stream", streams.call(begin_stream)),
            Target("replicate.client", "Client.async_stream", streams.async_call(begin_stream)),
            Target("replicate.client", "Client._request", streams.call(begin_request)),
            Target("replicate.client", "Client._async_request", streams.async_call(begin_request)),
            *(Target(each, "_json_to_prediction", streams.observed(read_prediction)) for each in _OBSERVED),
        ),
        ("generate_content",),
    ),
)
