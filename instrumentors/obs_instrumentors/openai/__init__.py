"""OpenAI's client and its family: every library whose client was generated from the same base.

One hook covers all endpoints and call modes: the request method of the base client (outside of its retries), the
generator behind every stream, and the methods that close a response.
"""

from __future__ import annotations

from functools import partial

from obs_run.core import streams
from obs_run.core.hooks import Instrumentor, Target

from .calls import begin, http_response, note_retries

_RESPONSES = ("APIResponse", "AsyncAPIResponse")
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
)


def _targets(package: str, provider: str) -> tuple[Target, ...]:
    """Return the targets of a package; ``provider`` is who answers where the endpoint does not tell."""
    begins = partial(begin, provider)
    base, streaming, response = (f"{package}.{name}" for name in ("_base_client", "_streaming", "_response"))
    return (
        Target(base, "SyncAPIClient.request", streams.call(begins)),
        Target(base, "AsyncAPIClient.request", streams.async_call(begins)),
        *(
            Target(base, f"{client}._process_response", streams.observed(note_retries), optional=True)
            for client in ("SyncAPIClient", "AsyncAPIClient")
        ),
        Target(streaming, "Stream.__stream__", streams.iteration(http_response)),
        Target(streaming, "AsyncStream.__stream__", streams.async_iteration(http_response)),
        *_closings(streaming, "Stream", "AsyncStream"),
        *_closings(response, *_RESPONSES),
    )


def _closings(module: str, *classes: str) -> tuple[Target, ...]:
    return tuple(Target(module, f"{name}.close", streams.closing(http_response), optional=True) for name in classes)


def _library(
    library: str, distribution: str, versions: str, package: str, provider: str, *more: Target
) -> Instrumentor:
    targets = (*_targets(package, provider), *more)
    return Instrumentor(library, distribution, versions, targets, _OPERATIONS)


INSTRUMENTORS = (
    _library(
        "openai",
        "openai",
        ">=1.26,<4",
        "openai",
        "openai",
        *_closings("openai.lib.streaming.chat._completions", "ChatCompletionStream", "AsyncChatCompletionStream"),
        *_closings("openai.lib.streaming.responses._responses", "ResponseStream", "AsyncResponseStream"),
    ),
    _library("groq", "groq", ">=0.5,<2", "groq", "groq"),
    _library("together", "together", ">=2,<4", "together", "together_ai"),
    _library("cerebras", "cerebras-cloud-sdk", ">=1,<2", "cerebras.cloud.sdk", "cerebras"),
    _library("fireworks", "fireworks-ai", ">=1,<2", "fireworks", "fireworks_ai"),
)
