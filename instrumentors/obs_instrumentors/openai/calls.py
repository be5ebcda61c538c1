"""Which request of OpenAI's API means what, for every provider that speaks it."""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.clients import hosts, stainless
from obs_instrumentors.clients.stainless import Dialect
from obs_instrumentors.wire.openai import chat, completions, embeddings, media, moderations, responses
from obs_run.base import payload

if TYPE_CHECKING:
    from obs_instrumentors.wire.endpoint import Endpoint
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

ENDPOINTS: dict[str, Endpoint] = {
    "post /chat/completions": chat.ENDPOINT,
    "post /completions": completions.ENDPOINT,
    "post /responses": responses.ENDPOINT,
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

_RAW_MODE = "x-stainless-raw-response"


def dialect(provider: str) -> Dialect:
    """Return how a library speaks the API; ``provider`` is who answers where the host does not tell."""
    return Dialect(endpoint, partial(hosts.place, default=provider), _failure, _prepare)


def endpoint(method: str, path: str) -> Endpoint | None:
    """Return what a request means, None where it is no model call."""
    for end in stainless.ends(path):
        found = ENDPOINTS.get(f"{method} {end}")
        if found is not None:
            return found
    if method == "get" and path.rpartition("/")[0].endswith("/responses"):
        return responses.FETCH
    if method == "post" and path.endswith("/messages"):
        # Fireworks answers in Anthropic's format too.
        from obs_instrumentors.wire.anthropic import messages

        return messages.ENDPOINT
    return None


def _prepare(operation: Operation, call: Call) -> None:
    """Ask for the usage of a stream where the host is known to tell it."""
    options = call.argument(1, "options")
    if isinstance(operation, chat.Chat) and _may_ask_for_usage(operation, options):
        operation.asked_for_usage = True
        call.replace(1, "options", _asking_for_usage(options))


def _failure(endpoint: Endpoint, operation: Operation, error: BaseException) -> None:
    body = payload.get(error, "body")
    operation.error_type = (
        payload.get_text(error, "code")
        or payload.get_text(body, "code")
        or payload.get_text(body, "error", "code")
        or operation.error_type
    )
    completion = payload.get(error, "completion")
    if completion is not None:
        # The answer was cut off, which the client's parse() raises after the provider has billed it.
        endpoint.result(operation, completion)


def _may_ask_for_usage(operation: chat.Chat, options: Any) -> bool:
    if not operation.stream or operation.told_usage_option:
        return False
    headers = options.headers if isinstance(options.headers, dict) else {}
    # A raw response would show the agent the chunk that we have to hide.
    return not any(name.lower() == _RAW_MODE for name in headers) and hosts.tells_usage(operation)


def _asking_for_usage(options: Any) -> Any:
    """Return a copy of the request's options that asks for usage; the agent's own objects stay as they are."""
    asking = copy.copy(options)
    name = "extra_json" if "stream_options" in (options.extra_json or {}) else "json_data"
    body = getattr(options, name)
    wishes = {**(body.get("stream_options") or {}), "include_usage": True}
    setattr(asking, name, {**body, "stream_options": wishes})
    return asking
