"""Where obs-run leaves the conventions on purpose; everything else that ``conformance`` finds is a defect."""

from __future__ import annotations

OPERATIONS = {
    "classification": "no convention knows classification",
    "count_tokens": "no convention knows a provider's counting of tokens",
    "create_batch": "no convention knows batches",
    "rerank": "no convention knows reranking",
    "image_generation": "no convention knows images",
    "image_edit": "no convention knows images",
    "image_variation": "no convention knows images",
    "speech": "no convention knows sound",
    "transcription": "no convention knows sound",
    "translation": "no convention knows sound",
    "moderation": "no convention knows moderation",
    "ocr": "no convention knows the reading of documents",
    "video_generation": "no convention knows videos",
}
"""Values of ``gen_ai.operation.name`` beside the predefined ones; the enumeration is open."""

PROVIDERS = dict.fromkeys(
    (
        "aws.sagemaker",
        "cerebras",
        "fireworks_ai",
        "huggingface",
        "litellm",
        "oci",
        "ollama",
        "openrouter",
        "pinecone",
        "replicate",
        "together_ai",
        "vllm",
        "transformers",
        "voyageai",
    ),
    "the enumeration is open and has no value for it",
)
"""Values of ``gen_ai.provider.name`` beside the predefined ones."""

STATUSES = {"requires_action": "Google's interactions wait for functions that the agent runs"}
"""Values of ``gen_ai.response.status`` beside the predefined ones."""

METRICS = {
    "obs.client.cost": "no convention for money exists",
    "obs.client.cost.unknown": "no convention for money exists",
    "obs.export.dropped": "obs-run's own loss",
}

NOT_MEASURED = {
    "gen_ai.server.request.duration": "for those who serve models",
    "gen_ai.server.time_per_output_token": "for those who serve models",
    "gen_ai.server.time_to_first_token": "for those who serve models",
    "mcp.client.session.duration": "sessions of MCP are not recorded",
    "mcp.server.session.duration": "sessions of MCP are not recorded",
}
"""Metrics of the conventions that the table of instruments does not have."""

PARTS = {
    "omitted_blob": "a binary payload replaced by its type and size",
    "refusal": "what the model says when it refuses",
}
"""Message parts beside the schemas' own types, which allow any with a ``type``."""
