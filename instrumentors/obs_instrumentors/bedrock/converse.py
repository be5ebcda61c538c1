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
        temperature=payload.get_float(settings, "temperature"),
        top_p=payload.get_float(settings, "topP"),
        top_k=payload.as_int(
            payload.coalesce(
                payload.get(settings, "topK"),
                payload.get(more, "top_k"),
                payload.get(more, "inferenceConfig", "topK"),
            )
        ),
        max_tokens=payload.as_int(
            payload.coalesce(payload.get(settings, "maxTokens"), payload.get(settings, "max_new_tokens"))
        ),
        stop_sequences=payload.get_list(settings, "stopSequences") or None,
        output_type="json" if payload.get(params, "outputConfig", "textFormat", "type") == "json_schema" else None,
        reasoning_level=payload.as_text(
            payload.coalesce(payload.get(params, "outputConfig", "effort"), payload.get(more, "reasoning_effort"))
        ),
    )
    guardrail = payload.get_text(params, "guardrailConfig", "guardrailIdentifier")
    if guardrail is not None:
        operation.extra[semconv.AWS_BEDROCK_GUARDRAIL_ID] = guardrail
    if content.wanted():
        operation.input_messages = [message(each) for each in payload.as_list(params.get("messages"))]
        operation.system_instructions = _parts(params.get("system")) or None
        tools = [tool_definition(each) for each in payload.get_list(params, "toolConfig", "tools")]
        operation.tool_definitions = [tool for tool in tools if tool is not None] or None
    return operation


def result(operation: Answer, response: Any) -> None:
    """Read an answer."""
    said = payload.get(response, "output", "message")
    note_reason(operation, payload.get(response, "stopReason"))
    _read_usage(operation, response)
    calls = [payload.get(each, "toolUse", "name") for each in payload.get_list(said, "content")]
    operation.tool_calls = [str(name) for name in calls if name] or None
    if content.wanted() and said is not None:
        operation.output_messages = [message(said, finish_reason(payload.get(response, "stopReason")))]


def chunk(operation: Answer, event: Any) -> None:
    """Read an event of a stream."""
    for kind, told in event.items():
        read = _EVENTS.get(kind)
        if read is not None:
            read(operation, told)


def _block_start(operation: Answer, told: Any) -> None:
    tool = payload.get(told, "start", "toolUse")
    if tool is not None:
        block = operation.block(payload.get(told, "contentBlockIndex"), "tool")
        block.tool, block.call_id = payload.as_text(tool.get("name")), payload.as_text(tool.get("toolUseId"))


def _block_delta(operation: Answer, told: Any) -> None:
    delta = payload.get(told, "delta") or {}
    thought = payload.get(delta, "reasoningContent")
    block = operation.block(payload.get(told, "contentBlockIndex"), "text" if thought is None else "reasoning")
    add(
        block,
        payload.coalesce(delta.get("text"), payload.get(delta, "toolUse", "input"), payload.get(thought, "text")),
    )


def _message_stop(operation: Answer, told: Any) -> None:
    note_reason(operation, payload.get(told, "stopReason"))


def _read_usage(operation: Answer, told: Any) -> None:
    usage = payload.get(told, "usage")
    # Nova's own format says "Count" where Converse does not.
    read, written = (
        payload.coalesce(payload.get(usage, name), payload.get(usage, name.replace("Tokens", "TokenCount")))
        for name in ("cacheReadInputTokens", "cacheWriteInputTokens")
    )
    inputs, outputs, total = (payload.get(usage, f"{name}Tokens") for name in ("input", "output", "total"))
    operation.usage = counted(inputs, outputs, read, written, total) or operation.usage
    routed = payload.get_text(told, "trace", "promptRouter", "invokedModelId")
    operation.response_model = routed or operation.response_model


def _parts(blocks: Any) -> list[Any]:
    return [made for each in payload.as_list(blocks) if (made := part(each)) is not None]


_EVENTS = {
    "contentBlockStart": _block_start,
    "contentBlockDelta": _block_delta,
    "messageStop": _message_stop,
    "metadata": _read_usage,
}
