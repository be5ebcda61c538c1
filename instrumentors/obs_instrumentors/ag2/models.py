"""Model calls of ``autogen`` by its ``OpenAIWrapper``, where the provider's client does not tell of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.openai.chat import finish_reason
from obs_instrumentors.wire.openai.chat_messages import chat_message, tool_definition
from obs_instrumentors.wire.openai.chat_tools import read_tools
from obs_instrumentors.wire.openai.common_fields import read_sampling
from obs_run.base import payload
from obs_run.core import content
from obs_run.core.framework_calls import FrameworkInference
from obs_run.core.operations import Usage
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call

_PROVIDERS = {
    "anthropic": "anthropic",
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "cerebras": "cerebras",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "google": "gcp.gemini",
    "groq": "groq",
    "mistral": "mistral_ai",
    "ollama": "ollama",
    "openai": "openai",
    "responses": "openai",
    "together": "together_ai",
}
"""By the ``api_type`` of a configuration."""
_UNKNOWN_PROVIDER = "ag2"


def _configuration(wrapper: Any) -> dict[str, Any]:
    """Return the first of a client's configurations, which is asked before all others."""
    configurations = payload.get_list(wrapper, "_config_list")
    return payload.as_dict(configurations[0]) if configurations else {}


def model_of(wrapper: Any) -> str | None:
    """Return the model that an agent's client asks."""
    return payload.get_text(_configuration(wrapper), "model")


def start_chat(call: Call) -> tuple[FrameworkInference, Reader[Any]]:
    """Read the call of ``create``."""
    body = {**_configuration(call.instance), **call.kwargs}
    operation = FrameworkInference("chat", provider=_provider(body), request_model=payload.get_text(body, "model"))
    read_sampling(operation, body)
    read_tools(operation, body)
    if content.wanted():
        operation.input_messages = [chat_message(each) for each in payload.get_list(body, "messages")]
        operation.tool_definitions = [tool_definition(each) for each in payload.get_list(body, "tools")] or None
    return operation, Reader(_read_response)


def _provider(body: dict[str, Any]) -> str:
    if "model_client_cls" in body:
        return _UNKNOWN_PROVIDER
    return _PROVIDERS.get(payload.get_text(body, "api_type") or "openai", _UNKNOWN_PROVIDER)


def read_usage(operation: Any, call: Call) -> None:
    """Read what a call used; an answer that was kept from an earlier one used nothing."""
    used = call.argument(0, "actual_usage")
    if isinstance(operation, FrameworkInference) and used is not None:
        operation.usage = Usage(payload.get_int(used, "prompt_tokens"), payload.get_int(used, "completion_tokens"))


def _read_tool_calls(operation: FrameworkInference, choices: list[Any]) -> None:
    calls = [each for choice in choices for each in payload.get_list(choice, "message", "tool_calls")]
    operation.tool_calls = [str(payload.get(each, "function", "name")) for each in calls] or None
    operation.tool_call_ids = [payload.get_text(each, "id") for each in calls] or None


def _read_response(operation: Any, response: Any) -> None:
    """Read a ``ChatCompletion``, or what looks like one, unless the provider's client told of the call."""
    if not isinstance(operation, FrameworkInference):
        return
    operation.response_model = payload.get_text(response, "model")
    operation.response_id = payload.get_text(response, "id")
    choices = payload.get_list(response, "choices")
    reasons = [finish_reason(payload.get(each, "finish_reason")) for each in choices]
    operation.finish_reasons = [each for each in reasons if each is not None] or None
    _read_tool_calls(operation, choices)
    if content.wanted():
        said = [payload.get(each, "message") for each in choices]
        operation.output_messages = [
            chat_message(each, reason or "stop") for each, reason in zip(said, reasons, strict=True)
        ]
