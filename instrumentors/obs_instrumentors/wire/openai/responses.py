"""The Responses API, whole and as typed events, and responses fetched later."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from obs_instrumentors.wire import billing, uncounted
from obs_instrumentors.wire.continuation import output_message
from obs_instrumentors.wire.endpoint import Endpoint
from obs_instrumentors.wire.failures import error_type, read_error, read_missing_answer
from obs_run.base import payload
from obs_run.core import content, messages, semconv
from obs_run.core.operations import FetchedResponse, Inference, ModelCall

from .common_fields import output_type, read_header, read_sampling, read_usage, usage
from .response_items import input_messages, output_parts, system_instructions, tool_definition, tool_name

_INCOMPLETE = {"max_output_tokens": "length", "max_tokens": "length"}
_FINAL_STATUSES = ("completed", "incomplete", "failed", "cancelled")
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
    _read_answer(operation, response)
    uncounted.note_answer(operation, is_over=operation.response_status in _FINAL_STATUSES)


def _read_answer(operation: Response, response: Any) -> None:
    fields = payload.as_dict(response)
    read_header(operation, fields)
    read_usage(operation, fields.get("usage"))
    _read_searches(operation, response)
    operation.conversation_id = operation.conversation_id or _conversation_id(response)
    operation.response_status = payload.get_text(response, "status")
    operation.finish_reasons = _finish_reasons(response)
    items = payload.get_list(response, "output")
    operation.tool_calls = _tool_names(items) or None
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
        operation.text_deltas = []
    elif kind in ("response.created", "response.queued"):
        read_header(operation, payload.as_dict(payload.get(event, "response")))
    elif kind == "response.output_item.added":
        name = tool_name(payload.get(event, "item"))
        if name is not None:
            operation.streamed_tool_calls.append(name)
    elif kind == "response.output_text.delta" and content.wanted():
        operation.text_deltas.append(payload.get_text(event, "delta") or "")
    elif kind == "error":
        # The code itself, or in an object around it.
        operation.error_type = error_type(payload.coalesce(payload.get(event, "error"), event))


def finish(operation: Response) -> None:
    """Keep what came in of a stream that did not reach its last event."""
    if operation.response_status is None:
        operation.tool_calls = operation.streamed_tool_calls or None
        if operation.text_deltas:
            part = messages.text("".join(operation.text_deltas))
            operation.output_messages = [messages.message("assistant", part)]
        uncounted.note_answer(operation, is_over=False)
    operation.text_deltas = []


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
    _read_answer(answer, response)
    operation.billed_units, operation.reported_cost = answer.billed_units, answer.reported_cost
    operation.tool_calls, operation.error_type = answer.tool_calls, answer.error_type
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
