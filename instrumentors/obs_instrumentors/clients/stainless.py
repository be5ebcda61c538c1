"""What libraries share whose client was generated from the same base: OpenAI's, Anthropic's and others.

One hook covers all endpoints and call modes: the request method of the base client (outside of its retries), the
generator behind every stream, and the methods that close a response.
"""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_instrumentors.clients import response_bytes
from obs_instrumentors.clients.stream_objects import stream_or_none
from obs_instrumentors.wire.server_sent_events import all_data
from obs_run.base import guard, payload
from obs_run.base.json_text import from_json
from obs_run.core import operations, semconv, streams
from obs_run.core.hooks import Target
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeGuard

    from obs_instrumentors.wire.endpoint import Endpoint
    from obs_run.core.operations import Inference, Operation, RemoteAgentRun
    from obs_run.core.outcomes import Call

_RETRIES = "x-stainless-retry-count"
_CLIENTS = ("SyncAPIClient", "AsyncAPIClient")


class Dialect(NamedTuple):
    """What a library makes of the common base.

    ``endpoint`` tells what method and path mean, None where it is no model call; ``read_provider`` says who answers
    where; ``read_failure`` reads the library's error; ``prepare`` reads the whole call, and may replace its arguments;
    ``read_headers`` reads what only the HTTP response says.
    """

    endpoint: Callable[[str, str], Endpoint | None]
    read_provider: Callable[[Operation, Any], None]
    read_failure: Callable[[Endpoint, Operation, BaseException], None]
    prepare: Callable[[Operation, Call], None] | None = None
    read_headers: Callable[[Operation, Any], None] | None = None


def targets(package: str, dialect: Dialect) -> tuple[Target, ...]:
    """Return the targets of a package's base."""
    base = f"{package}._base_client"
    streaming = f"{package}._streaming"
    response = f"{package}._response"
    start = partial(start_operation, dialect)
    note_response = streams.wrap_inner_call(partial(_note_response, dialect))
    return (
        Target(base, "SyncAPIClient.request", streams.wrap_call(start)),
        Target(base, "AsyncAPIClient.request", streams.wrap_async_call(start)),
        *(Target(base, f"{name}._process_response", note_response, optional=True) for name in _CLIENTS),
        Target(streaming, "Stream.__stream__", streams.wrap_iter(http_response)),
        Target(streaming, "AsyncStream.__stream__", streams.wrap_iter(http_response)),
        *close_targets(streaming, "Stream", "AsyncStream"),
        *close_targets(response, "APIResponse", "AsyncAPIResponse"),
    )


def close_targets(module: str, *classes: str) -> tuple[Target, ...]:
    """Return the targets for classes whose ``close`` ends the reading of a response."""
    return tuple(Target(module, f"{name}.close", streams.wrap_close(http_response), optional=True) for name in classes)


def start_operation(dialect: Dialect, call: Call) -> tuple[Operation, Reader] | None:
    """Return the operation that a request means and how its outcome is read; None where it is no model call."""
    options = call.argument(1, "options")
    endpoint = dialect.endpoint(options.method.lower(), path_of(options.url))
    if endpoint is None:
        return None
    operation = endpoint.parse_request(_body(options))
    dialect.read_provider(operation, call.instance)
    if call.kwargs.get("stream") and _may_stream(operation):
        operation.stream = True
    if dialect.prepare is not None:
        dialect.prepare(operation, call)
    return operation, reader(endpoint, dialect)


def _may_stream(operation: Operation) -> TypeGuard[Inference | RemoteAgentRun]:
    # Their classes are loaded with the first request, not with the library.
    return isinstance(operation, (operations.Inference, operations.RemoteAgentRun))


def path_of(url: str) -> str:
    """Return the path of a request's URL, without what only asks for a variant of it."""
    return url.partition("?")[0].rstrip("/")


def path_suffixes(path: str) -> tuple[str, str]:
    """Return the last two parts of a path and the last one; providers put different prefixes before them."""
    parent, _, last = path.rpartition("/")
    _, _, before_last = parent.rpartition("/")
    return f"/{before_last}/{last}", f"/{last}"


