"""Conversations, which Mistral keeps: their inputs and outputs are entries, of which calls of tools are some."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_instrumentors.clients import speakeasy
from obs_instrumentors.wire import billing
from obs_instrumentors.wire.continuation import append_part, output_message
from obs_instrumentors.wire.openai.chat_messages import tool_definition
from obs_instrumentors.wire.openai.chat_tools import tool_names
from obs_instrumentors.wire.openai.common_fields import output_type, read_sampling
from obs_instrumentors.wire.plain import plain, unknown_part
from obs_instrumentors.wire.token_counts import merge_usage, sum_counts, usage_or_none
from obs_run.base import payload
from obs_run.core import content, messages, semconv
from obs_run.core.operations import Inference, ToolResult, Usage

from . import contents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.core.messages import Message, Part


@dataclass
class StreamedCall:
    """The call of a function that streams; its arguments are kept only while content is wanted."""

    name: str
    arguments: list[str] = field(default_factory=list)


@dataclass
class Conversation(speakeasy.SentOperation, Inference):
    """One turn of a conversation; while it streams, what has come in so far."""

    name: str = "chat"
    streamed_calls: dict[str, StreamedCall] = field(default_factory=dict)
    """By the id of the call."""
    streamed_parts: list[Part] = field(default_factory=list)

    def read_tools(self, arguments: dict[str, Any]) -> None:
        """Have what the call says of tools read where somebody waits for it."""
        self.tool_results = _tool_results(arguments.get("inputs"))
        self.offered_tools = tool_names(arguments.get("tools"))

    def read_request(self, body: dict[str, Any]) -> None:
        """Read the request's final body."""
        # The model stands beside the completion's arguments, and was read already.
        model = self.request_model
        arguments = payload.get(body, "completion_args") or {}
        read_sampling(self, arguments)
        self.request_model = model
        self.seed = payload.as_int(arguments.get("random_seed"))
        self.output_type = output_type(arguments.get("response_format"))
        self.extra.update(agent_attributes(body))
        if content.wanted():
            instructions = payload.as_text(body.get("instructions"))
            if instructions is not None:
                self.system_instructions = [messages.text(instructions)]
            self.input_messages = _input_messages(body.get("inputs"))
            self.tool_definitions = [tool_definition(tool) for tool in payload.as_list(body.get("tools"))] or None


def agent_attributes(body: dict[str, Any]) -> dict[str, Any]:
    """Return which agent, that Mistral keeps, is asked."""
    agent_id = payload.as_text(body.get("agent_id"))
    return {} if agent_id is None else {semconv.AGENT_ID: agent_id}


def read_response(operation: Conversation, response: Any) -> None:
    """Read a ConversationResponse."""
    _read_header(operation, response)
    entries = payload.get_list(response, "outputs")
    calls: list[tuple[str | None, str]] = []
    for entry in entries:
        operation.response_model = payload.get_text(entry, "model") or operation.response_model
        if payload.get(entry, "type") == "function.call":
            calls.append((payload.get_text(entry, "tool_call_id"), payload.get_text(entry, "name") or ""))
    _set_tool_calls(operation, calls)
    if content.wanted() and entries:
        parts: list[Part] = []
        for entry in entries:
            parts += _parts(entry)
        operation.output_messages = [output_message(operation, parts)]


def _set_tool_calls(operation: Conversation, calls: list[tuple[str | None, str]]) -> None:
    """Note the functions that the model asks for; it is all that a turn tells of why it ended."""
    operation.tool_calls = [name for _, name in calls] or None
    operation.tool_call_ids = [call_id for call_id, _ in calls] or None
    operation.finish_reasons = ["tool_call"] if calls else None


def _tool_results(entries: Any) -> Iterator[ToolResult]:
    """Go through what tools gave, the newest first; what was before the last turn Mistral keeps itself."""
    for entry in reversed(payload.as_list(entries)):
        if payload.get(entry, "type") == "function.result":
            result = payload.get(entry, "result") if content.wanted() else None
            yield ToolResult(payload.get_text(entry, "tool_call_id"), result=result)


