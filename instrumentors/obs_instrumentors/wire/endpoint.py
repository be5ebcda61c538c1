"""What an endpoint of a wire format is to those who hook a library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import Operation


@dataclass(frozen=True)
class Endpoint:
    """Pure functions from a request's body to an operation, and from a response or its pieces into it."""

    begin: Callable[[dict[str, Any]], Operation]
    result: Callable[[Any, Any], None]
    chunk: Callable[[Any, Any], None] | None = None
    end: Callable[[Any], None] | None = None
    hides: Callable[[Any, Any], bool] | None = None
