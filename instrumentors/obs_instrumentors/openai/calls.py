"""From a request of the base client to an operation, and from whatever mode of response back into it."""

from __future__ import annotations

import copy
from functools import partial
from typing import TYPE_CHECKING, Any

from obs_run.core import messages, payload, semconv
from obs_run.core.operations import Inference
from obs_run.core.reading import Reader

from . import chat, completions, embeddings, hosts, media, moderations, responses

if TYPE_CHECKING:
    from obs_run.core.operations import Operation
    from obs_run.core.reading import Call

    from .endpoint import Endpoint

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
_RETRIES = "x-stainless-retry-count"


def begin(default_provider: str, call: Call) -> tuple[Operation, Reader] | None:
    """Return the operation that a request means and how its outcome is read; None where it is no model call."""
    options = call.argument(1, "options")
    endpoint = _endpoint(options.method, options.url)
    if endpoint is None:
        return None
    body = _path_of(options.url) if endpoint is responses.FETCH else _body(options)
    operation = endpoint.begin(body)
    hosts.place(operation, call.instance, default_provider)
    if call.kwargs.get("stream") and isinstance(operation, Inference):
        operation.stream = True
    if isinstance(operation, chat.Chat) and _may_ask_for_usage(operation, options):
        operation.asked_for_usage = True
        call.replace(1, "options", _asking_for_usage(options))
    return operation, _READERS[endpoint]


def http_response(value: Any) -> Any:
    """Return the HTTP response behind a stream, a raw response or a binary result; None behind a model."""
    if hasattr(type(value), "__pydantic_extra__"):
        # A model takes microseconds to say that it has no such fields.
        return None
    for name in ("http_response", "response", "_response"):
        found = getattr(value, name, None)
        if hasattr(found, "is_stream_consumed"):
            return found
    return value if hasattr(value, "is_stream_consumed") else None


def note_retries(operation: Operation, call: Call) -> None:
    """Read from the response that is about to be parsed how often the client tried again."""
    _count_retries(operation, call.argument(2, "response"))


def _endpoint(method: str, url: str) -> Endpoint | None:
    parent, _, last = url.partition("?")[0].rstrip("/").rpartition("/")
    ends = f"/{last}", f"/{parent.rpartition('/')[2]}/{last}"
    for end in reversed(ends):
        endpoint = ENDPOINTS.get(f"{method.lower()} {end}")
        if endpoint is not None:
            return endpoint
    if method.lower() == "get" and parent.endswith("/responses"):
        return responses.FETCH
    return None


def _path_of(url: str) -> dict[str, Any]:
    return {"id": url.partition("?")[0].rstrip("/").rpartition("/")[2]}


def _body(options: Any) -> dict[str, Any]:
    """Return the request's JSON body: what the client was given, and what the agent put beside it."""
    body = {}
    for part in (options.json_data, options.extra_json):
        if isinstance(part, dict):
            body.update(part)
    return body


def _later(returned: Any) -> Any:
    """Return the HTTP response that the agent will read, None where it has been read."""
    response = http_response(returned)
    return None if response is None or _is_read(response) else response


def _result(endpoint: Endpoint, operation: Operation, returned: Any) -> None:
    response = http_response(returned)
    if response is None:
        endpoint.result(operation, returned)
    else:
        _read_body(endpoint, operation, response)


def _closed(endpoint: Endpoint, operation: Operation, instance: Any) -> None:
    response = http_response(instance)
    if _is_read(response):
        _read_body(endpoint, operation, response)
    elif not response.is_stream_consumed and isinstance(operation, Inference):
        operation.stream_end = "abandoned"


def _failure(endpoint: Endpoint, operation: Operation, error: BaseException) -> None:
    body = payload.field(error, "body")
    operation.error_type = (
        payload.text(payload.field(error, "code"))
        or payload.text(payload.field(body, "code"))
        or payload.text(payload.field(body, "error", "code"))
        or operation.error_type
    )
    _count_retries(operation, payload.first(payload.field(error, "response"), error))
    completion = payload.field(error, "completion")
    if completion is not None:
        # The answer was cut off, which the client's parse() raises after the provider has billed it.
        endpoint.result(operation, completion)


def _read_body(endpoint: Endpoint, operation: Operation, response: Any) -> None:
    if "json" in response.headers.get("content-type", ""):
        endpoint.result(operation, messages.parsed(response.text))


def _is_read(response: Any) -> bool:
    # The public way to ask is to catch what `content` raises.
    return hasattr(response, "_content")


def _count_retries(operation: Operation, response: Any) -> None:
    headers = payload.field(response, "request", "headers")
    count = headers.get(_RETRIES, "") if headers is not None else ""
    if count.isdigit() and int(count):
        operation.extra[semconv.OBS_REQUEST_RETRIES] = int(count)


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


def _reader(endpoint: Endpoint) -> Reader:
    return Reader(
        result=partial(_result, endpoint),
        later=_later,
        chunk=endpoint.chunk,
        hides=endpoint.hides,
        end=endpoint.end,
        failure=partial(_failure, endpoint),
        closed=partial(_closed, endpoint),
    )


_READERS = {endpoint: _reader(endpoint) for endpoint in (*ENDPOINTS.values(), responses.FETCH)}
