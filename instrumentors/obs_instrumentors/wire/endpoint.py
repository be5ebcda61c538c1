"""What an endpoint of a wire format is to those who hook a library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core.sparse_dataclasses import sparse_dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import Operation


@sparse_dataclass
class Endpoint:
    """Pure functions from a request's body to an operation, and from a response or its chunks into it.

    ``finish`` is called once when a stream is over, however it ended. ``hides_chunk`` tells a chunk that the agent did
    not ask for.
    """

    parse_request: Callable[[dict[str, Any]], Operation]
    read_response: Callable[[Any, Any], None]
    read_chunk: Callable[[Any, Any], None] | None = None
    finish: Callable[[Any], None] | None = None
    hides_chunk: Callable[[Any, Any], bool] | None = None
