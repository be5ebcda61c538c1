"""The Responses API, whole and as typed events, and responses fetched later."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from obs_instrumentors.wire.endpoint import Endpoint
from obs_run.base import payload
from obs_run.core import content, messages, semconv
from obs_run.core.operations import Inference, Operation

from .common_fields import read_header, read_sampling, usage
from .response_items import input_messages, output_parts, tool_definition

_TOOL_CALLS = ("function_call", "custom_tool_call")
_INCOMPLETE = {"max_output_tokens": "length", "max_tokens": "length"}
_FINAL = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")


@dataclass
class Response(Inference):
    """A response; while it streams, what has come in so far."""

    name: str = "chat"
    pieces: list[str] = field(default_factory=list)
    """Text of a stream, kept only while content is wanted."""
    tools: list[str] = field(default_factory=list)


@dataclass
class FetchedResponse(Operation):
    """A stored response that the agent asks for again: ``fetch_response``. Its usage was counted when it was made."""

    name: str = "fetch_response"
    response_id: str | None = None
    response_model: str | None = None
    response_status: str | None = None
    finish_reasons: list[str] | None = None
    stream_end: str | None = None

    ATTRIBUTES: ClassVar[dict[str, str]] = {
        **Operation.ATTRIBUTES,
        "response_id": semconv.RESPONSE_ID,
        "response_model": semconv.RESPONSE_MODEL,
        "response_status": semconv.RESPONSE_STATUS,
        "finish_reasons": semconv.RESPONSE_FINISH_REASONS,
        "stream_end": semconv.OBS_RESPONSE_STREAM_END,
    }


def _begin(body: dict[str, Any]) -> Response:
    operation = Response(extra={semconv.OPENAI_API_TYPE: "responses"})
    read_sampling(operation, body)
    operation.reasoning_level = payload.get_text(body.get("reasoning"), "effort")
    operation.previous_response_id = payload.as_text(body.get("previous_response_id"))
    operation.conversation_id = _conversation(body)
    kind = payload.get_text(body, "text", "format", "type")
    operation.output_type = None if kind is None else "json" if kind.startswith("json") else kind
    if content.wanted():
        instructions = body.get("instructions")
        operation.system_instructions = [messages.text(instructions)] if isinstance(instructions, str) else None
        operation.input_messages = input_messages(body.get("input"))
        operation.tool_definitions = [tool_definition(tool) for tool in payload.as_list(body.get("tools"))] or None
    return operation


def _conversation(holder: Any) -> str | None:
    conversation = payload.get(holder, "conversation")
    return payload.as_text(conversation) or payload.get_text(conversation, "id")


def _result(operation: Response, response: Any) -> None:
    read_header(operation, payload.as_dict(response))
    operation.usage = usage(payload.get(response, "usage"))
    operation.conversation_id = operation.conversation_id or _conversation(response)
    operation.response_status = payload.get_text(response, "status")
    operation.finish_reasons = _finish_reasons(response)
    items = payload.get_list(response, "output")
    operation.tool_calls = [name for item in items if (name := _tool_name(item)) is not None] or None
    if operation.response_status == "failed":
        operation.error_type = payload.get_text(response, "error", "code") or "_OTHER"
    if content.wanted() and items:
        reason = operation.finish_reasons[0] if operation.finish_reasons else None
        operation.output_messages = [messages.message("assistant", *output_parts(items), finish_reason=reason)]


def _tool_name(item: Any) -> str | None:
    return payload.get_text(item, "name") if payload.get(item, "type") in _TOOL_CALLS else None


def _finish_reasons(response: Any) -> list[str] | None:
    """Return why the model stopped, in the conventions' words; None while it has not."""
    status = payload.get(response, "status")
    if status == "completed":
        asks = any(_tool_name(item) is not None for item in payload.get_list(response, "output"))
        return ["tool_call" if asks else "stop"]
    if status == "incomplete":
        reason = payload.get_text(response, "incomplete_details", "reason") or "length"
        return [_INCOMPLETE.get(reason, reason)]
    if status == "failed":
        return ["error"]
    return [status] if status == "cancelled" else None


def _event(operation: Response, event: Any) -> None:
    kind = payload.get(event, "type")
    if kind in _FINAL:
        _result(operation, payload.get(event, "response"))
        operation.pieces = []
    elif kind in ("response.created", "response.queued"):
        read_header(operation, payload.as_dict(payload.get(event, "response")))
    elif kind == "response.output_item.added":
        name = _tool_name(payload.get(event, "item"))
        operation.tools.extend([] if name is None else [name])
    elif kind == "response.output_text.delta" and content.wanted():
        operation.pieces.append(payload.get_text(event, "delta") or "")
    elif kind == "error":
        operation.error_type = payload.get_text(event, "code") or "_OTHER"


def _end(operation: Response) -> None:
    """Keep what came in of a stream that did not reach its last event."""
    if operation.response_status is None:
        operation.tool_calls = operation.tools or None
        if operation.pieces:
            said = messages.text("".join(operation.pieces))
            operation.output_messages = [messages.message("assistant", said)]
    operation.pieces = []


def _begin_fetch(body: dict[str, Any]) -> FetchedResponse:
    return FetchedResponse(response_id=payload.as_text(body.get("id")))


def _fetched(operation: FetchedResponse, response: Any) -> None:
    operation.response_model = payload.get_text(response, "model")
    operation.response_status = payload.get_text(response, "status")
    operation.finish_reasons = _finish_reasons(response)


def _fetched_event(operation: FetchedResponse, event: Any) -> None:
    if payload.get(event, "type") in _FINAL:
        _fetched(operation, payload.get(event, "response"))


ENDPOINT = Endpoint(_begin, _result, _event, _end)
FETCH = Endpoint(_begin_fetch, _fetched, _fetched_event)
