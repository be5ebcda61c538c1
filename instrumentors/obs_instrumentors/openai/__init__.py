"""OpenAI's client and its family: libraries whose client was generated from the same base and speaks the same API."""

from __future__ import annotations

from functools import partial

from obs_instrumentors.clients import hosts, stainless
from obs_instrumentors.clients.stainless import Dialect, close_targets
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.late_functions import late_functions

from . import realtime

# What requests mean is much to load, and many import the client by way of a framework and call another model.
_calls = partial(late_functions(__name__), "calls")

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
    read_provider = partial(hosts.read_provider, default=provider)
    dialect = Dialect(_calls("endpoint"), read_provider, _calls("read_failure"), _calls("prepare"))
    targets = (*stainless.targets(package, dialect), *more)
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
