"""Who answers behind LiteLLM, in the conventions' words, and the model by the name that this provider knows."""

from __future__ import annotations

import sys
from typing import Any

from obs_run.base import payload

UNKNOWN = "litellm"

_NAMES = {
    "amazon_nova": "aws.bedrock",
    "anthropic_text": "anthropic",
    "azure": "azure.ai.openai",
    "azure_ai": "azure.ai.inference",
    "azure_text": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "bedrock_converse": "aws.bedrock",
    "bedrock_mantle": "aws.bedrock",
    "codestral": "mistral_ai",
    "cohere_chat": "cohere",
    "custom_openai": "openai",
    "gemini": "gcp.gemini",
    "mistral": "mistral_ai",
    "moonshot": "moonshot_ai",
    "ollama_chat": "ollama",
    "sagemaker": "aws.sagemaker",
    "sagemaker_chat": "aws.sagemaker",
    "text-completion-codestral": "mistral_ai",
    "text-completion-openai": "openai",
    "voyage": "voyageai",
    "watsonx": "ibm.watsonx.ai",
    "watsonx_text": "ibm.watsonx.ai",
    "xai": "x_ai",
}


def provider(value: Any) -> str:
    """Return what the conventions call a provider of LiteLLM's; those that they don't know keep their names."""
    name = _name(value)
    if name is None:
        return UNKNOWN
    if name.startswith("vertex_ai"):
        # There is one for each maker of models on Vertex AI.
        return "gcp.vertex_ai"
    return _NAMES.get(name, name)


def _name(value: Any) -> str | None:
    """Return LiteLLM's name of a provider, a text or a member of an enumeration of texts."""
    return payload.as_text(payload.coalesce(payload.get(value, "value"), value))


def provider_and_model(body: dict[str, Any]) -> tuple[str, str | None]:
    """Return provider and model of a request, the model without the provider before it."""
    model = payload.as_text(body.get("model"))
    asked_provider = _name(body.get("custom_llm_provider"))
    if model is None:
        return provider(asked_provider), None
    head, _, rest = model.partition("/")
    if rest and _is_provider(head, asked_provider):
        return provider(head), rest
    if asked_provider is None:
        # LiteLLM finds the provider of a bare model's name in its table of prices.
        asked_provider = payload.get(sys.modules.get("litellm"), "model_cost", model, "litellm_provider")
    return provider(asked_provider), model


def _is_provider(head: str, asked_provider: str | None) -> bool:
    """Whether what stands before a slash is a provider: the models of some makers have slashes of their own."""
    if asked_provider:
        return head == asked_provider
    return head in (payload.get(sys.modules.get("litellm"), "provider_list") or ())