def http_response(value: Any) -> Any:
    """Return the HTTP response behind a stream, a raw response or a binary result; None behind a model."""
    if hasattr(type(value), "__pydantic_extra__"):
        # A model takes microseconds to say that it has no such fields.
        return None
    for name in ("http_response", "response", "_response"):
        response = getattr(value, name, None)
        if _is_http_response(response):
            return response
    return value if _is_http_response(value) else None


def _is_http_response(value: Any) -> bool:
    """Whether a value is a response of httpx, by a field that only those have: we do not import it."""
    return hasattr(value, "is_stream_consumed")


def _body(options: Any) -> dict[str, Any]:
    """Return the JSON body of FinalRequestOptions: what the method was called with, and the agent's extra body."""
    if options.method.lower() == "get":
        # A request for a stored response, whose id is in the path.
        return {"id": path_of(options.url).rpartition("/")[2]}
    body: dict[str, Any] = {}
    for part in (options.json_data, options.extra_json):
        if isinstance(part, dict):
            body.update(part)
    return body


def _note_response(dialect: Dialect, operation: Operation, call: Call) -> None:
    """Read from the response that is about to be parsed how often the client tried again."""
    response = call.argument(2, "response")
    _count_retries(operation, response)
    if dialect.read_headers is not None:
        dialect.read_headers(operation, response)


def _deferred(returned: Any) -> Any:
    """Return the HTTP response that the agent will read, None where what it says is there already."""
    response = http_response(returned)
    if response is None:
        return None
    if _is_read(response):
        # A hook of the agent may have read the body of a stream, whose events the agent reads all the same.
        return None if stream_or_none(returned) is None else response
    guard.call("stream", response_bytes.follow, response)
    return response


def _result(endpoint: Endpoint, operation: Operation, returned: Any) -> None:
    response = http_response(returned)
    if response is None:
        endpoint.read_response(operation, returned)
    else:
        _read_body(endpoint, operation, response)


def _closed(endpoint: Endpoint, operation: Operation, instance: Any) -> None:
    response = http_response(instance)
    if _is_read(response):
        _read_body(endpoint, operation, response)
    elif not response.is_stream_consumed and _may_stream(operation):
        operation.stream_end = "abandoned"


def _failure(endpoint: Endpoint, dialect: Dialect, operation: Operation, error: BaseException) -> None:
    dialect.read_failure(endpoint, operation, error)
    # A connection that failed has a request and no response.
    _count_retries(operation, payload.coalesce(payload.get(error, "response"), error))


def _read_body(endpoint: Endpoint, operation: Operation, response: Any) -> None:
    if "json" in response.headers.get("content-type", ""):
        endpoint.read_response(operation, from_json(response.content))
    elif endpoint.read_chunk is not None and response_bytes.is_event_stream(response):
        for event in all_data(response.content):
            endpoint.read_chunk(operation, event)
        if endpoint.finish is not None:
            endpoint.finish(operation)


def _is_read(response: Any) -> bool:
    # The public way to ask is to catch what `content` raises.
    return hasattr(response, "_content")


def _count_retries(operation: Operation, response: Any) -> None:
    headers = payload.get(response, "request", "headers")
    if headers is None:
        return
    count = headers.get(_RETRIES, "")
    if count.isdigit() and int(count):
        operation.extra[semconv.OBS_REQUEST_RETRIES] = int(count)


@cache
def reader(endpoint: Endpoint, dialect: Dialect) -> Reader:
    """Return how the outcome of an endpoint is read, whatever mode the agent asked for it in."""
    return Reader(
        result=partial(_result, endpoint),
        deferred=_deferred,
        chunk=endpoint.read_chunk,
        is_synthetic=endpoint.hides_chunk,
        end=endpoint.finish,
        failure=partial(_failure, endpoint, dialect),
        closed=partial(_closed, endpoint),
    )
