"""What LangChain's callbacks tell of a model call: at its start what it asks, at its end an ``LLMResult``."""

from __future__ import annotations

from typing import Any

from obs_run.base import payload
from obs_run.core import content
from obs_run.core import messages as parts
from obs_run.core.framework_calls import FrameworkInference
from obs_run.core.operations import Usage

from . import messages

_PROVIDERS = {
    "amazon_bedrock": "aws.bedrock",
    "azure": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "google_genai": "gcp.gemini",
    "google_vertexai": "gcp.vertex_ai",
    "ibm": "ibm.watsonx.ai",
    "mistral": "mistral_ai",
    "mistralai": "mistral_ai",
    "xai": "x_ai",
}
"""LangChain's words that are not those of the conventions."""


def chat(asked: list[Any], details: dict[str, Any]) -> FrameworkInference:
    """Return the operation of ``on_chat_model_start``."""
    operation = _inference("chat", details)
    operation.tool_results = messages.tool_results(asked)
    tools = payload.get(details, "invocation_params", "tools")
    operation.offered_tools = messages.tool_names(tools)
    if content.wanted():
        operation.input_messages = messages.of_list(asked)
        operation.tool_definitions = messages.tool_definitions(tools)
    return operation


def completion(prompt: str, details: dict[str, Any]) -> FrameworkInference:
    """Return the operation of ``on_llm_start``."""
    operation = _inference("text_completion", details)
    if content.wanted():
        operation.input_messages = [parts.message("user", parts.text(prompt))]
    return operation


def _inference(name: str, details: dict[str, Any]) -> FrameworkInference:
    metadata, asked = details.get("metadata"), details.get("invocation_params")
    provider = payload.get_text(metadata, "ls_provider") or payload.get_text(asked, "_type")
    model = payload.get_text(metadata, "ls_model_name") or payload.get_text(asked, "model")
    stop = payload.get_list(details, "options", "stop")
    return FrameworkInference(
        name,
        provider=_PROVIDERS.get(provider or "", provider),
        request_model=model or payload.get_text(asked, "model_name"),
        temperature=payload.get_float(metadata, "ls_temperature"),
        max_tokens=payload.get_int(metadata, "ls_max_tokens"),
        stop_sequences=[str(each) for each in stop] or None,
    )


def _read_message(operation: Any, message: Any) -> None:
    """Read of an ``AIMessage`` what the provider's client has not told already."""
    if operation.usage is None:
        operation.usage = _usage(payload.get(message, "usage_metadata"))
    metadata = payload.get(message, "response_metadata")
    operation.response_model = operation.response_model or payload.get_text(metadata, "model_name")
    operation.response_id = operation.response_id or payload.get_text(metadata, "id")
    calls = payload.get(message, "tool_calls") or []
    if calls and not operation.tool_calls:
        operation.tool_calls = [str(payload.get(call, "name")) for call in calls]
        operation.tool_call_ids = [payload.get_text(call, "id") for call in calls]


def read_answer(operation: Any, response: Any, *, is_reported: bool) -> None:
    """Read an ``LLMResult``; ``is_reported`` where the provider's client told the answer itself."""
    generation = _first(response)
    message = payload.get(generation, "message")
    answer = generation if message is None else message
    if is_reported and operation.finish_reasons:
        return
    reason = messages.finish_reason(answer)
    if operation.finish_reasons is None and reason is not None:
        operation.finish_reasons = [reason]
    _read_message(operation, message)
    if content.wanted() and operation.output_messages is None:
        said = payload.get(generation, "text") if message is None else message
        operation.output_messages = messages.of_answer(said, reason or "stop")


def _first(response: Any) -> Any:
    for choices in payload.get_list(response, "generations"):
        for generation in choices if isinstance(choices, list) else [choices]:
            return generation
    return None


def _usage(counts: Any) -> Usage | None:
    """Return a ``UsageMetadata``; where all of it is zero the provider told none."""
    usage = Usage(
        input_tokens=payload.get_int(counts, "input_tokens"),
        output_tokens=payload.get_int(counts, "output_tokens"),
        cache_read_tokens=payload.get_int(counts, "input_token_details", "cache_read"),
        cache_write_tokens=payload.get_int(counts, "input_token_details", "cache_creation"),
        reasoning_tokens=payload.get_int(counts, "output_token_details", "reasoning"),
    )
    return usage if usage.input_tokens or usage.output_tokens else None
