"""Model calls that an agent sends with requests: every one passes a session, above its redirects.

``Session.request`` has the body before it is JSON; what the agent has prepared itself goes to ``Session.send``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.clients import raw_responses, transports
from obs_instrumentors.clients.transports import Answer, Request, Transport
from obs_run.base import payload
from obs_run.core import streams
from obs_run.core.hooks import Instrumentor, Target

if TYPE_CHECKING:
    from obs_instrumentors.clients.transports import Begin, Decode, Started
    from obs_run.core.outcomes import Call

_JSON_PLACE = 15


def _may_be_sent(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    request: Any = args[0] if args else kwargs.get("request")
    return getattr(request, "method", None) == "POST" and transports.is_model_url(request.url)


def start_request(call: Call) -> Started:
    """Return the operation that a request means before it is prepared."""
    body = call.argument(3, "data")
    if not body and not call.kwargs.get("files"):
        body = call.argument(_JSON_PLACE, "json")
    headers = (payload.get(call.instance, "headers"), call.argument(4, "headers"))
    return transports.start(_TRANSPORT, Request(str(call.argument(1, "url")), body, headers))


def start_send(call: Call) -> Started:
    """Return the operation that a PreparedRequest means."""
    request = call.argument(0, "request")
    return transports.start(_TRANSPORT, Request(request.url, request.body, (request.headers,)))


def _read_head(response: Any) -> Answer:
    body = payload.get(response, "_content")
    content_type = response.headers.get("content-type") or ""
    return Answer(response.status_code, content_type, body if isinstance(body, bytes) else None)


def _follow(response: Any, begin: Begin) -> Any:
    return raw_responses.follow_urllib3(response.raw, begin)


def _decoder(raw: Any) -> Decode | None:
    return raw_responses.decoder(raw)


_TRANSPORT = Transport(_read_head, _follow, _decoder)

INSTRUMENTORS = (
    Instrumentor(
        "requests",
        "requests",
        ">=2.25,<3",
        (
            Target(
                "requests.sessions",
                "Session.request",
                transports.wrap_model_requests(streams.wrap_call(start_request)),
            ),
            Target(
                "requests.sessions",
                "Session.send",
                transports.wrap_model_requests(streams.wrap_call(start_send), _may_be_sent),
            ),
        ),
        transports.OPERATIONS,
        is_transport=True,
    ),
)
