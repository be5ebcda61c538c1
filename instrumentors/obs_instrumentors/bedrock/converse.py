"""Converse and ConverseStream, and Amazon Nova's own format, whose messages and answers are the same."""

from __future__ import annotations

from typing import Any

from obs_run.base import payload
from obs_run.core import content, semconv

from .answer import Answer, add, counted, finish_reason, note_reason
from .converse_messages import message, part, tool_definition


def begin(params: dict[str, Any]) -> Answer:
    """Return the operation that a request means."""
    settings = params.get("inferenceConfig")
    more = params.get("additionalModelRequestFields")
    operation = Answer(
        "chat",
        temperature=payload.number(payload.field(settings, "temperature")),
        top_p=payload.number(payload.field(settings, "topP")),
        top_k=payload.whole(
            payload.first(
                payload.field(settings, "topK"),
                payload.field(more, "top_k"),
                payload.field(more, "inferenceConfig", "topK"),
            )
        ),
        max_tokens=payload.whole(
            payload.first(payload.field(settings, "maxTokens"), payload.field(settings, "max_new_tokens"))
        ),
        stop_sequences=payload.items(payload.field(settings, "stopSequences")) or None,
        output_type="json" if payload.field(params, "outputConfig", "textFormat", "type") == "json_schema" else None,
        reasoning_level=payload.text(
            payload.first(payload.field(params, "outputConfig", "effort"), payload.field(more, "reasoning_effort"))
        ),
    )
    guardrail = payload.text(payload.field(params, "guardrailConfig", "guardrailIdentifier"))
    if guardrail is not None:
        operation.extra[semconv.AWS_BEDROCK_GUARDRAIL_ID] = guardrail
    if content.wanted():
        operation.input_messages = [message(each) for each in payload.items(params.get("messages"))]
        operation.system_instructions = _parts(params.get("system")) or None
        tools = [tool_definition(each) for each in payload.items(payload.field(params, "toolConfig", "tools"))]
        operation.tool_definitions = [tool for tool in tools if tool is not None] or None
    return operation


def result(operation: Answer, response: Any) -> None:
    """Read an answer."""
    said = payload.field(response, "output", "message")
    note_reason(operation, payload.field(response, "stopReason"))
    _read_usage(operation, response)
    calls = [payload.field(each, "toolUse", "name") for each in payload.items(payload.field(said, "content"))]
    operation.tool_calls = [str(name) for name in calls if name] or None
    if content.wanted() and said is not None:
        operation.output_messages = [message(said, finish_reason(payload.field(response, "stopReason")))]


def chunk(operation: Answer, event: Any) -> None:
    """Read an event of a stream."""
    for kind, told in event.items():
        read = _EVENTS.get(kind)
        if read is not None:
            read(operation, told)


def _block_start(operation: Answer, told: Any) -> None:
    tool = payload.field(told, "start", "toolUse")
    if tool is not None:
        block = operation.block(payload.field(told, "contentBlockIndex"), "tool")
        block.tool, block.call_id = payload.text(tool.get("name")), payload.text(tool.get("toolUseId"))


def _block_delta(operation: Answer, told: Any) -> None:
    delta = payload.field(told, "delta") or {}
    thought = payload.field(delta, "reasoningContent")
    block = operation.block(payload.field(told, "contentBlockIndex"), "text" if thought is None else "reasoning")
    add(
        block,
        payload.first(delta.get("text"), payload.field(delta, "toolUse", "input"), payload.field(thought, "text")),
    )


def _message_stop(operation: Answer, told: Any) -> None:
    note_reason(operation, payload.field(told, "stopReason"))


def _read_usage(operation: Answer, told: Any) -> None:
    usage = payload.field(told, "usage")
    # Nova's own format says "Count" where Converse does not.
    read, written = (
        payload.first(payload.field(usage, name), payload.field(usage, name.replace("Tokens", "TokenCount")))
        for name in ("cacheReadInputTokens", "cacheWriteInputTokens")
    )
    inputs, outputs, total = (payload.field(usage, f"{name}Tokens") for name in ("input", "output", "total"))
    operation.usage = counted(inputs, outputs, read, written, total) or operation.usage
    routed = payload.text(payload.field(told, "trace", "promptRouter", "invokedModelId"))
    operation.response_model = routed or operation.response_model


def _parts(blocks: Any) -> list[Any]:
    return [made for each in payload.items(blocks) if (made := part(each)) is not None]


_EVENTS = {
    "contentBlockStart": _block_start,
    "contentBlockDelta": _block_delta,
    "messageStop": _message_stop,
    "metadata": _read_usage,
}
