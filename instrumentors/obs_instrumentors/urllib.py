"""Model calls that an agent sends with ``urllib.request``, whose responses are those of ``http.client``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.clients import raw_responses, transports
from obs_instrumentors.clients.transports import Answer, Request, Transport
from obs_run.base import payload
from obs_run.core import streams
from obs_run.core.hooks import Instrumentor, Target

if TYPE_CHECKING:
    from obs_instrumentors.clients.transports import Started
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call


def _may_be_asked(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    target: Any = args[0] if args else kwargs.get("url", kwargs.get("fullurl"))
    data = args[1] if len(args) > 1 else kwargs.get("data")
    if type(target) is str:
        return data is not None and transports.is_model_url(target)
    if data is None and getattr(target, "data", None) is None:
        return False
    method = getattr(target, "method", None) or "POST"
    return method in transports.METHODS and transports.is_model_url(target.full_url)


def start_operation(call: Call) -> Started:
    """Return the operation that a URL with data means, or a Request."""
    target: Any = call.args[0] if call.args else call.kwargs.get("url", call.kwargs.get("fullurl"))
    data = call.argument(1, "data")
    if isinstance(target, str):
        return transports.start(_TRANSPORT, Request(target, data))
    body = payload.coalesce(data, target.data)
    return transports.start(_TRANSPORT, Request(target.full_url, body, (target.headers,)))


def _read_head(response: Any) -> Answer:
    content_type = response.headers.get("content-type") or ""
    return Answer(response.status, content_type)


def _read_failure(operation: Operation, error: BaseException) -> None:
    """Read an HTTPError, whose body is the agent's to read."""
    status = payload.get_int(error, "code")
    if status is not None:
        operation.error_type = str(status)


_TRANSPORT = Transport(_read_head, raw_responses.follow_http_client, raw_responses.decoder, _read_failure)
_WRAPPER = transports.wrap_model_requests(streams.wrap_call(start_operation), _may_be_asked)

INSTRUMENTORS = (
    Instrumentor(
        "urllib",
        "Python's urllib",
        ">=3.10",
        (Target("urllib.request", "urlopen", _WRAPPER), Target("urllib.request", "OpenerDirector.open", _WRAPPER)),
        transports.OPERATIONS,
        is_transport=True,
    ),
)
