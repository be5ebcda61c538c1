"""Ollama's client: every endpoint passes ``_request`` with its path and its final body.

The module's own functions (``ollama.chat``) are methods of a default client, bound when the package is imported, which
is after its submodule ``_client`` that the targets live in.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from obs_instrumentors.wire import ollama
from obs_run.base import payload
from obs_run.core import streams
from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    from obs_instrumentors.wire.endpoint import Endpoint
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call


def start_operation(call: Call) -> tuple[Operation, Reader] | None:
    """Return the operation that a request means; None where it is no model call."""
    endpoint = ollama.ENDPOINTS.get(call.argument(2, "url"))
    if endpoint is None:
        return None
    operation = endpoint.parse_request(payload.get(call.kwargs, "json"))
    operation.provider = ollama.PROVIDER
    url = payload.get(call.instance, "_client", "base_url")
    operation.server_address = payload.get_text(url, "host")
    operation.server_port = url.port
    return operation, _reader(endpoint, is_stream=bool(call.kwargs.get("stream")))


@cache
def _reader(endpoint: Endpoint, *, is_stream: bool) -> Reader:
    if not is_stream:
        return Reader(endpoint.read_response)
    return Reader(endpoint.read_response, chunk=endpoint.read_chunk, end=endpoint.finish, lazy=True)


INSTRUMENTORS = (
    Instrumentor(
        "ollama",
        "ollama",
        ">=0.4.5,<1",
        (
            Target("ollama._client", "Client._request", streams.wrap_call(start_operation)),
            Target("ollama._client", "AsyncClient._request", streams.wrap_async_call(start_operation)),
        ),
        ("chat", "text_completion", "embeddings"),
    ),
)
