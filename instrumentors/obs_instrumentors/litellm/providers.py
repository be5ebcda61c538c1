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
    "vertex_ai": "gcp.vertex_ai",
    "vertex_ai_beta": "gcp.vertex_ai",
    "voyage": "voyageai",
    "watsonx": "ibm.watsonx.ai",
    "watsonx_text": "ibm.watsonx.ai",
    "xai": "x_ai",
}


def provider(told: Any) -> str:
    """Return what the conventions call a provider of LiteLLM's; those that they don't know keep their names."""
    # LiteLLM's own names are members of an enumeration of texts.
    name = payload.as_text(payload.coalesce(payload.get(told, "value"), told))
    if name is None:
        return UNKNOWN
    family = "vertex_ai" if name.startswith("vertex_ai") else name
    return _NAMES.get(family, family)


def named(body: dict[str, Any]) -> tuple[str, str | None]:
    """Return provider and model of a request, the model without the provider before it."""
    model = payload.as_text(body.get("model"))
    told = payload.as_text(
        payload.coalesce(payload.get(body.get("custom_llm_provider"), "value"), body.get("custom_llm_provider"))
    )
    if model is None:
        return provider(told), None
    library = sys.modules.get("litellm")
    head, _, rest = model.partition("/")
    if rest and (head == told if told else head in (payload.get(library, "provider_list") or ())):
        return provider(head), rest
    if told is None:
        told = payload.get(payload.get(library, "model_cost"), model, "litellm_provider")
    return provider(told), model
