"""Replicate's client: runs of any model, and predictions that are asked for and fetched later.

The module's own functions (``replicate.run``) are methods of a default client, bound when the package is imported; its
submodule ``client``, which the targets live in, is there before.
"""

from __future__ import annotations

import mimetypes
import re
from dataclasses import field
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.continuation import output_message
from obs_instrumentors.wire.openai.chat_messages import data_part
from obs_run.base import payload
from obs_run.base.json_text import from_json
from obs_run.core import content, messages, streams
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.operations import Inference, Usage
from obs_run.core.outcomes import Reader
from obs_run.core.sparse_dataclasses import sparse_dataclass

if TYPE_CHECKING:
    from obs_run.core.messages import Message, Part
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

_CREATE_PATH = re.compile(r"/v1/(?:(?:models|deployments)/(?P<owner>[^/]+)/(?P<name>[^/]+)/)?predictions$")
_STATUSES = {
    "starting": "queued",
    "processing": "in_progress",
    "succeeded": "completed",
    "failed": "failed",
    "canceled": "cancelled",
}
_FINISH_REASONS = {"completed": "stop", "failed": "error"}


@sparse_dataclass
class Answer(Inference):
    """What a model made; its output is kept only while content is wanted."""

    pieces: list[Any] = field(default_factory=list)
    output: Any = None
    is_streamed: bool = False
    """Whether the last event of a stream has come."""

    def is_answered(self) -> bool:
        """Whether all has come in; a prediction may be done before its stream is read."""
        return self.is_streamed if self.stream else super().is_answered()


def start_run(call: Call) -> tuple[Inference, Reader]:
    """Return the operation of a run."""
    operation = _parse_input(call.instance, _model_name(call.argument(0, "ref")), call.argument(1, "input"))
    return operation, Reader(_read_nothing_more, chunk=_read_piece, end=_finish, failure=_read_failure)


def start_stream(call: Call) -> tuple[Inference, Reader]:
    """Return the operation of a run whose output comes in events."""
    operation = _parse_input(call.instance, _model_name(call.argument(0, "ref")), call.argument(1, "input"))
    operation.stream = True
    return operation, Reader(_read_nothing_more, chunk=_read_event, end=_finish, failure=_read_failure, lazy=True)


def start_request(call: Call) -> tuple[Inference, Reader] | None:
    """Return the operation of a prediction that the agent asks for itself; None for any other request."""
    path = call.argument(1, "path")
    if call.argument(0, "method") != "POST" or not isinstance(path, str):
        return None
    match = _CREATE_PATH.search(path)
    if match is None:
        return None
    body = payload.get(call.kwargs, "json")
    model = payload.get_text(body, "version")
    if match["name"]:
        model = f"{match['owner']}/{match['name']}"
    operation = _parse_input(call.instance, model, payload.get(body, "input"))
    return operation, Reader(_read_response, failure=_read_failure)


def read_prediction(operation: Operation, call: Call) -> None:
    """Read a prediction, which comes in more than once while a run waits for it."""
    if isinstance(operation, Answer):
        _read_prediction(operation, call.argument(1, "json"))


def _parse_input(client: Any, model: str | None, model_input: Any) -> Answer:
    """Return the operation of a model's input, whose fields each model names itself: these are the usual names."""
    fields = model_input if isinstance(model_input, dict) else {}
    operation = Answer(
        "generate_content",
        "replicate",
        request_model=model,
        seed=payload.as_int(fields.get("seed")),
        temperature=payload.as_float(fields.get("temperature")),
        top_p=payload.as_float(fields.get("top_p")),
        top_k=payload.as_int(fields.get("top_k")),
        presence_penalty=payload.as_float(fields.get("presence_penalty")),
        frequency_penalty=payload.as_float(fields.get("frequency_penalty")),
        max_tokens=payload.as_int(payload.coalesce(fields.get("max_tokens"), fields.get("max_new_tokens"))),
    )
    stop = payload.as_text(payload.coalesce(fields.get("stop_sequences"), fields.get("stop")))
    if stop is not None:
        operation.stop_sequences = stop.split(",")
    url = payload.get(client, "_client", "base_url")
    operation.server_address = payload.get_text(url, "host")
    operation.server_port = payload.get(url, "port")
    if content.wanted():
        system = payload.as_text(fields.get("system_prompt"))
        if system is not None:
            operation.system_instructions = [messages.text(system)]
        operation.input_messages = [_input_message(fields)]
    return operation


