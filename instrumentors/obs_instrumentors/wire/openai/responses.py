"""The Responses API, whole and as typed events, and responses fetched later."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from obs_instrumentors.wire import billing, uncounted
from obs_instrumentors.wire.continuation import output_message
from obs_instrumentors.wire.endpoint import Endpoint
from obs_instrumentors.wire.failures import error_type, read_error, read_missing_answer
from obs_instrumentors.wire.plain import plain
from obs_run.base import payload
from obs_run.core import content, messages, semconv
from obs_run.core.operations import FetchedResponse, Inference, ModelCall
from obs_run.core.sparse_dataclasses import sparse_dataclass

from .common_fields import output_type, read_header, read_sampling, read_usage, usage
from .response_items import (
    input_messages,
    output_parts,
    system_instructions,
    tool_call_id,
    tool_definition,
    tool_name,
)
from .response_tools import read_tools

_INCOMPLETE = {"max_output_tokens": "length", "max_tokens": "length"}
_PIECES: dict[str, tuple[str, str, str | None]] = {
    "response.output_text": ("message", "content", "output_text"),
    "response.refusal": ("message", "content", "refusal"),
    "response.reasoning_text": ("reasoning", "content", "reasoning_text"),
    "response.reasoning_summary_text": ("reasoning", "summary", "summary_text"),
    "response.function_call_arguments": ("function_call", "arguments", None),
    "response.custom_tool_call_input": ("custom_tool_call", "input", None),
    "response.mcp_call_arguments": ("mcp_call", "arguments", None),
    "response.code_interpreter_call_code": ("code_interpreter_call", "code", None),
}
"""What a delta continues: the type of its item, the field there, and the type of the part in that field, if any."""
_FINAL_STATUSES = ("completed", "incomplete", "failed", "cancelled")
_FINAL_EVENTS = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")


@sparse_dataclass
class Response(Inference):
    """A response; while it streams, what has come in so far."""

    name: str = "chat"
    items: dict[int, StreamedItem] = field(default_factory=dict)
    """Output items of a stream by their places; their texts are kept only while content is wanted."""


@dataclass
class StreamedItem:
    """An output item of a stream: how it started or ended, and its pieces until then."""

    fields: dict[str, Any]
    tool_name: str | None = None
    call_id: str | None = None
    is_done: bool = False
    pieces: dict[tuple[str, int], list[str]] = field(default_factory=dict)
    """By the kind of what they continue and its place in the item."""


def parse_request(body: dict[str, Any]) -> Response:
    """Return the operation that a request means."""
    operation = Response(extra={semconv.OPENAI_API_TYPE: "responses"})
    read_sampling(operation, body)
    operation.reasoning_level = payload.get_text(body.get("reasoning"), "effort")
    operation.previous_response_id = payload.as_text(body.get("previous_response_id"))
    operation.conversation_id = _conversation_id(body)
    operation.output_type = output_type(payload.get(body, "text", "format"))
    read_tools(operation, body)
    if content.wanted():
        operation.system_instructions = system_instructions(body)
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
    read_answer(operation, response)
    uncounted.note_answer(operation, is_over=operation.response_status in _FINAL_STATUSES)


def read_answer(operation: Response, response: Any) -> None:
    """Read what a Response says, whether or not it can be fetched later."""
    fields = payload.as_dict(response)
    read_header(operation, fields)
    read_usage(operation, fields.get("usage"))
    _read_searches(operation, response)
    operation.conversation_id = operation.conversation_id or _conversation_id(response)
    operation.response_status = payload.get_text(response, "status")
    operation.finish_reasons = _finish_reasons(response)
    items = payload.get_list(response, "output")
    operation.tool_calls = _tool_names(items) or None
    operation.tool_call_ids = [tool_call_id(item) for item in items if tool_name(item) is not None] or None
    read_error(operation, fields)
    read_missing_answer(operation, fields, "output")
    if operation.response_status == "failed":
        operation.error_type = operation.error_type or "_OTHER"
    if content.wanted() and items:
        operation.output_messages = [output_message(operation, output_parts(items))]


def _read_searches(operation: ModelCall, response: Any) -> None:
    """Read the searches that are paid for; without the provider's own count each call of the tool is one."""
    items = payload.get_list(response, "output")
    searches = payload.get_int(response, "tool_usage", "web_search", "num_requests")
    if searches is None:
        # To open a page, or to look for a text in it, is free.
        calls = [item for item in items if payload.get(item, "type") == "web_search_call"]
        searches = sum(payload.get(call, "action", "type") in (None, "search") for call in calls)
    billing.add_units(operation, "web_searches", searches)
    file_searches = sum(payload.get(item, "type") == "file_search_call" for item in items)
    billing.add_units(operation, "storage_searches", file_searches)


def _tool_names(items: list[Any]) -> list[str]:
    names = [tool_name(item) for item in items]
    return [name for name in names if name is not None]


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
        operation.items = {}
    elif kind in ("response.created", "response.queued"):
        read_header(operation, payload.as_dict(payload.get(event, "response")))
    elif kind in ("response.output_item.added", "response.output_item.done"):
        _keep_item(operation, event, is_done=kind.endswith(".done"))
    elif isinstance(kind, str) and kind.endswith(".delta") and content.wanted():
        _keep_piece(operation, kind.removesuffix(".delta"), event)
    elif kind == "error":
        # The code itself, or in an object around it.
        operation.error_type = error_type(payload.coalesce(payload.get(event, "error"), event))


