"""Anthropic's Messages API, whole (``Message``) and as events (``RawMessageStreamEvent``), token counts and batches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from obs_instrumentors.wire import billing
from obs_instrumentors.wire.continuation import output_message
from obs_instrumentors.wire.endpoint import Endpoint
from obs_instrumentors.wire.failures import UNKNOWN, error_type, read_error, read_missing_answer
from obs_instrumentors.wire.plain import plain
from obs_instrumentors.wire.token_counts import sum_usages, usage_or_none
from obs_run.base import payload
from obs_run.base.json_text import from_exact_json
from obs_run.core import content, semconv
from obs_run.core.operations import Inference, ModelCall, Usage
from obs_run.core.sparse_dataclasses import sparse_dataclass

from . import blocks
from .tool_results import read_tools


@sparse_dataclass
class Answer(Inference):
    """A model's message; while it streams, what has come in so far."""

    name: str = "chat"
    blocks: dict[int, Block] = field(default_factory=dict)
    earlier_blocks: list[Block] = field(default_factory=list)
    """Blocks whose index a later one has too, as some servers give the same one to all."""
    counts: dict[str, Any] = field(default_factory=dict)
    """The usage as Anthropic tells it: later events of a stream repeat some counts and leave others out."""


@dataclass
class Block:
    """A content block of a stream: how it started, and its pieces while content is wanted."""

    start: dict[str, Any]
    pieces: dict[str, list[Any]] = field(default_factory=dict)


FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_call",
    "refusal": "content_filter",
}
_DELTA_FIELDS = {"partial_json": "input", "citation": "citations"}
"""Fields of deltas that have another name in the block that they continue."""
_NO_CONTENT = ("type", "signature")


def parse_request(body: dict[str, Any]) -> Answer:
    """Return the operation that a request means."""
    operation = Answer()
    read_sampling(operation, body)
    operation.max_tokens = payload.as_int(body.get("max_tokens"))
    output_config = body.get("output_config")
    operation.reasoning_level = payload.get_text(output_config, "effort")
    # The beta had the format beside the configuration that it stands in now.
    output_format = payload.coalesce(payload.get(output_config, "format"), body.get("output_format"))
    if payload.get(output_format, "type") == "json_schema":
        operation.output_type = "json"
    read_tools(operation, body)
    if content.wanted():
        operation.system_instructions = blocks.parts(body.get("system")) or None
        operation.input_messages = [blocks.message(raw) for raw in payload.as_list(body.get("messages"))]
        tools = payload.as_list(body.get("tools"))
        operation.tool_definitions = [blocks.tool_definition(tool) for tool in tools] or None
    return operation


def read_sampling(operation: Inference, body: dict[str, Any]) -> None:
    """Read what messages and completions name alike."""
    operation.request_model = payload.as_text(body.get("model"))
    operation.temperature = payload.as_float(body.get("temperature"))
    operation.top_p = payload.as_float(body.get("top_p"))
    operation.top_k = payload.as_int(body.get("top_k"))
    stops = [text for text in payload.as_list(body.get("stop_sequences")) if isinstance(text, str)]
    operation.stop_sequences = stops or None


def read_response(operation: Answer, response: Any) -> None:
    """Read a Message."""
    _read_header(operation, response)
    _update_counts(operation, payload.get(response, "usage"))
    _complete(operation, payload.get_list(response, "content"))
    fields = payload.as_dict(response)
    read_error(operation, fields)
    if fields.get("type") == "error":
        operation.error_type = operation.error_type or UNKNOWN
    read_missing_answer(operation, fields, "content")


def read_event(operation: Answer, event: Any) -> None:
    """Read a RawMessageStreamEvent into what came before it."""
    # Deltas first: nearly all events are.
    kind = payload.get(event, "type")
    if kind == "content_block_delta":
        block = operation.blocks.get(_place(event))
        if block is not None and content.wanted():
            _read_delta(block, payload.as_dict(payload.get(event, "delta")))
    elif kind == "content_block_start":
        _start_block(operation, event)
    elif kind == "message_start":
        _read_header(operation, payload.get(event, "message"))
        _update_counts(operation, payload.get(event, "message", "usage"))
        # What stands there is a placeholder.
        operation.counts.pop("output_tokens", None)
        operation.usage = usage(operation.counts)
    elif kind == "message_delta":
        _read_stop_reason(operation, payload.get(event, "delta"))
        _update_counts(operation, payload.get(event, "usage"))
        operation.usage = usage(operation.counts)
    elif kind == "error":
        operation.error_type = error_type(payload.get(event, "error")) or UNKNOWN


def _update_counts(operation: Answer, raw: Any) -> None:
    """Keep the counts of an event; one that leaves a count out, or has a zero in its place, takes nothing back."""
    for name, value in _set_fields(raw).items():
        if value != 0 or name not in operation.counts:
            operation.counts[name] = value


def _start_block(operation: Answer, event: Any) -> None:
    fields = payload.as_dict(payload.get(event, "content_block"))
    # That a tool is called, and which, is no content.
    start = {"type": fields.get("type"), "name": fields.get("name"), "id": fields.get("id")}
    if content.wanted():
        # Helpers of the client put the rest of the block into the same object.
        start = plain(fields)
    index = _place(event)
    if index in operation.blocks:
        operation.earlier_blocks.append(operation.blocks[index])
    operation.blocks[index] = Block(start)


def _place(event: Any) -> int:
    """Return the place of a block; what leaves it out, or has no number there, is one block after the other."""
    return payload.get_int(event, "index") or 0


def _read_delta(block: Block, delta: dict[str, Any]) -> None:
    for name, piece in delta.items():
        if piece and name not in _NO_CONTENT:
            block.pieces.setdefault(_DELTA_FIELDS.get(name, name), []).append(plain(piece))


