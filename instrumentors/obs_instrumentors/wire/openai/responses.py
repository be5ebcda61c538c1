"""The Responses API, whole and as typed events, and responses fetched later."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from obs_instrumentors.wire.continuation import output_message
from obs_instrumentors.wire.endpoint import Endpoint
from obs_run.base import payload
from obs_run.core import content, messages, semconv
from obs_run.core.operations import FetchedResponse, Inference

from .common_fields import output_type, read_header, read_sampling, usage
from .response_items import input_messages, output_parts, tool_definition

_TOOL_CALLS = ("function_call", "custom_tool_call")
_INCOMPLETE = {"max_output_tokens": "length", "max_tokens": "length"}
_FINAL_EVENTS = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")


@dataclass
class Response(Inference):
    """A response; while it streams, what has come in so far."""

    name: str = "chat"
    text_deltas: list[str] = field(default_factory=list)
    """Text of a stream, kept only while content is wanted."""
    streamed_tool_calls: list[str] = field(default_factory=list)


def parse_request(body: dict[str, Any]) -> Response:
    """Return the operation that a request means."""
    operation = Response(extra={semconv.OPENAI_API_TYPE: "responses"})
    read_sampling(operation, body)
    operation.reasoning_level = payload.get_text(body.get("reasoning"), "effort")
    operation.previous_response_id = payload.as_text(body.get("previous_response_id"))
    operation.conversation_id = _conversation_id(body)
    operation.output_type = output_type(payload.get(body, "text", "format"))
    if content.wanted():
        instructions = body.get("instructions")
        if isinstance(instructions, str):
            operation.system_instructions = [messages.text(instructions)]
        operation.input_messages = input_messages(body.get("input"))
        tools = payload.as_list(body.get("tools"))
        operation.tool_definitions = [tool_definition(tool) for tool in tools] or None
    return operation


def _conversation_id(value: Any) -> str | None:
    """Return the conversation that a request or response names, by its id or by an object that has it."""
    conversation = payload.get(value, "conversation")
    return payload.as_text(conversation) or payload.get_text(conversation, "id")


def read_response(operation: Response, response: Any) -> None:
    """Read a Response."""
    read_header(operation, payload.as_dict(response))
    operation.usage = usage(payload.get(response, "usage"))
    operation.conversation_id = operation.conversation_id or _conversation_id(response)
    operation.response_status = payload.get_text(response, "status")
    operation.finish_reasons = _finish_reasons(response)
    items = payload.get_list(response, "output")
    operation.tool_calls = _tool_names(items) or None
    if operation.response_status == "failed":
        operation.error_type = payload.get_text(response, "error", "code") or "_OTHER"
    if content.wanted() and items:
        operation.output_messages = [output_message(operation, output_parts(items))]


def _tool_names(items: list[Any]) -> list[str]:
    names = [_tool_name(item) for item in items]
    return [name for name in names if name is not None]


def _tool_name(item: Any) -> str | None:
    if payload.get(item, "type") not in _TOOL_CALLS:
        return None
    return payload.get_text(item, "name")


def _finish_reasons(response: Any) -> list[str] | None:
    """Return why the model stopped, in the conventions' words; None while it has not."""
    status = payload.get(response, "status")
    if status == "completed":
        has_tool_calls = bool(_tool_names(payload.get_list(response, "output")))
        return ["tool_call" if has_tool_calls else "stop"]
    if status == "incomplete":
        reason = payload.get_text(response, "incomplete_details", "reason") or "length"
        return [_INCOMPLETE.get(reason, reason)]
    if status == "failed":
        return ["error"]
    if status == "cancelled":
        return ["cancelled"]
    return None


def read_event(operation: Response, event: Any) -> None:
    """Read a ResponseStreamEvent; the last one brings the whole response."""
    kind = payload.get(event, "type")
    if kind in _FINAL_EVENTS:
        read_response(operation, payload.get(event, "response"))
        operation.text_deltas = []
    elif kind in ("response.created", "response.queued"):
        read_header(operation, payload.as_dict(payload.get(event, "response")))
    elif kind == "response.output_item.added":
        name = _tool_name(payload.get(event, "item"))
        if name is not None:
            operation.streamed_tool_calls.append(name)
    elif kind == "response.output_text.delta" and content.wanted():
        operation.text_deltas.append(payload.get_text(event, "delta") or "")
    elif kind == "error":
        operation.error_type = payload.get_text(event, "code") or "_OTHER"


def finish(operation: Response) -> None:
    """Keep what came in of a stream that did not reach its last event."""
    if operation.response_status is None:
        operation.tool_calls = operation.streamed_tool_calls or None
        if operation.text_deltas:
            part = messages.text("".join(operation.text_deltas))
            operation.output_messages = [messages.message("assistant", part)]
    operation.text_deltas = []


def _parse_fetch(body: dict[str, Any]) -> FetchedResponse:
    return FetchedResponse(response_id=payload.as_text(body.get("id")))


def _read_fetched(operation: FetchedResponse, response: Any) -> None:
    operation.response_model = payload.get_text(response, "model")
    operation.response_status = payload.get_text(response, "status")
    operation.finish_reasons = _finish_reasons(response)


def _read_fetched_event(operation: FetchedResponse, event: Any) -> None:
    if payload.get(event, "type") in _FINAL_EVENTS:
        _read_fetched(operation, payload.get(event, "response"))


ENDPOINT = Endpoint(parse_request, read_response, read_event, finish)
FETCH = Endpoint(_parse_fetch, _read_fetched, _read_fetched_event)
