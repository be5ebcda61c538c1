"""Google's client for Gemini, of AI Studio and of Vertex AI.

Every model call passes ``BaseApiClient``'s four request methods, above its retries: once for each round trip, also
where the client runs the agent's functions by itself. The interactions API has a client of its own.
"""

from __future__ import annotations

from obs_instrumentors.clients import speakeasy
from obs_instrumentors.clients.stream_objects import itself
from obs_run.core import streams
from obs_run.core.hooks import Instrumentor, Target

from . import calls, interactions, live, tools

_CLIENT = "google.genai._api_client"
_FUNCTIONS = "google.genai._extra_utils"
_INTERACTIONS = "google.genai._gaos.google_genai"
_STREAMS = "google.genai._gaos.utils.eventstreaming"
_HOOKS = "google.genai._gaos._hooks"

INSTRUMENTORS = (
    Instrumentor(
        "google_genai",
        "google-genai",
        ">=1.32,<4",
        (
            Target(_CLIENT, "BaseApiClient.request", streams.wrap_call(calls.start_operation)),
            Target(_CLIENT, "BaseApiClient.request_streamed", streams.wrap_call(calls.start_lazy_stream)),
            Target(_CLIENT, "BaseApiClient.async_request", streams.wrap_async_call(calls.start_operation)),
            Target(_CLIENT, "BaseApiClient.async_request_streamed", streams.wrap_async_call(calls.start_stream)),
            Target(_CLIENT, "BaseApiClient._request_once", streams.wrap_inner_call(calls.note_request)),
            Target(_CLIENT, "BaseApiClient._async_request_once", streams.wrap_inner_call(calls.note_request)),
            Target(_FUNCTIONS, "invoke_function_from_dict_args", streams.wrap_call(tools.start_operation)),
            Target(_FUNCTIONS, "invoke_function_from_dict_args_async", streams.wrap_async_call(tools.start_operation)),
            Target(_INTERACTIONS, "GeminiNextGenInteractions.create", streams.wrap_call(interactions.start_create)),
            Target(_INTERACTIONS, "GeminiNextGenInteractions.get", streams.wrap_call(interactions.start_fetch)),
            Target(
                _INTERACTIONS,
                "AsyncGeminiNextGenInteractions.create",
                streams.wrap_async_call(interactions.start_create),
            ),
            Target(
                _INTERACTIONS, "AsyncGeminiNextGenInteractions.get", streams.wrap_async_call(interactions.start_fetch)
            ),
            Target(f"{_HOOKS}.sdkhooks", "SDKHooks.before_request", streams.wrap_inner_call(speakeasy.note_request)),
            Target(
                f"{_HOOKS}.asyncsdkhooks",
                "AsyncSDKHooks.before_request",
                streams.wrap_inner_call(speakeasy.note_request),
            ),
            Target(_STREAMS, "Stream.__next__", streams.wrap_next(itself)),
            Target(_STREAMS, "Stream.__exit__", streams.wrap_close(itself)),
            Target(_STREAMS, "AsyncStream.__anext__", streams.wrap_anext(itself)),
            Target(_STREAMS, "AsyncStream.__aexit__", streams.wrap_close(itself)),
            *live.TARGETS,
        ),
        (
            "generate_content",
            "embeddings",
            "image_generation",
            "image_edit",
            "count_tokens",
            "fetch_response",
            "execute_tool",
        ),
    ),
)
