"""Letta's client, on the base that it shares with OpenAI's: agents, their tools and their memory are the server's."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from obs_instrumentors.clients import stainless
from obs_instrumentors.clients.stainless import Dialect
from obs_instrumentors.wire.server_address import host_and_port
from obs_run.base import payload
from obs_run.core import hosted_agents
from obs_run.core.hooks import Instrumentor, Target

from . import agents, memory, runs

if TYPE_CHECKING:
    from obs_instrumentors.wire.endpoint import Endpoint
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

_ENDPOINTS: dict[str, Endpoint] = {
    f"{method} {path}": endpoint
    for path, endpoints in {**agents.ENDPOINTS, **runs.ENDPOINTS, **memory.ENDPOINTS}.items()
    for method, endpoint in endpoints.items()
}
"""By method and path below ``/v1``, with a star for each id."""


@lru_cache(maxsize=256)
def _endpoint(method: str, path: str) -> Endpoint | None:
    parts = _parts(path)
    for pattern, endpoint in _ENDPOINTS.items():
        wanted_method, _, wanted_path = pattern.partition(" ")
        wanted = wanted_path.split("/")
        if method == wanted_method and len(parts) == len(wanted) and _fits(parts, wanted):
            return endpoint
    return None


def _parts(path: str) -> list[str]:
    _, _, below = path.partition("/v1/")
    return below.rstrip("/").split("/")


def _fits(parts: list[str], wanted: list[str]) -> bool:
    return all(name in ("*", part) for part, name in zip(parts, wanted, strict=True))


def _read_provider(operation: Operation, client: Any) -> None:
    operation.provider = "letta"
    operation.server_address, operation.server_port = host_and_port(client.base_url)


def _read_path(operation: Operation, call: Call) -> None:
    """Read whose agent, memory or tool it is, and what is asked, from a request's URL."""
    options = call.argument(1, "options")
    parts = _parts(stainless.path_of(options.url))
    following = dict(pairwise(parts))
    place: Any = operation
    place.read_path(following, payload.as_dict(options.params))


def _read_failure(_: Endpoint, operation: Operation, error: BaseException) -> None:
    """Read an APIError, whose body names its kind where it was told amid a stream."""
    body = payload.get(error, "body")
    kind = payload.get_text(body, "error_type") or payload.get_text(body, "error", "type")
    operation.error_type = kind or operation.error_type


INSTRUMENTORS = (
    Instrumentor(
        "letta",
        "letta-client",
        ">=1,<2",
        (
            *stainless.targets("letta_client", Dialect(_endpoint, _read_provider, _read_failure, _read_path)),
            Target(
                "letta_client._base_client",
                "BaseClient._process_response_data",
                hosted_agents.wrap_answer(agents.note_agents),
            ),
        ),
        (
            "invoke_agent",
            "create_agent",
            "execute_tool",
            "retrieval",
            "search_memory",
            "create_memory",
            "update_memory",
            "delete_memory",
        ),
    ),
)
