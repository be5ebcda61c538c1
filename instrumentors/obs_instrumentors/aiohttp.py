"""Model calls that an agent sends with aiohttp: every one passes a session's ``_request``, above its redirects."""

from __future__ import annotations

import weakref
from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.clients import transports
from obs_instrumentors.clients.transports import Answer, Request, Transport
from obs_run.base import payload
from obs_run.core import fed_streams, streams
from obs_run.core.hooks import Instrumentor, Target

if TYPE_CHECKING:
    from obs_instrumentors.clients.transports import Begin, Started
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call


def _may_be_asked(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    if (args[0] if args else kwargs.get("method")) not in transports.METHODS:
        return False
    return transports.is_model_url(args[1] if len(args) > 1 else kwargs.get("str_or_url"))


def start_operation(call: Call) -> Started:
    """Return the operation that a request means."""
    url = call.argument(1, "str_or_url")
    base = payload.get(call.instance, "_base_url")
    if base is not None:
        url = call.instance._build_url(url)  # noqa: SLF001 (what the library itself asks)
    body = payload.coalesce(call.kwargs.get("json"), call.kwargs.get("data"))
    headers = (payload.get(call.instance, "headers"), call.kwargs.get("headers"))
    return transports.start(_TRANSPORT, Request(str(url), body, headers))


def _read_head(response: Any) -> Answer:
    content_type = response.headers.get("content-type", "")
    body = payload.get(response, "_body")
    if body is None:
        body = _fed(response.content)
    return Answer(response.status, content_type, body if isinstance(body, bytes) else None)


def _fed(stream: Any) -> bytes | None:
    """Return what a stream was fed that is at its end already, None where more is to come."""
    if not hasattr(stream, "_buffer"):
        # Of an answer without a body.
        return b""
    return b"".join(stream._buffer) if stream.is_eof() else None  # noqa: SLF001 (to read it would be to take it)


def _follow(response: Any, begin: Begin) -> Any:
    stream = response.content
    is_left = partial(_is_left, weakref.ref(response))
    return fed_streams.follow(stream, begin, list(stream._buffer), is_left)  # noqa: SLF001 (as above)


def _is_left(reference: weakref.ref[Any], error: BaseException) -> bool:
    response = reference()
    # By this very class a response tells that the agent closes it; what comes from the network has derived ones.
    return response is None or response.closed or type(error).__name__ == "ClientConnectionError"


def _read_failure(operation: Operation, error: BaseException) -> None:
    """Read a ClientResponseError, which a session may be told to raise."""
    status = payload.get_int(error, "status")
    if status:
        operation.error_type = str(status)


_TRANSPORT = Transport(_read_head, _follow, lambda _: None, _read_failure)

INSTRUMENTORS = (
    Instrumentor(
        "aiohttp",
        "aiohttp",
        ">=3.8,<4",
        (
            Target(
                "aiohttp.client",
                "ClientSession._request",
                transports.wrap_model_requests(streams.wrap_async_call(start_operation), _may_be_asked),
            ),
        ),
        transports.OPERATIONS,
        is_transport=True,
    ),
)
