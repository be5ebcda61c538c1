"""Model calls as the library tells of them, whoever answers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.continuation import note_tool_calls
from obs_instrumentors.wire.openai.chat_messages import chat_message, tool_definition
from obs_instrumentors.wire.server_address import read_server_address
from obs_instrumentors.wire.token_counts import counted
from obs_run.base import payload
from obs_run.core import content
from obs_run.core.framework_calls import FrameworkInference
from obs_run.core.operations import Usage
from obs_run.core.outcomes import Reader
from obs_run.core.readers import read_nothing

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call

_PROVIDERS = {
    "AwsBedrock": "aws.bedrock",
    "Azure": "azure.ai.openai",
    "Google": "gcp.gemini",
    "IBM": "ibm.watsonx.ai",
    "LiteLLM": "litellm",
    "Mistral": "mistral_ai",
    "VertexAI": "gcp.vertex_ai",
    "xAI": "x_ai",
}
"""The library's words, where they are not the conventions' in other letters."""


def start_chat(call: Call) -> tuple[FrameworkInference, Reader[Any]]:
    """Read the call of ``_process_model_response``, which fills in the message that it is given."""
    answer = call.argument(1, "assistant_message")
    return _chat(call), Reader(partial(_read_answer, answer))


def start_stream(call: Call) -> tuple[FrameworkInference, Reader[Any]]:
    """Read the call of ``process_response_stream``, which does so as it is read."""
    answer = call.argument(1, "assistant_message")
    operation = _chat(call)
    operation.stream = True
    # The message is complete at the end.
    return operation, Reader(read_nothing, chunk=read_nothing, end=partial(_read_end, answer), lazy=True)


def _chat(call: Call) -> FrameworkInference:
    model = call.instance
    provider = payload.get_text(model, "provider")
    operation = FrameworkInference(
        "chat",
        provider=None if provider is None else _PROVIDERS.get(provider, provider.lower()),
        request_model=payload.get_text(model, "id"),
        temperature=payload.get_float(model, "temperature"),
        top_p=payload.get_float(model, "top_p"),
        max_tokens=payload.get_int(model, "max_tokens"),
    )
    address = payload.get(model, "base_url")
    if address is not None:
        read_server_address(operation, str(address))
    if content.wanted():
        operation.input_messages = [chat_message(each) for each in payload.as_list(call.argument(0, "messages"))]
        defined = payload.as_list(call.kwargs.get("tools"))
        operation.tool_definitions = [tool_definition(each) for each in defined] or None
    return operation


def _read_end(message: Any, operation: Any) -> None:
    _read_answer(message, operation, None)


def _read_answer(message: Any, operation: Any, _returned: Any) -> None:
    """Read the ``Message`` that was filled in, unless the provider's client told of the call."""
    if not isinstance(operation, FrameworkInference) or payload.get(message, "role") is None:
        return
    operation.usage = _usage(payload.get(message, "metrics"))
    calls = payload.get_list(message, "tool_calls")
    note_tool_calls(
        operation, [(payload.get_text(call, "id"), str(payload.get(call, "function", "name"))) for call in calls]
    )
    operation.finish_reasons = ["tool_call" if calls else "stop"]
    if content.wanted():
        operation.output_messages = [chat_message(message, operation.finish_reasons[0])]


def _usage(counts: Any) -> Usage | None:
    """Return the tokens of ``Metrics``, which has zeros where nothing is known."""
    usage = Usage(
        input_tokens=payload.get_int(counts, "input_tokens"),
        output_tokens=payload.get_int(counts, "output_tokens"),
        cache_read_tokens=payload.get_int(counts, "cache_read_tokens") or None,
        cache_write_tokens=payload.get_int(counts, "cache_write_tokens") or None,
        reasoning_tokens=payload.get_int(counts, "reasoning_tokens") or None,
    )
    return counted(usage)
