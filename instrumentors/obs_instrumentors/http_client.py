"""Model calls that an agent sends with ``http.client``, or with what is built upon its connections, such as httplib2.

A connection is asked for the response after the request was sent, so the call waits at the connection in between.
"""

from __future__ import annotations

import weakref
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from obs_instrumentors.clients import raw_responses, transports
from obs_instrumentors.clients.transports import Answer, Request, Transport
from obs_run.base import payload
from obs_run.core import awaited_results, streams
from obs_run.core.hooks import Instrumentor, Target

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_instrumentors.clients.transports import Started
    from obs_run.core.outcomes import Call

_HTTPS_PORT = 443


def start_operation(call: Call) -> Started:
    """Return the operation that a connection's request means."""
    connection = call.instance
    url = _url_of(connection, call.argument(1, "url"))
    request = Request(url, call.argument(2, "body"), (call.argument(3, "headers"),))
    started = transports.start(_TRANSPORT, request)
    if started is None:
        return None
    operation, reader = started
    return operation, replace(reader, deferred=partial(_wait, weakref.ref(connection), reader.deferred))


def _url_of(connection: Any, url: str) -> str:
    if not url.startswith("/"):
        return url
    scheme = "https" if connection.default_port == _HTTPS_PORT else "http"
    # Through a proxy's tunnel it is connected to the proxy.
    host = payload.coalesce(payload.get_text(connection, "_tunnel_host"), connection.host)
    port = payload.coalesce(payload.get_int(connection, "_tunnel_port"), connection.port)
    place = f"[{host}]" if ":" in host else host
    return f"{scheme}://{place}:{port}{url}"


def _wait(connection: weakref.ref[Any], follow: Callable[[Any], Any] | None, returned: Any) -> Any:
    """Return what the recording is found by: the connection, which is to give the response, and then by that."""
    if returned is None:
        return awaited_results.follow(connection(), "getresponse")
    return None if follow is None else follow(returned)


def _read_head(response: Any) -> Answer:
    content_type = response.headers.get("content-type") or ""
    return Answer(response.status, content_type)


_TRANSPORT = Transport(_read_head, raw_responses.follow_http_client, raw_responses.decoder)

INSTRUMENTORS = (
    Instrumentor(
        "http.client",
        "Python's http.client",
        ">=3.10",
        (
            Target(
                "http.client",
                "HTTPConnection.request",
                transports.wrap_model_requests(streams.wrap_call(start_operation)),
            ),
        ),
        transports.OPERATIONS,
        is_transport=True,
    ),
)