def _keep_item(operation: Response, event: Any, *, is_done: bool) -> None:
    item = payload.get(event, "item")
    # Helpers of the client put the rest of an item into the same object.
    fields: dict[str, Any] = content.copied(plain(item)) if content.wanted() else {}
    place = payload.get_int(event, "output_index")
    # That a tool is called, and which, is no content.
    streamed = StreamedItem(fields, tool_name(item), tool_call_id(item), is_done)
    operation.items[len(operation.items) if place is None else place] = streamed


def _keep_piece(operation: Response, kind: str, event: Any) -> None:
    piece = payload.get_text(event, "delta")
    place = payload.get_int(event, "output_index") or 0
    if piece is None or kind not in _PIECES:
        return
    # Its beginning may have been left out by a server that only speaks the format.
    item = operation.items.setdefault(place, StreamedItem({"type": _PIECES[kind][0]}))
    inner = payload.coalesce(payload.get_int(event, "content_index"), payload.get_int(event, "summary_index"), 0)
    item.pieces.setdefault((kind, inner), []).append(piece)


def finish(operation: Response) -> None:
    """Keep what came in of a stream that did not reach its last event."""
    if operation.response_status is None:
        read_pieces(operation)
        uncounted.note_answer(operation, is_over=False)
    operation.items = {}


def read_pieces(operation: Response) -> None:
    """Read what came in so far of a stream."""
    items = [item for _, item in sorted(operation.items.items())]
    operation.items = {}
    calls = [item for item in items if item.tool_name is not None]
    operation.tool_calls = [str(call.tool_name) for call in calls] or None
    operation.tool_call_ids = [call.call_id for call in calls] or None
    parts = output_parts([_joined(item) for item in items]) if content.wanted() else []
    if parts:
        operation.output_messages = [messages.message("assistant", *parts)]


def _joined(item: StreamedItem) -> dict[str, Any]:
    """Return an item as far as it has come in."""
    fields = item.fields
    if item.is_done:
        return fields
    for (kind, _), pieces in sorted(item.pieces.items()):
        _, name, part_type = _PIECES[kind]
        text = "".join(pieces)
        if part_type is None:
            fields[name] = text
        else:
            text_field = "refusal" if part_type == "refusal" else "text"
            fields[name] = [*payload.as_list(fields.get(name)), {"type": part_type, text_field: text}]
    return fields


def _parse_fetch(body: dict[str, Any]) -> FetchedResponse:
    return FetchedResponse(response_id=payload.as_text(body.get("id")))


def _read_fetched(operation: FetchedResponse, response: Any) -> None:
    """Read a Response that was made before; the first one that brings its end counts as its answer."""
    operation.response_model = payload.get_text(response, "model")
    operation.response_status = payload.get_text(response, "status")
    operation.finish_reasons = _finish_reasons(response)
    if operation.response_status not in _FINAL_STATUSES:
        return
    answer = Response(response_id=operation.response_id)
    counted = usage(payload.get(response, "usage"))
    is_background = payload.get(response, "background") is True
    if not uncounted.count_fetched(operation, counted, is_background=is_background):
        return
    read_answer(answer, response)
    operation.billed_units, operation.reported_cost = answer.billed_units, answer.reported_cost
    operation.tool_calls, operation.error_type = answer.tool_calls, answer.error_type
    operation.tool_call_ids = answer.tool_call_ids
    operation.output_messages = answer.output_messages
    tier = answer.extra.get(semconv.OPENAI_RESPONSE_SERVICE_TIER)
    if tier not in (None, "default"):
        operation.price_context = {"service_tier": tier}


def _read_fetched_event(operation: FetchedResponse, event: Any) -> None:
    if payload.get(event, "type") in _FINAL_EVENTS:
        _read_fetched(operation, payload.get(event, "response"))


def _parse_compaction(body: dict[str, Any]) -> Response:
    operation = parse_request(body)
    operation.name = "compact"
    return operation


def _read_compaction(operation: Response, compaction: Any) -> None:
    """Read a CompactedResponse: the conversation in fewer tokens, and what it took to make that."""
    fields = payload.as_dict(compaction)
    read_header(operation, fields)
    read_usage(operation, fields.get("usage"))
    read_error(operation, fields)
    items = payload.get_list(compaction, "output")
    if items:
        operation.finish_reasons = ["compaction"]
    if content.wanted() and items:
        operation.output_messages = [output_message(operation, output_parts(items))]


def _parse_count_request(body: dict[str, Any]) -> ModelCall:
    return ModelCall("count_tokens", request_model=payload.as_text(body.get("model")))


def _read_count(operation: ModelCall, response: Any) -> None:
    """Read nothing but an error: what is counted is not used."""
    read_error(operation, payload.as_dict(response))


ENDPOINT = Endpoint(parse_request, read_response, read_event, finish)
COMPACT = Endpoint(_parse_compaction, _read_compaction)
COUNT = Endpoint(_parse_count_request, _read_count)
FETCH = Endpoint(_parse_fetch, _read_fetched, _read_fetched_event)
