"""Model calls by the services' own functions, where the provider's client does not tell of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.continuation import note_tool_calls
from obs_instrumentors.wire.token_counts import counted
from obs_run.base import payload
from obs_run.core import content, messages
from obs_run.core.framework_calls import FrameworkInference
from obs_run.core.operations import Usage
from obs_run.core.operations.tools import ToolResult
from obs_run.core.outcomes import Reader
from obs_run.core.streams import wrap_async_call, wrap_call

from .contents import as_text, call_id_of, message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.core.outcomes import Call

_PROVIDERS = {
    "bedrock": "aws.bedrock",
    "googleai": "gcp.gemini",
    "mistralai": "mistral_ai",
    "vertexai": "gcp.vertex_ai",
}
"""What the library calls those that the conventions call something else."""
_UNKNOWN_PROVIDER = "semantic_kernel"
_TOOL_CALL = "tool_call"


@dataclass(eq=False, repr=False)
class _Inference(FrameworkInference):
    """A model call, and of a stream what has come in."""

    pieces: list[Any] = field(default_factory=list)


def start_chat(call: Call) -> tuple[FrameworkInference, Reader[Any]]:
    """Read the call of ``_inner_get_chat_message_contents``."""
    return _chat(call), Reader(_read_answers)


def start_chat_stream(call: Call) -> tuple[FrameworkInference, Reader[Any]]:
    """Read the call of ``_inner_get_streaming_chat_message_contents``."""
    return _chat(call), Reader(_read_answers, chunk=_read_piece, end=_read_pieces, lazy=True)


def start_text(call: Call) -> tuple[FrameworkInference, Reader[Any]]:
    """Read the call of ``_inner_get_text_contents``."""
    return _text(call), Reader(_read_texts)


def start_text_stream(call: Call) -> tuple[FrameworkInference, Reader[Any]]:
    """Read the call of ``_inner_get_streaming_text_contents``."""
    return _text(call), Reader(_read_texts, chunk=_read_piece, end=_read_text_pieces, lazy=True)


CHAT = wrap_async_call(start_chat)
CHAT_STREAM = wrap_call(start_chat_stream)
TEXT = wrap_async_call(start_text)
TEXT_STREAM = wrap_call(start_text_stream)


def _chat(call: Call) -> _Inference:
    operation = _inference("chat", call)
    said = payload.get_list(call.argument(0, "chat_history"), "messages")
    operation.tool_results = _tool_results(said)
    if content.wanted():
        operation.input_messages = [message(each) for each in said]
    return operation


def _tool_results(said: list[Any]) -> Iterator[ToolResult]:
    """Go through the results after the model's last answer, the newest first."""
    for each in reversed(said):
        items = payload.get_list(each, "items")
        for item in reversed(items):
            if payload.get_text(item, "content_type") == "function_result":
                result = as_text(payload.get(item, "result")) if content.wanted() else None
                yield ToolResult(call_id_of(item), payload.get_text(item, "name"), result=result)
        if any(map(_is_call, items)):
            return


def _text(call: Call) -> _Inference:
    operation = _inference("text_completion", call)
    prompt = call.argument(0, "prompt")
    if isinstance(prompt, str) and content.wanted():
        operation.input_messages = [message(prompt)]
    return operation


def _inference(name: str, call: Call) -> _Inference:
    settings = call.argument(1, "settings")
    options = {**payload.as_dict(payload.get(settings, "extension_data")), **payload.as_dict(settings)}
    provider = payload.get_text(type(call.instance), "MODEL_PROVIDER_NAME") or _UNKNOWN_PROVIDER
    return _Inference(
        name,
        provider=_PROVIDERS.get(provider, provider),
        request_model=payload.get_text(options, "ai_model_id") or payload.get_text(call.instance, "ai_model_id"),
        temperature=payload.get_float(options, "temperature"),
        top_p=payload.get_float(options, "top_p"),
        max_tokens=payload.get_int(options, "max_tokens"),
        seed=payload.get_int(options, "seed"),
    )


def _read_answers(operation: Any, answers: Any) -> None:
    """Read a list of ``ChatMessageContent``, unless the provider's client told of the call."""
    said = payload.as_list(answers)
    if not isinstance(operation, FrameworkInference) or not said:
        return
    _read_metadata(operation, said[0])
    calls = [item for each in said for item in payload.get_list(each, "items") if _is_call(item)]
    note_tool_calls(operation, [(call_id_of(each), str(payload.get(each, "name"))) for each in calls])
    operation.finish_reasons = [reason for reason in map(_finish_reason, said) if reason] or None
    if content.wanted():
        operation.output_messages = [message(each, _finish_reason(each)) for each in said]


def _is_call(item: Any) -> bool:
    return payload.get_text(item, "content_type") == "function_call"


def _finish_reason(said: Any) -> str | None:
    reason = payload.get(said, "finish_reason")
    reason = getattr(reason, "value", reason)
    return _TOOL_CALL if reason in ("tool_calls", "function_call") else payload.as_text(reason)


def _read_metadata(operation: FrameworkInference, said: Any) -> None:
    operation.response_id = payload.get_text(said, "metadata", "id") or operation.response_id
    counts = payload.get(said, "metadata", "usage")
    usage = Usage(payload.get_int(counts, "prompt_tokens"), payload.get_int(counts, "completion_tokens"))
    operation.usage = counted(usage) or operation.usage


def _read_piece(operation: Any, piece: Any) -> None:
    if isinstance(operation, _Inference):
        operation.pieces += payload.as_list(piece)


def _read_pieces(operation: Any) -> None:
    """Read a stream that is over: its pieces know how to become one."""
    if not isinstance(operation, _Inference):
        return
    whole: dict[Any, Any] = {}
    for piece in operation.pieces:
        _read_metadata(operation, piece)
        choice = payload.get(piece, "choice_index")
        whole[choice] = whole[choice] + piece if choice in whole else piece
    _read_answers(operation, list(whole.values()))


def _read_texts(operation: Any, answers: Any) -> None:
    """Read a list of ``TextContent``."""
    said = payload.as_list(answers)
    if isinstance(operation, FrameworkInference) and said:
        _read_metadata(operation, said[0])
        _say(operation, [payload.get(each, "text") for each in said])


def _read_text_pieces(operation: Any) -> None:
    if isinstance(operation, _Inference):
        for piece in operation.pieces:
            _read_metadata(operation, piece)
        _say(operation, ["".join(payload.get_text(piece, "text") or "" for piece in operation.pieces)])


def _say(operation: FrameworkInference, texts: list[Any]) -> None:
    if content.wanted():
        operation.output_messages = [messages.message("assistant", messages.text(str(text))) for text in texts]
