"""Which request of OpenAI's API means what, for every provider that speaks it."""

from __future__ import annotations

import copy
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from obs_instrumentors.clients import hosts, http_clients, stainless
from obs_instrumentors.wire.failures import error_code
from obs_instrumentors.wire.openai import batches, chat, completions, embeddings, media, moderations, responses
from obs_run.base import payload

if TYPE_CHECKING:
    from obs_instrumentors.wire.endpoint import Endpoint
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

ENDPOINTS: dict[str, Endpoint] = {
    "post /chat/completions": chat.ENDPOINT,
    "post /completions": completions.ENDPOINT,
    "post /responses": responses.ENDPOINT,
    "post /responses/compact": responses.COMPACT,
    "post /responses/input_tokens": responses.COUNT,
    "post /batches": batches.CREATE,
    "post /embeddings": embeddings.ENDPOINT,
    "post /images/generations": media.IMAGE_GENERATION,
    "post /images/edits": media.IMAGE_EDIT,
    "post /images/variations": media.IMAGE_VARIATION,
    "post /audio/speech": media.SPEECH,
    "post /audio/transcriptions": media.TRANSCRIPTION,
    "post /audio/translations": media.TRANSLATION,
    "post /moderations": moderations.ENDPOINT,
}
"""By method and end of the path; providers put different prefixes before it."""
_FETCHES = {"responses": responses.FETCH, "batches": batches.FETCH}
"""By the name of the collection that the id in the path is of."""

_RAW_MODE = "x-stainless-raw-response"


@lru_cache(maxsize=256)
def endpoint(method: str, path: str) -> Endpoint | None:
    """Return what a request means, None where it is no model call."""
    for suffix in stainless.path_suffixes(path):
        listed = ENDPOINTS.get(f"{method} {suffix}")
        if listed is not None:
            return listed
    if method == "get":
        return _FETCHES.get(path.rpartition("/")[0].rpartition("/")[2])
    if method == "post" and path.endswith("/messages"):
        # Fireworks answers in Anthropic's format too.
        from obs_instrumentors.wire.anthropic import messages

        return messages.ENDPOINT
    return None


def prepare(operation: Operation, call: Call) -> None:
    """Ask for the usage of a stream where the host is known to tell it: there is none otherwise."""
    options = call.argument(1, "options")
    if isinstance(operation, chat.Chat) and _may_ask_for_usage(operation, options, call.instance):
        operation.asked_for_usage = True
        call.replace(1, "options", _with_usage_option(options))


def read_failure(endpoint: Endpoint, operation: Operation, error: BaseException) -> None:
    """Read an APIError; some clients of the family have the code in the body alone, some in an error within."""
    body = payload.get(error, "body")
    # The status that the client's error has beside its code is in the name of its class.
    code = payload.get_text(error, "code") or error_code(body) or error_code(payload.get(body, "error"))
    operation.error_type = code or operation.error_type
    completion = payload.get(error, "completion")
    if completion is not None:
        # The answer was cut off, which the client's parse() raises after the provider has billed it.
        endpoint.read_response(operation, completion)


def _may_ask_for_usage(operation: chat.Chat, options: Any, client: Any) -> bool:
    if not operation.stream or operation.agent_asks_for_usage:
        return False
    if _is_raw_mode(options):
        # A raw response would show the agent the chunk that we have to hide.
        return False
    return hosts.sends_usage_if_asked(operation) and http_clients.is_private(client)


def _is_raw_mode(options: Any) -> bool:
    if not isinstance(options.headers, dict):
        # The client's own mark for headers that were not given.
        return False
    return any(name.lower() == _RAW_MODE for name in options.headers)


def _with_usage_option(options: Any) -> Any:
    """Return a copy of the request's options that asks for usage; the agent's own objects stay as they are."""
    result = copy.copy(options)
    # What the agent put into the extra body wins over the rest of it.
    name = "extra_json" if "stream_options" in (options.extra_json or {}) else "json_data"
    body = getattr(options, name)
    stream_options = {**(body.get("stream_options") or {}), "include_usage": True}
    setattr(result, name, {**body, "stream_options": stream_options})
    return result
