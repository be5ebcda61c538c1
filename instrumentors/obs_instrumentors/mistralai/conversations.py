"""Conversations, which Mistral keeps: their inputs and outputs are entries, of which calls of tools are some."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_instrumentors.clients import speakeasy
from obs_instrumentors.wire.openai.chat_messages import tool_definition
from obs_instrumentors.wire.openai.common_fields import read_sampling
from obs_run.base import payload
from obs_run.core import content, messages, semconv
from obs_run.core.operations import Inference, Usage

from . import contents

if TYPE_CHECKING:
    from obs_run.core.messages import Message, Part


@dataclass
class Conversation(speakeasy.Sent, Inference):
    """One turn of a conversation; while it streams, what has come in so far."""

    name: str = "chat"
    calls: dict[str, list[str]] = field(default_factory=dict)
    """Name and pieces of the arguments of the calls of functions, by their ids."""
    pieces: list[Part] = field(default_factory=list)

    def sent(self, body: dict[str, Any]) -> None:
        """Read the request's final body."""
        model = self.request_model
        wishes = payload.get(body, "completion_args") or {}
        read_sampling(self, wishes)
        self.request_model = model
        self.seed = payload.as_int(wishes.get("random_seed"))
        kind = payload.get_text(wishes.get("response_format"), "type")
        self.output_type = None if kind is None else "json" if kind.startswith("json") else kind
        self.extra.update(agent(body))
        if content.wanted():
            instructions = payload.as_text(body.get("instructions"))
            self.system_instructions = None if instructions is None else [messages.text(instructions)]
            self.input_messages = _input_messages(body.get("inputs"))
            self.tool_definitions = [tool_definition(tool) for tool in payload.as_list(body.get("tools"))] or None


def agent(body: dict[str, Any]) -> dict[str, Any]:
    """Return which agent, that Mistral keeps, is asked."""
    agent_id = payload.as_text(body.get("agent_id"))
    return {} if agent_id is None else {semconv.AGENT_ID: agent_id}


def result(operation: Conversation, response: Any) -> None:
    """Read the answer of a turn."""
    _header(operation, response)
    entries = payload.get_list(response, "outputs")
    for entry in entries:
        operation.response_model = payload.get_text(entry, "model") or operation.response_model
    calls = [each for each in entries if payload.get(each, "type") == "function.call"]
    operation.tool_calls = [payload.get_text(each, "name") or "" for each in calls] or None
    operation.finish_reasons = ["tool_call"] if calls else None
    if content.wanted() and entries:
        parts = [part for each in entries for part in _parts(each)]
        operation.output_messages = [_answer(operation, parts)]


def event(operation: Conversation, piece: Any) -> None:
    """Read a piece of a turn's stream."""
    data = payload.get(piece, "data")
    _header(operation, data)
    operation.response_model = payload.get_text(data, "model") or operation.response_model
    kind = payload.get(data, "type")
    if kind == "function.call.delta":
        call_id = payload.get_text(data, "tool_call_id") or ""
        call = operation.calls.setdefault(call_id, [payload.get_text(data, "name") or ""])
        if content.wanted():
            call.append(payload.get_text(data, "arguments") or "")
    elif kind == "message.output.delta" and content.wanted():
        told = payload.get(data, "content")
        # A chunk comes by itself where it does not come as a list.
        _add(operation, told if isinstance(told, (str, list)) else [told])
    elif kind == "conversation.response.error":
        operation.error_type = str(payload.coalesce(payload.get(data, "code"), "_OTHER"))


def end(operation: Conversation) -> None:
    """Complete the operation from what has come in."""
    calls, operation.calls = operation.calls, {}
    operation.tool_calls = [call[0] for call in calls.values()] or None
    operation.finish_reasons = ["tool_call"] if calls else None
    made = [messages.tool_call(call_id, name, "".join(rest)) for call_id, (name, *rest) in calls.items()]
    if content.wanted() and (operation.pieces or made):
        operation.output_messages = [_answer(operation, [*operation.pieces, *made])]


def _answer(operation: Conversation, parts: list[Part]) -> Message:
    reason = operation.finish_reasons[0] if operation.finish_reasons else None
    return messages.message("assistant", *parts, finish_reason=reason)


def _header(operation: Conversation, told: Any) -> None:
    operation.conversation_id = payload.get_text(told, "conversation_id") or operation.conversation_id
    counts = payload.get(told, "usage")
    if counts is not None:
        operation.usage = _usage(speakeasy.known(counts)) or operation.usage


def _usage(told: dict[str, Any]) -> Usage | None:
    """Return the tokens of a turn; what Mistral's own tools gave the model is counted apart and is input too."""
    inputs = [payload.as_int(told.get(name)) for name in ("prompt_tokens", "connector_tokens")]
    known = [each for each in inputs if each is not None]
    read = Usage(
        input_tokens=sum(known) if known else None, output_tokens=payload.as_int(told.get("completion_tokens"))
    )
    return None if read == Usage() else read


def _add(operation: Conversation, told: Any) -> None:
    for part in contents.parts(told):
        last = operation.pieces[-1] if operation.pieces else {}
        if part["type"] in ("text", "reasoning") and part["type"] == last.get("type"):
            last["content"] += part["content"]
        else:
            operation.pieces.append(part)


def _input_messages(given: Any) -> list[Message] | None:
    if isinstance(given, str):
        return [messages.message("user", messages.text(given))]
    return [_input_message(entry) for entry in payload.as_list(given)] or None


def _input_message(entry: Any) -> Message:
    kind = payload.get_text(entry, "type")
    role = payload.get_text(entry, "role") or ("tool" if kind == "function.result" else "assistant")
    return messages.message(role, *_parts(entry))


def _parts(entry: Any) -> list[Part]:
    kind = payload.get_text(entry, "type") or "message.input"
    call_id = payload.as_text(payload.coalesce(payload.get(entry, "tool_call_id"), payload.get(entry, "id")))
    if kind.startswith("message."):
        return contents.parts(payload.get(entry, "content"))
    if kind == "function.result":
        return [messages.tool_call_response(call_id, messages.parsed(payload.get(entry, "result")))]
    name = payload.get_text(entry, "name") or ""
    if kind == "function.call":
        return [messages.tool_call(call_id, name, payload.get(entry, "arguments"))]
    if kind == "tool.execution":
        details = {"type": name, "arguments": messages.parsed(payload.get_text(entry, "arguments"))}
        return [{"type": "server_tool_call", "id": call_id, "name": name, "server_tool_call": details}]
    return [{"type": kind}]