def _model_name(ref: Any) -> str | None:
    """Return the model's name without its version, or the version where that is all there is."""
    if isinstance(ref, str):
        return ref.partition(":")[0]
    owner, name = payload.get(ref, "owner"), payload.get(ref, "name")
    if owner and name:
        return f"{owner}/{name}"
    return payload.get_text(ref, "id")


def _read_nothing_more(operation: Answer, _returned: Any) -> None:
    """Complete the operation: what came back was read on its way in."""
    _finish(operation)


def _read_response(operation: Answer, response: Any) -> None:
    """Read the HTTP response that has a Prediction."""
    _read_prediction(operation, response.json())
    _finish(operation)


def _read_prediction(operation: Answer, prediction: Any) -> None:
    operation.response_id = payload.as_text(prediction.get("id"))
    operation.response_model = payload.as_text(prediction.get("model"))
    operation.response_status = _STATUSES.get(prediction.get("status"))
    reason = _FINISH_REASONS.get(operation.response_status or "")
    operation.finish_reasons = None if reason is None else [reason]
    metrics = prediction.get("metrics") or {}
    usage = Usage(payload.as_int(metrics.get("input_token_count")), payload.as_int(metrics.get("output_token_count")))
    if usage != Usage():
        operation.usage = usage
    if content.wanted():
        operation.output = prediction.get("output")


def _read_piece(operation: Answer, piece: Any) -> None:
    """Keep a piece of the output: a text, or a FileOutput by its address."""
    if not content.wanted():
        return
    if not isinstance(piece, str):
        piece = str(payload.get(piece, "url") or "")
    operation.pieces.append(piece)


def _read_event(operation: Answer, event: Any) -> None:
    """Read a ServerSentEvent."""
    kind = payload.get(event, "event", "value")
    if kind == "output":
        _read_piece(operation, event.data)
    elif kind == "done":
        reason = payload.get(from_json(event.data), "reason")
        operation.finish_reasons = [reason or "stop"]
        operation.is_streamed = True


def _finish(operation: Answer) -> None:
    output = operation.pieces or operation.output
    operation.pieces, operation.output = [], None
    if output is not None and content.wanted():
        operation.output_messages = [output_message(operation, _output_parts(output))]


def _read_failure(operation: Answer, error: BaseException) -> None:
    """Read a ReplicateError, which has the HTTP status."""
    status = payload.get_int(error, "status")
    operation.error_type = None if status is None else str(status)


def _input_message(fields: dict[str, Any]) -> Message:
    prompt = payload.coalesce(fields.get("prompt"), fields.get("text"))
    if not isinstance(prompt, str):
        # A model without a prompt: its input whole.
        prompt = content.to_json(fields)
    parts = [messages.text(prompt)]
    image = payload.as_text(fields.get("image"))
    if image is not None:
        parts.append(data_part("image", image))
    return messages.message("user", *parts)


def _output_parts(output: Any) -> list[Part]:
    """Return an output as parts: texts that came in pieces are one, what lies at an address is told by its kind."""
    pieces = output if isinstance(output, list) else [output]
    if all(isinstance(piece, str) and not piece.startswith(("http", "data:")) for piece in pieces):
        return [messages.text("".join(pieces))]
    return [_part(piece) for piece in pieces]


def _part(piece: Any) -> Part:
    if not isinstance(piece, str):
        return messages.text(content.to_json(piece))
    mime_type, _ = mimetypes.guess_type(piece)
    modality = "document"
    if mime_type is not None:
        modality, _, _ = mime_type.partition("/")
    if piece.startswith("data:"):
        return data_part(modality, piece)
    return messages.uri(modality, piece, mime_type)


_PREDICTION_MODULES = ("replicate.prediction", "replicate.model", "replicate.deployment")

INSTRUMENTORS = (
    Instrumentor(
        "replicate",
        "replicate",
        ">=0.34,<2",
        (
            Target("replicate.client", "Client.run", streams.wrap_call(start_run)),
            Target("replicate.client", "Client.async_run", streams.wrap_async_call(start_run)),
            Target("replicate.client", "Client.stream", streams.wrap_call(start_stream)),
            Target("replicate.client", "Client.async_stream", streams.wrap_async_call(start_stream)),
            Target("replicate.client", "Client._request", streams.wrap_call(start_request)),
            Target("replicate.client", "Client._async_request", streams.wrap_async_call(start_request)),
            *(
                Target(module, "_json_to_prediction", streams.wrap_inner_call(read_prediction))
                for module in _PREDICTION_MODULES
            ),
        ),
        ("generate_content",),
    ),
)
