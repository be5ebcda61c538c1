"""OpenAI's client and its family: libraries whose client was generated from the same base and speaks the same API."""

from __future__ import annotations

from obs_instrumentors.clients import stainless
from obs_instrumentors.clients.stainless import close_targets
from obs_run.core.hooks import Instrumentor, Target

from . import calls, realtime

_OPERATIONS = (
    "chat",
    "text_completion",
    "embeddings",
    "image_generation",
    "image_edit",
    "image_variation",
    "speech",
    "transcription",
    "translation",
    "moderation",
    "fetch_response",
    "compact",
    "count_tokens",
    "create_batch",
    "fetch_batch",
)


def _library(
    library: str, distribution: str, versions: str, package: str, provider: str, *more: Target
) -> Instrumentor:
    """Return the instrumentor of a package; ``provider`` is who answers where the host does not tell."""
    targets = (*stainless.targets(package, calls.dialect(provider)), *more)
    return Instrumentor(library, distribution, versions, targets, _OPERATIONS)


INSTRUMENTORS = (
    _library(
        "openai",
        "openai",
        ">=1.26,<4",
        "openai",
        "openai",
        *close_targets("openai.lib.streaming.chat._completions", "ChatCompletionStream", "AsyncChatCompletionStream"),
        *close_targets("openai.lib.streaming.responses._responses", "ResponseStream", "AsyncResponseStream"),
        *realtime.TARGETS,
    ),
    _library("groq", "groq", ">=0.13,<2", "groq", "groq"),
    _library("together", "together", ">=2,<4", "together", "together_ai"),
    _library("cerebras", "cerebras-cloud-sdk", ">=1,<2", "cerebras.cloud.sdk", "cerebras"),
    _library("fireworks", "fireworks-ai", ">=1.2,<2", "fireworks", "fireworks_ai"),
)
