"""Converse and ConverseStream, and Amazon Nova's own format, whose messages and answers are the same."""

from __future__ import annotations

from typing import Any

from obs_instrumentors.wire.token_counts import merge_usage
from obs_instrumentors.wire.tool_choice import is_forced
from obs_run.base import payload
from obs_run.core import content, semconv

from .answer import Answer, append_text, finish_reason, read_finish_reason, usage_of
from .converse_messages import message, parts, tool_definition, tool_results


def parse_request(params: dict[str, Any]) -> Answer:
    """Return the operation that a request means."""
    config = params.get("inferenceConfig")
    # What a model takes beside the common parameters, under the names of its own body.
    extra_fields = params.get("additionalModelRequestFields")
    top_k = payload.coalesce(
        payload.get(config, "topK"),
        payload.get(extra_fields, "top_k"),
        payload.get(extra_fields, "inferenceConfig", "topK"),
    )
    max_tokens = payload.coalesce(payload.get(config, "maxTokens"), payload.get(config, "max_new_tokens"))
    effort = payload.coalesce(
        payload.get(params, "outputConfig", "effort"),
        payload.get(extra_fields, "reasoning_effort"),
    )
    operation = Answer(
        "chat",
        temperature=payload.get_float(config, "temperature"),
        top_p=payload.get_float(config, "topP"),
        top_k=payload.as_int(top_k),
        max_tokens=payload.as_int(max_tokens),
        stop_sequences=payload.get_list(config, "stopSequences") or None,
        reasoning_level=payload.as_text(effort),
    )
    if payload.get(params, "outputConfig", "textFormat", "type") == "json_schema":
        operation.output_type = "json"
    guardrail = payload.get_text(params, "guardrailConfig", "guardrailIdentifier")
    if guardrail is not None:
        operation.extra[semconv.AWS_BEDROCK_GUARDRAIL_ID] = guardrail
    _read_tools(operation, params)
    if content.wanted():
        _read_content(operation, params)
    return operation


def _read_tools(operation: Answer, params: dict[str, Any]) -> None:
    """Have what a request says of tools read where somebody waits for it."""
    operation.tool_results = tool_results(params.get("messages"))
    tools = payload.get_list(params.get("toolConfig"), "tools")
    if tools:
        operation.offered_tools = (payload.get_text(tool, "toolSpec", "name") for tool in tools)
        # An object with one field, which is named by the kind of choice.
        choice = payload.get(params.get("toolConfig"), "toolChoice")
        operation.must_call_tool = any(is_forced(kind) for kind in payload.as_dict(choice))


def _read_content(operation: Answer, params: dict[str, Any]) -> None:
    operation.input_messages = [message(raw) for raw in payload.as_list(params.get("messages"))]
    operation.system_instructions = parts(params.get("system")) or None
    tools = [tool_definition(raw) for raw in payload.get_list(params.get("toolConfig"), "tools")]
    operation.tool_definitions = [tool for tool in tools if tool is not None] or None


def read_response(operation: Answer, response: Any) -> None:
    """Read a ConverseResponse."""
    output = payload.get(response, "output", "message")
    stop_reason = payload.get(response, "stopReason")
    read_finish_reason(operation, stop_reason)
    _read_metadata(operation, response)
    calls = [payload.get(block, "toolUse") for block in payload.get_list(output, "content")]
    calls = [call for call in calls if payload.get(call, "name")]
    operation.tool_calls = [str(payload.get(call, "name")) for call in calls] or None
    operation.tool_call_ids = [payload.get_text(call, "toolUseId") for call in calls] or None
    if content.wanted() and output is not None:
        operation.output_messages = [message(output, finish_reason(stop_reason))]


def read_event(operation: Answer, event: Any) -> None:
    """Read a ConverseStreamOutput: one field, named by the kind of event."""
    for kind, fields in event.items():
        read = _EVENT_READERS.get(kind)
        if read is not None:
            read(operation, fields)


def _read_block_start(operation: Answer, event: Any) -> None:
    tool = payload.get(event, "start", "toolUse")
    if tool is not None:
        block = operation.start_block(payload.get(event, "contentBlockIndex"), "tool")
        block.tool_name = payload.get_text(tool, "name")
        block.call_id = payload.get_text(tool, "toolUseId")


def _read_block_delta(operation: Answer, event: Any) -> None:
    delta = payload.get(event, "delta") or {}
    reasoning = payload.get(delta, "reasoningContent")
    # Blocks other than of tools have no event that starts them.
    block = operation.block(payload.get(event, "contentBlockIndex"), "text" if reasoning is None else "reasoning")
    text = payload.coalesce(delta.get("text"), payload.get(delta, "toolUse", "input"), payload.get(reasoning, "text"))
    append_text(block, text)


def _read_message_stop(operation: Answer, event: Any) -> None:
    read_finish_reason(operation, payload.get(event, "stopReason"))


def _read_metadata(operation: Answer, holder: Any) -> None:
    """Read usage, and the model that a prompt was routed to, from a response or the event that has them."""
    counts = payload.get(holder, "usage")
    usage = usage_of(
        payload.get(counts, "inputTokens"),
        payload.get(counts, "outputTokens"),
        # Nova's own format says "Count" where Converse does not.
        payload.coalesce(payload.get(counts, "cacheReadInputTokens"), payload.get(counts, "cacheReadInputTokenCount")),
        payload.coalesce(
            payload.get(counts, "cacheWriteInputTokens"), payload.get(counts, "cacheWriteInputTokenCount")
        ),
        payload.get(counts, "totalTokens"),
    )
    operation.usage = merge_usage(operation.usage, usage)
    routed = payload.get_text(holder, "trace", "promptRouter", "invokedModelId")
    operation.response_model = routed or operation.response_model


_EVENT_READERS = {
    "contentBlockStart": _read_block_start,
    "contentBlockDelta": _read_block_delta,
    "messageStop": _read_message_stop,
    "metadata": _read_metadata,
}
