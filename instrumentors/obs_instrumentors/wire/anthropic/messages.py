"""Anthropic's Messages API, whole and as events, its token counts and batches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from obs_instrumentors.wire.endpoint import Endpoint
from obs_run.base import payload
from obs_run.core import content, messages, semconv
from obs_run.core.operations import Inference, ModelCall, Usage

from . import blocks


@dataclass
class Answer(Inference):
    """A model's message; while it streams, what has come in so far."""

    name: str = "chat"
    blocks: dict[int, Block] = field(default_factory=dict)
    counts: dict[str, Any] = field(default_factory=dict)


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
# What a delta brings, by the field of the block that it continues.
_PIECES = {"text": "text", "thinking": "thinking", "partial_json": "input", "citation": "citations"}


def _begin(body: dict[str, Any]) -> Answer:
    operation = Answer()
    read_sampling(operation, body)
    operation.max_tokens = payload.as_int(body.get("max_tokens"))
    operation.reasoning_level = payload.get_text(body.get("output_config"), "effort")
    form = payload.coalesce(payload.get(body.get("output_config"), "format"), body.get("output_format"))
    operation.output_type = "json" if payload.get(form, "type") == "json_schema" else None
    if content.wanted():
        operation.system_instructions = blocks.parts(body.get("system")) or None
        operation.input_messages = [blocks.message(each) for each in payload.as_list(body.get("messages"))]
        operation.tool_definitions = [
            blocks.tool_definition(each) for each in payload.as_list(body.get("tools"))
        ] or None
    return operation


def read_sampling(operation: Inference, body: dict[str, Any]) -> None:
    """Read what messages and completions name alike."""
    operation.request_model = payload.as_text(body.get("model"))
    operation.temperature = payload.as_float(body.get("temperature"))
    operation.top_p = payload.as_float(body.get("top_p"))
    operation.top_k = payload.as_int(body.get("top_k"))
    stops = [text for text in payload.as_list(body.get("stop_sequences")) if isinstance(text, str)]
    operation.stop_sequences = stops or None


def _result(operation: Answer, response: Any) -> None:
    _read_header(operation, response)
    operation.counts.update(_known(payload.get(response, "usage")))
    _finish(operation, payload.get_list(response, "content"))


def _chunk(operation: Answer, event: Any) -> None:
    kind = payload.get(event, "type")
    if kind == "content_block_delta":
        block = operation.blocks.get(payload.get(event, "index"))
        if block is not None and content.wanted():
            _read_delta(block, payload.as_dict_or_self(payload.get(event, "delta")))
    elif kind == "content_block_start":
        start = payload.as_dict_or_self(payload.get(event, "content_block"))
        kept = start if content.wanted() else {name: start.get(name) for name in ("type", "name")}
        operation.blocks[payload.get(event, "index")] = Block({**kept})
    elif kind == "message_start":
        _read_header(operation, payload.get(event, "message"))
        operation.counts.update(_known(payload.get(event, "message", "usage")))
        # What stands there is a placeholder.
        operation.counts.pop("output_tokens", None)
        operation.usage = usage(operation.counts)
    elif kind == "message_delta":
        _read_reason(operation, payload.get(event, "delta"))
        operation.counts.update(_known(payload.get(event, "usage")))
        operation.usage = usage(operation.counts)


def _read_delta(block: Block, delta: Any) -> None:
    for name, target in _PIECES.items():
        piece = payload.get(delta, name)
        if piece:
            block.pieces.setdefault(target, []).append(piece)


def _end(operation: Answer) -> None:
    told = [_joined(block) for _, block in sorted(operation.blocks.items())]
    operation.blocks = {}
    _finish(operation, told)


def _joined(block: Block) -> dict[str, Any]:
    raw = block.start
    for name, pieces in block.pieces.items():
        if name == "citations":
            raw[name] = pieces
        else:
            said = "".join(map(str, [payload.as_text(raw.get(name)) or "", *pieces]))
            raw[name] = messages.parsed(said) if name == "input" else said
    return raw


def _finish(operation: Answer, told: list[Any]) -> None:
    operation.usage = usage(operation.counts)
    tier, speed = (payload.as_text(operation.counts.get(name)) for name in ("service_tier", "speed"))
    if tier is not None:
        operation.extra[semconv.ANTHROPIC_RESPONSE_SERVICE_TIER] = tier
    context = {"service_tier": tier, "speed": speed}
    operation.price_context = {key: word for key, word in context.items() if word and word != "standard"} or None
    called = [payload.get(each, "name") for each in told if payload.get(each, "type") == "tool_use"]
    operation.tool_calls = [name for name in called if isinstance(name, str)] or None
    if content.wanted() and told:
        reason = operation.finish_reasons[0] if operation.finish_reasons else None
        operation.output_messages = [messages.message("assistant", *blocks.parts(told), finish_reason=reason)]


def _read_header(operation: Answer, response: Any) -> None:
    operation.response_id = payload.get_text(response, "id") or operation.response_id
    operation.response_model = payload.get_text(response, "model") or operation.response_model
    _read_reason(operation, response)


def _read_reason(operation: Answer, told: Any) -> None:
    reason = payload.get_text(told, "stop_reason")
    if reason is not None:
        operation.finish_reasons = [FINISH_REASONS.get(reason, reason)]
        operation.extra[semconv.ANTHROPIC_STOP_REASON] = reason


def _known(told: Any) -> dict[str, Any]:
    fields = payload.as_dict_or_self(told)
    return {name: value for name, value in fields.items() if value is not None} if isinstance(fields, dict) else {}


def usage(told: dict[str, Any]) -> Usage | None:
    """Return the tokens of a message; Anthropic's own count of the input leaves the cache's out."""
    inputs = payload.as_int(told.get("input_tokens"))
    kinds = told.get("cache_creation")
    read, written = (payload.as_int(told.get(f"cache_{word}_input_tokens")) for word in ("read", "creation"))
    found = Usage(
        input_tokens=None if inputs is None else inputs + (read or 0) + (written or 0),
        output_tokens=payload.as_int(told.get("output_tokens")),
        cache_read_tokens=read,
        cache_write_tokens=written,
        cache_write_5m_tokens=payload.get_int(kinds, "ephemeral_5m_input_tokens"),
        cache_write_1h_tokens=payload.get_int(kinds, "ephemeral_1h_input_tokens"),
        reasoning_tokens=payload.get_int(told.get("output_tokens_details"), "thinking_tokens"),
    )
    return None if found == Usage() else found


def _begin_count(body: dict[str, Any]) -> ModelCall:
    return ModelCall("count_tokens", request_model=payload.as_text(body.get("model")))


def _begin_batch(body: dict[str, Any]) -> ModelCall:
    requests = payload.as_list(body.get("requests"))
    models = {payload.get(each, "params", "model") for each in requests}
    model = payload.as_text(models.pop()) if len(models) == 1 else None
    return ModelCall("create_batch", request_model=model, input_count=len(requests) or None)


def _no_answer(_operation: ModelCall, _response: Any) -> None:
    """Neither a count nor a batch that has just begun tells of tokens that were used."""


ENDPOINT = Endpoint(_begin, _result, _chunk, _end)
COUNT = Endpoint(_begin_count, _no_answer)
BATCH = Endpoint(_begin_batch, _no_answer)
