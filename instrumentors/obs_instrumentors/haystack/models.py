"""Model calls as generators and embedders tell of them, where the provider's client does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.wire.continuation import note_tool_calls
from obs_instrumentors.wire.token_counts import counted
from obs_run.base import payload
from obs_run.core import content
from obs_run.core.framework_calls import FrameworkEmbedding, FrameworkInference
from obs_run.core.operations import Usage
from obs_run.core.outcomes import Reader
from obs_run.core.readers import read_nothing

from .contents import message_of, tools_of

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call

_PROVIDERS = {
    "AmazonBedrock": "aws.bedrock",
    "Anthropic": "anthropic",
    "Azure": "azure.ai.openai",
    "Cohere": "cohere",
    "GoogleGenAI": "gcp.gemini",
    "HuggingFace": "huggingface",
    "Mistral": "mistral_ai",
    "Ollama": "ollama",
    "OpenAI": "openai",
}
"""By how the names of the library's classes begin, of which users derive their own."""
_UNKNOWN_PROVIDER = "haystack"
_FINISH_REASONS = {"tool_calls": "tool_call"}


def is_a(component: Any, name: str) -> bool:
    """Whether a component's class is the one of that name, or derived from it."""
    return any(kind.__name__ == name for kind in type(component).__mro__)


def provider(component: Any) -> str:
    """Return whose model a component asks."""
    names = [kind.__name__ for kind in type(component).__mro__]
    found = (_PROVIDERS[start] for name in names for start in _PROVIDERS if name.startswith(start))
    return next(found, _UNKNOWN_PROVIDER)


def model_of(component: Any) -> str | None:
    """Return the model that a component asks."""
    deployment = payload.get_text(component, "azure_deployment")
    return deployment or payload.get_text(component, "model")


def chat(provider_name: str | None, model: str | None) -> FrameworkInference:
    """Return the operation of a generator's answer."""
    return FrameworkInference("chat", provider=provider_name, request_model=model)


def call_of(component: Any) -> FrameworkInference | FrameworkEmbedding | None:
    """Return the operation of a component that asks a model; None for others."""
    outputs = payload.get(component, "__haystack_output__", "_sockets_dict") or {}
    if "replies" in outputs:
        return chat(provider(component), model_of(component))
    if type(component).__name__.endswith("Embedder"):
        return FrameworkEmbedding("embeddings", provider=provider(component), request_model=model_of(component))
    return None


def start_generator(call: Call) -> tuple[FrameworkInference, Reader[Any]]:
    """Read the call of ``_trace_chat_generator_run``, which begins a call that a component makes of its generator."""
    generator = call.argument(0, "chat_generator")
    return chat(provider(generator), model_of(generator)), Reader(read_nothing)


def read_request(operation: FrameworkInference, inputs: Any) -> None:
    """Read what a generator is run with."""
    options = payload.get(inputs, "generation_kwargs")
    operation.temperature = payload.get_float(options, "temperature")
    operation.max_tokens = payload.get_int(options, "max_completion_tokens") or payload.get_int(options, "max_tokens")
    if payload.get(inputs, "streaming_callback") is not None:
        operation.stream = True
    if content.wanted():
        said = payload.get(inputs, "messages") or payload.get(inputs, "prompt")
        operation.input_messages = [message_of(each) for each in (said if isinstance(said, list) else [said])]
        operation.tool_definitions = tools_of(payload.get(inputs, "tools"))


def read_answer(operation: Any, outputs: Any) -> None:
    """Read what a generator or embedder gives, unless the provider's client told of the call."""
    if isinstance(operation, FrameworkInference):
        _read_replies(operation, payload.get_list(outputs, "replies"))
    elif isinstance(operation, FrameworkEmbedding):
        meta = payload.get(outputs, "meta")
        operation.response_model = payload.get_text(meta, "model")
        operation.usage = _usage(payload.get(meta, "usage"))


def _read_replies(operation: FrameworkInference, replies: list[Any]) -> None:
    meta = payload.get(replies[0], "meta") if replies else None
    operation.response_model = payload.get_text(meta, "model")
    operation.usage = _usage(payload.get(meta, "usage"))
    calls = [call for reply in replies for call in payload.get_list(reply, "tool_calls")]
    note_tool_calls(operation, [(payload.get_text(call, "id"), str(payload.get(call, "tool_name"))) for call in calls])
    reasons = [finish_reason(reply) for reply in replies]
    operation.finish_reasons = [reason for reason in reasons if reason] or None
    if content.wanted():
        operation.output_messages = [
            {**message_of(reply), "finish_reason": reason or "stop"}
            for reply, reason in zip(replies, reasons, strict=True)
        ]


def finish_reason(reply: Any) -> str | None:
    """Return why the model said no more."""
    reason = payload.get_text(reply, "meta", "finish_reason")
    return None if reason is None else _FINISH_REASONS.get(reason, reason)


def _usage(counts: Any) -> Usage | None:
    """Return what a call used, in whatever words of its provider."""
    read = payload.coalesce(payload.get_int(counts, "prompt_tokens"), payload.get_int(counts, "input_tokens"))
    written = payload.coalesce(payload.get_int(counts, "completion_tokens"), payload.get_int(counts, "output_tokens"))
    return counted(Usage(read, written))
