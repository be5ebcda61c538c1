"""LiteLLM: the package's functions, which its Router calls too, once for each deployment that it tries.

A Router's fallback is therefore a failed call and the one that came after it, each by its own model and provider.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from obs_instrumentors.clients.stream_objects import itself
from obs_run.core import streams
from obs_run.core.hooks import Instrumentor, Target

from . import calls

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOGGING = "litellm.litellm_core_utils.litellm_logging"
_CHAT = ("litellm.litellm_core_utils.streaming_handler", "CustomStreamWrapper")
_EVENTS = "litellm.responses.streaming_iterator"
_BRIDGE = "litellm.responses.litellm_completion_transformation.streaming_iterator"
_STEPS = (
    (*_CHAT, "__next__"),
    (*_CHAT, "__anext__"),
    ("litellm.utils", "TextCompletionStreamWrapper", "__next__"),
    ("litellm.utils", "TextCompletionStreamWrapper", "__anext__"),
    (_EVENTS, "SyncResponsesAPIStreamingIterator", "__next__"),
    (_EVENTS, "ResponsesAPIStreamingIterator", "__anext__"),
    (_EVENTS, "MockResponsesAPIStreamingIterator", "__next__"),
    (_EVENTS, "MockResponsesAPIStreamingIterator", "__anext__"),
    (_BRIDGE, "LiteLLMCompletionStreamingIterator", "__next__"),
    (_BRIDGE, "LiteLLMCompletionStreamingIterator", "__anext__"),
)


def _functions() -> Iterator[Target]:
    for function in calls.FUNCTIONS:
        start = partial(calls.start_operation, function)
        # The responses came with 1.63.
        newer = function.name == "responses"
        yield Target("litellm", function.name, streams.wrap_call(start), optional=newer)
        yield Target("litellm", f"a{function.name}", streams.wrap_async_call(start), optional=newer)


def _steps() -> Iterator[Target]:
    for module, name, method in _STEPS:
        wrap = streams.wrap_next if method == "__next__" else streams.wrap_anext
        yield Target(module, f"{name}.{method}", wrap(itself, current=True), optional=module in (_EVENTS, _BRIDGE))


INSTRUMENTORS = (
    Instrumentor(
        "litellm",
        "litellm",
        ">=1.60,<2",
        (
            *_functions(),
            *_steps(),
            Target(_CHAT[0], f"{_CHAT[1]}.chunk_creator", streams.wrap_inner_call(calls.read_provider_chunk)),
            Target(_LOGGING, "Logging.update_environment_variables", streams.wrap_inner_call(calls.read_provider)),
            Target(_LOGGING, "Logging.pre_call", streams.wrap_inner_call(calls.read_address)),
            Target(_LOGGING, "Logging.post_call", streams.wrap_inner_call(calls.read_body)),
        ),
        ("chat", "text_completion", "embeddings", "rerank", "image_generation"),
    ),
)
