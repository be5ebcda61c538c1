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


_FUNCTIONS = {
    "completion": ("litellm.main", "litellm.chat_completions.dispatch"),
    "text_completion": ("litellm.main",),
    "responses": ("litellm.responses.main", "litellm.responses.dispatch"),
    "embedding": ("litellm.main", "litellm.embeddings.dispatch"),
    "rerank": ("litellm.rerank_api.main",),
    "image_generation": ("litellm.images.main",),
}
"""The modules that functions are from: agents, and LiteLLM's own helpers, take them from there too."""
_MESSAGES = {
    "litellm": ("anthropic_messages", "anthropic_messages_handler"),
    "litellm.messages.dispatch": ("anthropic_messages", "anthropic_messages_handler"),
    "litellm.anthropic_interface.messages": ("acreate", "create"),
    "litellm.llms.anthropic.experimental_pass_through.messages.handler": (
        "anthropic_messages",
        "anthropic_messages_handler",
    ),
    "litellm.llms.anthropic.messages.native.handler": ("anthropic_messages", "anthropic_messages_handler"),
}
"""Where Anthropic's messages are asked for, by an async and a sync function; releases have them in other places."""
_MESSAGE_STREAMS = (
    ("litellm.llms.anthropic.messages.native.streaming_iterator", "AnthropicMessagesStreamingResponse"),
    ("litellm.llms.anthropic.messages.native.streaming_iterator", "SafeguardedAnthropicSSEStream"),
    ("litellm.llms.anthropic.messages.adapters.streaming_iterator", "AnthropicSSEStream"),
    ("litellm.llms.anthropic.messages.responses_adapters.streaming_iterator", "AnthropicResponsesSSEByteStream"),
)


def _functions() -> Iterator[Target]:
    for function in calls.FUNCTIONS:
        start = partial(calls.start_operation, function)
        # One wrapper for all places: what is wrapped already is not wrapped again.
        call, async_call = streams.wrap_call(start), streams.wrap_async_call(start)
        for module in ("litellm", *_FUNCTIONS[function.name]):
            # The responses came with 1.63.
            optional = module != "litellm" or function.name == "responses"
            yield Target(module, function.name, call, optional=optional)
            yield Target(module, f"a{function.name}", async_call, optional=optional)


def _messages() -> Iterator[Target]:
    start = partial(calls.start_operation, calls.MESSAGES)
    call, async_call = streams.wrap_call(start), streams.wrap_async_call(start)
    for module, (async_name, name) in _MESSAGES.items():
        yield Target(module, async_name, async_call, optional=True)
        yield Target(module, name, call, optional=True)
    for module, name in _MESSAGE_STREAMS:
        yield Target(module, f"{name}.__anext__", streams.wrap_anext(itself, current=True), optional=True)


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
            *_messages(),
            *_steps(),
            Target(_CHAT[0], f"{_CHAT[1]}.chunk_creator", streams.wrap_inner_call(calls.read_provider_chunk)),
            Target(_LOGGING, "Logging.update_environment_variables", streams.wrap_inner_call(calls.read_provider)),
            Target(_LOGGING, "Logging.pre_call", streams.wrap_inner_call(calls.read_address)),
            Target(_LOGGING, "Logging.post_call", streams.wrap_inner_call(calls.read_body)),
        ),
        ("chat", "text_completion", "embeddings", "rerank", "image_generation"),
    ),
)
