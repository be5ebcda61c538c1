"""Model calls that an agent sends with urllib3: through a pool, or the manager of pools, which follows redirects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_instrumentors.clients import raw_responses, transports
from obs_instrumentors.clients.transports import Answer, Request, Transport
from obs_run.base import payload
from obs_run.core import streams
from obs_run.core.hooks import Instrumentor, Target

if TYPE_CHECKING:
    from obs_instrumentors.clients.transports import Started
    from obs_run.core.outcomes import Call


def start_at_manager(call: Call) -> Started:
    """Return the operation that a PoolManager's request means."""
    headers = (payload.get(call.instance, "headers"), call.kwargs.get("headers"))
    return transports.start(_TRANSPORT, Request(str(call.argument(1, "url")), call.kwargs.get("body"), headers))


def start_at_pool(call: Call) -> Started:
    """Return the operation that a request means which a pool is given by its path."""
    pool = call.instance
    url = str(call.argument(1, "url"))
    if url.startswith("/"):
        host = f"[{pool.host}]" if ":" in pool.host else pool.host
        url = f"{pool.scheme}://{host}:{pool.port}{url}"
    headers = (payload.get(pool, "headers"), call.argument(3, "headers"))
    return transports.start(_TRANSPORT, Request(url, call.argument(2, "body"), headers))


def _read_head(response: Any) -> Answer:
    body = payload.get(response, "_body")
    content_type = response.headers.get("content-type") or ""
    return Answer(response.status, content_type, body if isinstance(body, bytes) else None)


_TRANSPORT = Transport(_read_head, raw_responses.follow_urllib3, raw_responses.decoder)

INSTRUMENTORS = (
    Instrumentor(
        "urllib3",
        "urllib3",
        ">=1.26,<3",
        (
            Target(
                "urllib3.poolmanager",
                "PoolManager.urlopen",
                transports.wrap_model_requests(streams.wrap_call(start_at_manager)),
            ),
            Target(
                "urllib3.connectionpool",
                "HTTPConnectionPool.urlopen",
                transports.wrap_model_requests(streams.wrap_call(start_at_pool)),
            ),
        ),
        transports.OPERATIONS,
        is_transport=True,
    ),
)
