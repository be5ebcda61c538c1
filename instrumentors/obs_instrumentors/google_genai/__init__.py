"""Google's client for Gemini, of AI Studio and of Vertex AI.

Every model call passes ``BaseApiClient``'s four request methods, above its retries: once for each round trip, also
where the client runs the agent's functions by itself. The interactions API has a client of its own.
"""

from __future__ import annotations

from obs_run.core import streams
from obs_run.core.hooks import Instrumentor, Target

from . import calls, tools

_CLIENT = "google.genai._api_client"
_FUNCTIONS = "google.genai._extra_utils"

INSTRUMENTORS = (
    Instrumentor(
        "google_genai",
        "google-genai",
        ">=1.32,<4",
        (
            Target(_CLIENT, "BaseApiClient.request", streams.call(calls.begin)),
            Target(_CLIENT, "BaseApiClient.request_streamed", streams.call(calls.begin_lazy_stream)),
            Target(_CLIENT, "BaseApiClient.async_request", streams.async_call(calls.begin)),
            Target(_CLIENT, "BaseApiClient.async_request_streamed", streams.async_call(calls.begin_stream)),
            Target(_CLIENT, "BaseApiClient._request_once", streams.observed(calls.note_request)),
            Target(_CLIENT, "BaseApiClient._async_request_once", streams.observed(calls.note_request)),
            Target(_FUNCTIONS, "invoke_function_from_dict_args", streams.call(tools.begin)),
            Target(_FUNCTIONS, "invoke_function_from_dict_args_async", streams.async_call(tools.begin)),
        ),
        ("generate_content", "embeddings", "image_generation", "count_tokens", "execute_tool"),
    ),
)