def finish(operation: Answer) -> None:
    """Complete the operation from the blocks that have streamed."""
    started = [block for _, block in sorted(operation.blocks.items())]
    raw_blocks = [_join_block(block) for block in (*operation.earlier_blocks, *started)]
    operation.blocks, operation.earlier_blocks = {}, []
    _complete(operation, raw_blocks)


def _join_block(block: Block) -> dict[str, Any]:
    """Return a block as it would have come whole."""
    raw = block.start
    for name, pieces in block.pieces.items():
        if not all(isinstance(piece, str) for piece in pieces):
            raw[name] = pieces
            continue
        beginning = payload.as_text(raw.get(name)) or ""
        text = beginning + "".join(pieces)
        # A tool's input starts as an empty object and comes as pieces of JSON.
        raw[name] = from_exact_json(text) if name == "input" else text
    return raw


def _complete(operation: Answer, raw_blocks: list[Any]) -> None:
    operation.usage = usage(operation.counts)
    _read_iterations(operation)
    billing.read_units(operation, operation.counts)
    billing.read_cost(operation, operation.counts)
    _read_price_context(operation)
    calls = [block for block in raw_blocks if payload.get(block, "type") == "tool_use"]
    calls = [call for call in calls if isinstance(payload.get(call, "name"), str)]
    operation.tool_calls = [payload.get(call, "name") for call in calls] or None
    operation.tool_call_ids = [payload.get_text(call, "id") for call in calls] or None
    if content.wanted() and raw_blocks:
        operation.output_messages = [output_message(operation, blocks.parts(raw_blocks))]


def _read_iterations(operation: Answer) -> None:
    """Read the usage of a call that was several: a compaction's and an advisor's are in no other count.

    Each has its own model, and a price of its own.
    """
    calls: list[tuple[str | None, Usage]] = []
    for raw in payload.as_list(operation.counts.get("iterations")):
        call_usage = usage(_set_fields(raw))
        if call_usage is not None:
            calls.append((payload.get_text(raw, "model"), call_usage))
    total = sum_usages([call_usage for _, call_usage in calls])
    if total is None or operation.usage is None:
        return
    if (total.input_tokens or 0) < (operation.usage.input_tokens or 0):
        # Not all of them are told.
        return
    total.reasoning_tokens = operation.usage.reasoning_tokens
    operation.usage = total
    operation.billed_calls = calls


def _read_price_context(operation: Answer) -> None:
    """Read what the price depends on beside model and tokens."""
    tier = payload.as_text(operation.counts.get("service_tier"))
    speed = payload.as_text(operation.counts.get("speed"))
    if tier is not None:
        operation.extra[semconv.ANTHROPIC_RESPONSE_SERVICE_TIER] = tier
    context: dict[str, str] = {}
    if tier is not None and tier != "standard":
        context["service_tier"] = tier
    if speed is not None and speed != "standard":
        context["speed"] = speed
    operation.price_context = context or None


def _read_header(operation: Answer, response: Any) -> None:
    operation.response_id = payload.get_text(response, "id") or operation.response_id
    operation.response_model = payload.get_text(response, "model") or operation.response_model
    _read_stop_reason(operation, response)


def _read_stop_reason(operation: Answer, raw: Any) -> None:
    reason = payload.get_text(raw, "stop_reason")
    if reason is not None:
        operation.finish_reasons = [FINISH_REASONS.get(reason, reason)]
        operation.extra[semconv.ANTHROPIC_STOP_REASON] = reason


def _set_fields(raw: Any) -> dict[str, Any]:
    """Return the fields that have a value: a null says that the event does not tell it."""
    fields = payload.as_dict_or_self(raw)
    if not isinstance(fields, dict):
        return {}
    return {name: value for name, value in fields.items() if value is not None}


def usage(counts: dict[str, Any]) -> Usage | None:
    """Return the tokens of a message; Anthropic's own count of the input leaves the cache's out."""
    input_tokens = payload.as_int(counts.get("input_tokens"))
    cache_read = payload.as_int(counts.get("cache_read_input_tokens"))
    cache_write = payload.as_int(counts.get("cache_creation_input_tokens"))
    if input_tokens is not None:
        input_tokens += (cache_read or 0) + (cache_write or 0)
    cache_writes = counts.get("cache_creation")
    result = Usage(
        input_tokens=input_tokens,
        output_tokens=payload.as_int(counts.get("output_tokens")),
        cache_read_tokens=cache_read,
        cache_write_tokens=cache_write,
        cache_write_5m_tokens=payload.get_int(cache_writes, "ephemeral_5m_input_tokens"),
        cache_write_1h_tokens=payload.get_int(cache_writes, "ephemeral_1h_input_tokens"),
        reasoning_tokens=payload.get_int(counts.get("output_tokens_details"), "thinking_tokens"),
    )
    return usage_or_none(result)


def _parse_count_request(body: dict[str, Any]) -> ModelCall:
    return ModelCall("count_tokens", request_model=payload.as_text(body.get("model")))


def _parse_batch_request(body: dict[str, Any]) -> ModelCall:
    requests = payload.as_list(body.get("requests"))
    models = {payload.get(request, "params", "model") for request in requests}
    # A batch of several models has none to be named by.
    model = payload.as_text(models.pop()) if len(models) == 1 else None
    return ModelCall("create_batch", request_model=model, input_count=len(requests) or None)


def _read_nothing(_operation: ModelCall, _response: Any) -> None:
    """Neither a count nor a batch that has just begun tells of tokens that were used."""


ENDPOINT = Endpoint(parse_request, read_response, read_event, finish)
COUNT = Endpoint(_parse_count_request, _read_nothing)
BATCH = Endpoint(_parse_batch_request, _read_nothing)
