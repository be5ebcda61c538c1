"""Who answered, by the names that the conventions have for providers."""

from __future__ import annotations

from typing import Any

from obs_run.pipeline.vocabularies.reading import text

_NAMES = {
    "amazon-bedrock": "aws.bedrock",
    "aws": "aws.bedrock",
    "az.ai.inference": "azure.ai.inference",
    "az.ai.openai": "azure.ai.openai",
    "azure": "azure.ai.openai",
    "azure-openai": "azure.ai.openai",
    "azure_openai": "azure.ai.openai",
    "bedrock": "aws.bedrock",
    "fireworks": "fireworks_ai",
    "gemini": "gcp.gemini",
    "google": "gcp.gen_ai",
    "google-gla": "gcp.gemini",
    "google-vertex": "gcp.vertex_ai",
    "google.generative-ai": "gcp.gemini",
    "google.vertex": "gcp.vertex_ai",
    "google_genai": "gcp.gen_ai",
    "hugging_face": "huggingface",
    "mistral": "mistral_ai",
    "mistralai": "mistral_ai",
    "moonshot": "moonshot_ai",
    "oracle": "oci",
    "together": "together_ai",
    "togetherai": "together_ai",
    "vertex_ai": "gcp.vertex_ai",
    "vertexai": "gcp.vertex_ai",
    "watsonx": "ibm.watsonx.ai",
    "xai": "x_ai",
}
_PLAIN = frozenset({"anthropic", "cerebras", "cohere", "deepseek", "groq", "ollama", "openai", "openrouter"})
_APIS = frozenset({"chat", "completion", "embedding", "image", "messages", "responses", "speech", "transcription"})
"""What the AI SDK writes behind a provider's name: which of its APIs was called."""


def provider(value: Any) -> str | None:
    """Return the conventions' name of a provider; one that they do not know keeps its own."""
    given = text(value)
    if given is None:
        return None
    name, _, api = given.rpartition(".")
    if not name or api not in _APIS:
        name = given
    plain = name.lower()
    return _NAMES.get(plain, plain if plain in _PLAIN else name)
