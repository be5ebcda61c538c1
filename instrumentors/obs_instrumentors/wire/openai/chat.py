"""Chat completions, whole and in chunks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from obs_instrumentors.wire.endpoint import Endpoint
from obs_run.base import payload
from obs_run.core import content, messages, semconv
from obs_run.core.operations import Inference

from .chat_messages import chat_message, tool_definition
from .common_fields import read_header, read_sampling, usage


@dataclass
class Chat(Inference):
    """A chat completion; while it streams, what has come in so far."""

    name: str = "chat"
    asked_for_usage: bool = False
    """Whether we asked for usage that the agent did not ask for."""
    told_usage_option: bool = False
    """Whether the agent says itself that it wants usage."""
    answers: dict[int, Answer] = field(default_factory=dict)
    heard: str | None = None
    """The id of the chunk before; the rest of a chunk's head changes with it, or at the end."""


@dataclass
class Answer:
    """One choice of a stream; texts are kept only while content is wanted."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    tools: dict[int, Tool] = field(default_factory=dict)
    finish_reason: str | None = None


@dataclass
class Tool:
    """A tool call of a stream: its name comes first, its arguments in pieces."""

    name: str = ""
    call_id: str | None = None
    arguments: list[str] = field(default_factory=list)


_FINISH_REASONS = {"tool_calls": "tool_call", "function_call": "tool_call"}
_TEXTS = ("reasoning_content", "reasoning", "content", "refusal")


def finish_reason(told: Any) -> str:
    """Return a finish reason as the conventions call it."""
    reason = payload.as_text(told)
    return "error" if reason is None else _FINISH_REASONS.get(reason, reason)


def _begin(body: dict[str, Any]) -> Chat:
    operation = Chat(extra={semconv.OPENAI_API_TYPE: "chat_completions"})
    read_sampling(operation, body)
    operation.reasoning_level = payload.as_text(body.get("reasoning_effort"))
    operation.output_type = _output_type(body)
    operation.told_usage_option = bool(payload.get(body.get("stream_options"), "include_usage"))
    if content.wanted():
        operation.input_messages = [chat_message(each) for each in payload.as_list(body.get("messages"))]
        tools = [*payload.as_list(body.get("tools")), *payload.as_list(body.get("functions"))]
        operation.tool_definitions = [tool_definition(tool) for tool in tools] or None
    return operation


def _output_type(body: dict[str, Any]) -> str | None:
    if "audio" in payload.as_list(body.get("modalities")):
        return "speech"
    kind = payload.get_text(body.get("response_format"), "type")
    return None if kind is None else "json" if kind.startswith("json") else kind


def _result(operation: Chat, response: Any) -> None:
    told = payload.as_dict(response)
    read_header(operation, told)
    operation.usage = usage(told.get("usage"))
    choices = [payload.as_dict(each) for each in payload.as_list(told.get("choices"))]
    operation.finish_reasons = [finish_reason(each.get("finish_reason")) for each in choices] or None
    answers = [payload.as_dict(each.get("message")) for each in choices]
    operation.tool_calls = [name for each in answers for name in _tool_names(each)] or None
    if content.wanted():
        operation.output_messages = [
            chat_message(answer, finish_reason(each.get("finish_reason")))
            for each, answer in zip(choices, answers, strict=True)
        ]


def _tool_names(message: dict[str, Any]) -> list[str]:
    calls = payload.as_list(message.get("tool_calls"))
    named = [payload.coalesce(payload.get(call, "function"), payload.get(call, "custom")) for call in calls]
    named.append(message.get("function_call"))
    return [name for each in named if (name := payload.get_text(each, "name")) is not None]


def _chunk(operation: Chat, chunk: Any) -> None:
    told = payload.as_dict(chunk)
    used, identity = told.get("usage"), told.get("id")
    if used is not None or identity is None or identity != operation.heard:
        operation.heard = identity
        read_header(operation, told)
    if used is None and "x_groq" in told:
        used = payload.get(told["x_groq"], "usage")
    if used is not None:
        operation.usage = usage(used)
        if operation.asked_for_usage:
            operation.usage_source = "requested"
    problem = told.get("error")
    if problem is not None:
        # Some clients of the family hand an error event to the agent as a chunk.
        operation.error_type = payload.get_text(problem, "code") or "_OTHER"
    choices = told.get("choices")
    for each in choices if type(choices) is list else payload.as_list(choices):
        choice = payload.as_dict(each)
        index = choice.get("index") or 0
        answer = operation.answers.get(index)
        if answer is None:
            answer = operation.answers[index] = Answer()
        _read_choice(answer, choice)


def _hides(operation: Chat, chunk: Any) -> bool:
    """Whether the chunk is there only because we asked for usage; others lose the null that came with them."""
    if not operation.asked_for_usage:
        return False
    told = payload.as_dict(chunk)
    if told.get("usage") is not None:
        return not told.get("choices")
    names = payload.get(chunk, "model_fields_set")
    if isinstance(names, set):
        names.discard("usage")
    return False


def _read_choice(answer: Answer, choice: dict[str, Any]) -> None:
    reason = choice.get("finish_reason")
    if reason is not None:
        answer.finish_reason = payload.as_text(reason) or answer.finish_reason
    delta = payload.as_dict(choice.get("delta"))
    wanted = content.wanted()
    if wanted:
        for name in _TEXTS:
            text = delta.get(name)
            if text and isinstance(text, str):
                answer.texts.setdefault(name, []).append(text)
    # Most chunks bring a piece of text alone.
    calls = delta.get("tool_calls")
    for position, call in enumerate(payload.as_list(calls)) if calls else ():
        # Together's client reads the index as a float.
        index = payload.get_float(call, "index")
        _read_tool(answer.tools.setdefault(position if index is None else int(index), Tool()), call, wanted=wanted)
    function = delta.get("function_call")
    if function is not None:
        _read_tool(answer.tools.setdefault(-1, Tool()), {"function": function}, wanted=wanted)


def _read_tool(tool: Tool, call: Any, *, wanted: bool) -> None:
    function = payload.coalesce(payload.get(call, "function"), payload.get(call, "custom"))
    tool.name = payload.get_text(function, "name") or tool.name
    tool.call_id = payload.get_text(call, "id") or tool.call_id
    piece = payload.as_text(payload.coalesce(payload.get(function, "arguments"), payload.get(function, "input")))
    if wanted and piece is not None:
        tool.arguments.append(piece)


def _end(operation: Chat) -> None:
    answers = [answer for _, answer in sorted(operation.answers.items())]
    operation.answers = {}
    if any(answer.finish_reason for answer in answers):
        operation.finish_reasons = [finish_reason(answer.finish_reason) for answer in answers]
    operation.tool_calls = [tool.name for answer in answers for tool in answer.tools.values() if tool.name] or None
    if content.wanted() and answers:
        operation.output_messages = [_message(answer) for answer in answers]


def _message(answer: Answer) -> messages.Message:
    raw: dict[str, Any] = {name: "".join(pieces) for name, pieces in answer.texts.items()}
    raw["tool_calls"] = [
        {"id": tool.call_id, "function": {"name": tool.name, "arguments": "".join(tool.arguments)}}
        for tool in answer.tools.values()
    ]
    reason = None if answer.finish_reason is None else finish_reason(answer.finish_reason)
    return chat_message({"role": "assistant", **raw}, reason)


ENDPOINT = Endpoint(_begin, _result, _chunk, _end, _hides)


def _compatible_begin(body: dict[str, Any]) -> Chat:
    operation = _begin(body)
    operation.extra = {}
    return operation


def _compatible_result(operation: Chat, response: Any) -> None:
    known = operation.usage
    _result(operation, response)
    operation.usage = operation.usage or known
    _forget_openai(operation)


def _compatible_end(operation: Chat) -> None:
    if operation.answers:
        _end(operation)
    _forget_openai(operation)


def _forget_openai(operation: Chat) -> None:
    operation.extra = {name: value for name, value in operation.extra.items() if not name.startswith("openai.")}


COMPATIBLE = Endpoint(_compatible_begin, _compatible_result, _chunk, _compatible_end)
"""The same format in libraries of other makers: without the attributes that are OpenAI's own."""
