"""Model calls by the ``create`` of a ``ChatCompletionClient``, where the provider's client does not tell of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.class_names import by_class
from obs_instrumentors.wire.continuation import note_tool_calls
from obs_instrumentors.wire.token_counts import counted
from obs_run.base import payload
from obs_run.core import content, messages
from obs_run.core.framework_calls import FrameworkInference
from obs_run.core.operations import Usage
from obs_run.core.operations.tools import ToolResult
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.core.messages import Message, Part, ToolDefinition
    from obs_run.core.outcomes import Call

_PROVIDERS = {
    "AnthropicBedrockChatCompletionClient": "aws.bedrock",
    "AzureAIChatCompletionClient": "azure.ai.inference",
    "AzureOpenAIChatCompletionClient": "azure.ai.openai",
    "BaseAnthropicChatCompletionClient": "anthropic",
    "BaseOllamaChatCompletionClient": "ollama",
    "BaseOpenAIChatCompletionClient": "openai",
    "LlamaCppChatCompletionClient": "llama_cpp",
}
"""By the names of the library's classes, of which users derive their own."""
_UNKNOWN_PROVIDER = "autogen"
_ROLES = {"SystemMessage": "system", "AssistantMessage": "assistant", "FunctionExecutionResultMessage": "tool"}
_FINISH_REASONS = {"function_calls": "tool_call", "unknown": None}


def model_of(client: Any) -> str | None:
    """Return the model that a client asks."""
    return payload.get_text(client, "_create_args", "model") or payload.get_text(client, "_raw_config", "model")


def start_chat(call: Call) -> tuple[FrameworkInference, Reader[Any]]:
    """Read the call of ``create``."""
    return _chat(call), Reader(_read_answer)


def start_chat_stream(call: Call) -> tuple[FrameworkInference, Reader[Any]]:
    """Read the call of ``create_stream``, whose last piece is the answer."""
    return _chat(call), Reader(_read_answer, chunk=_read_piece, lazy=True)


def _chat(call: Call) -> FrameworkInference:
    client = call.instance
    options = {**payload.as_dict(payload.get(client, "_create_args")), **(call.kwargs.get("extra_create_args") or {})}
    operation = FrameworkInference(
        "chat",
        provider=by_class(client, _PROVIDERS, _UNKNOWN_PROVIDER),
        request_model=model_of(client),
        temperature=payload.get_float(options, "temperature"),
        top_p=payload.get_float(options, "top_p"),
        max_tokens=payload.get_int(options, "max_tokens"),
        seed=payload.get_int(options, "seed"),
    )
    said = payload.as_list(call.argument(0, "messages"))
    operation.tool_results = _tool_results(said)
    if content.wanted():
        operation.input_messages = [_message(each) for each in said]
        operation.tool_definitions = [_tool(each) for each in payload.as_list(call.kwargs.get("tools"))] or None
    return operation


def _tool_results(said: list[Any]) -> Iterator[ToolResult]:
    """Go through the results after the model's last answer, the newest first."""
    for message in reversed(said):
        kind = payload.get_text(message, "type")
        results = payload.get_list(message, "content") if kind == "FunctionExecutionResultMessage" else []
        for each in reversed(results):
            result = payload.get(each, "content") if content.wanted() else None
            is_error = payload.get(each, "is_error") is True
            yield ToolResult(payload.get_text(each, "call_id"), payload.get_text(each, "name"), is_error, result)
        if kind == "AssistantMessage":
            return


def _read_piece(operation: Any, piece: Any) -> None:
    if not isinstance(piece, str):
        _read_answer(operation, piece)


def _read_answer(operation: Any, answer: Any) -> None:
    """Read a ``CreateResult``, unless the provider's client told of the call."""
    if not isinstance(operation, FrameworkInference):
        return
    operation.usage = _usage(answer)
    calls = payload.as_list(payload.get(answer, "content"))
    note_tool_calls(operation, [(payload.get_text(call, "id"), str(payload.get(call, "name"))) for call in calls])
    reason = payload.get_text(answer, "finish_reason")
    reason = _FINISH_REASONS.get(reason, reason) if reason else None
    operation.finish_reasons = None if reason is None else [reason]
    if content.wanted():
        said = messages.message("assistant", *_parts(answer), finish_reason=reason)
        operation.output_messages = [said]


def _usage(answer: Any) -> Usage | None:
    """Return what the call used; what comes from a cache costs nothing, and zeros are what nobody counted."""
    if payload.get(answer, "cached") is True:
        return None
    counts = payload.get(answer, "usage")
    return counted(Usage(payload.get_int(counts, "prompt_tokens"), payload.get_int(counts, "completion_tokens")))


def _message(said: Any) -> Message:
    role = _ROLES.get(payload.get_text(said, "type") or "", "user")
    return messages.message(role, *_parts(said))


def _parts(said: Any) -> list[Part]:
    thought = payload.get_text(said, "thought")
    thoughts = [] if thought is None else [messages.reasoning(thought)]
    contents = payload.get(said, "content")
    return thoughts + [_part(each) for each in (contents if isinstance(contents, list) else [contents])]


def _part(said: Any) -> Part:
    """Return a text, a ``FunctionCall``, a ``FunctionExecutionResult``, or an ``Image``."""
    if isinstance(said, str):
        return messages.text(said)
    call_id = payload.get_text(said, "call_id")
    if call_id is not None:
        return messages.tool_call_response(call_id, payload.get(said, "content"))
    arguments = payload.get(said, "arguments")
    if arguments is not None:
        return messages.tool_call(payload.get_text(said, "id"), str(payload.get(said, "name")), arguments)
    return {"type": type(said).__name__.lower()}


def _tool(raw: Any) -> ToolDefinition:
    """Return a ``Tool`` or its schema; of a tool the parameters would have to be made."""
    return messages.tool_definition(
        payload.get_text(raw, "name") or "", payload.get_text(raw, "description"), payload.get(raw, "parameters")
    )