def read_event(operation: Conversation, event: Any) -> None:
    """Read a ConversationEvents, whose data tell its kind."""
    data = payload.get(event, "data")
    _read_header(operation, data)
    operation.response_model = payload.get_text(data, "model") or operation.response_model
    kind = payload.get(data, "type")
    if kind == "function.call.delta":
        _read_call_delta(operation, data)
    elif kind == "message.output.delta" and content.wanted():
        raw_content = payload.get(data, "content")
        # A chunk comes by itself where it does not come as a list.
        if not isinstance(raw_content, (str, list)):
            raw_content = [raw_content]
        for part in contents.parts(raw_content):
            append_part(operation.streamed_parts, part)
    elif kind == "conversation.response.error":
        operation.error_type = str(payload.coalesce(payload.get(data, "code"), "_OTHER"))


def _read_call_delta(operation: Conversation, data: Any) -> None:
    call_id = payload.get_text(data, "tool_call_id") or ""
    call = operation.streamed_calls.get(call_id)
    if call is None:
        call = operation.streamed_calls[call_id] = StreamedCall(payload.get_text(data, "name") or "")
    if content.wanted():
        call.arguments.append(payload.get_text(data, "arguments") or "")


def finish(operation: Conversation) -> None:
    """Complete the operation from what has come in."""
    calls, operation.streamed_calls = operation.streamed_calls, {}
    _set_tool_calls(operation, [(call_id or None, call.name) for call_id, call in calls.items()])
    if not content.wanted():
        return
    parts = [*operation.streamed_parts]
    for call_id, call in calls.items():
        parts.append(messages.tool_call(call_id, call.name, "".join(call.arguments)))
    if parts:
        operation.output_messages = [output_message(operation, parts)]


def _read_header(operation: Conversation, response: Any) -> None:
    operation.conversation_id = payload.get_text(response, "conversation_id") or operation.conversation_id
    raw_usage = payload.get(response, "usage")
    if raw_usage is not None:
        operation.usage = merge_usage(operation.usage, _usage(speakeasy.sent_fields(raw_usage)))
        connectors = payload.as_dict(payload.get(raw_usage, "connectors"))
        searches = [payload.as_int(count) for name, count in connectors.items() if name.startswith("web_search")]
        billing.add_units(operation, "web_searches", sum_counts(searches))


def _usage(counts: dict[str, Any]) -> Usage | None:
    """Return the tokens of a turn; what Mistral's own tools gave the model is counted apart and is input too."""
    inputs = [payload.as_int(counts.get(name)) for name in ("prompt_tokens", "connector_tokens")]
    usage = Usage(
        input_tokens=sum_counts(inputs),
        output_tokens=payload.as_int(counts.get("completion_tokens")),
    )
    return usage_or_none(usage)


def _input_messages(value: Any) -> list[Message] | None:
    if isinstance(value, str):
        return [messages.message("user", messages.text(value))]
    return messages.join_answers(_input_message(entry) for entry in payload.as_list(value)) or None


def _input_message(entry: Any) -> Message:
    role = payload.get_text(entry, "role")
    if role is None:
        # Only messages have a role: results of functions are the agent's, everything else was the model's before.
        role = "tool" if payload.get(entry, "type") == "function.result" else "assistant"
    return messages.message(role, *_parts(entry))


def _parts(entry: Any) -> list[Part]:
    kind = payload.get_text(entry, "type") or "message.input"
    if kind.startswith("message."):
        return contents.parts(payload.get(entry, "content"))
    call_id = payload.as_text(payload.coalesce(payload.get(entry, "tool_call_id"), payload.get(entry, "id")))
    if kind == "function.result":
        return [messages.tool_call_response(call_id, payload.get(entry, "result"))]
    name = payload.get_text(entry, "name") or ""
    if kind == "function.call":
        return [messages.tool_call(call_id, name, payload.get(entry, "arguments"))]
    if kind == "tool.execution":
        # A tool that Mistral runs itself, such as a search of the web.
        call = {"type": name, "arguments": payload.get_text(entry, "arguments")}
        info = plain(payload.as_dict(payload.get(entry, "info")))
        if info:
            # What the tool says of itself, such as the code that was run.
            call["info"] = info
        return [{"type": "server_tool_call", "id": call_id, "name": name, "server_tool_call": call}]
    return [unknown_part(entry, kind)]
