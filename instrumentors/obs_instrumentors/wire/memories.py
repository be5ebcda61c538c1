"""What is found in the memory of an agent, whoever keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core import content

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.operations import Memory


def read_found(operation: Memory, found: list[Any], record: Callable[[Any], dict[str, Any]]) -> None:
    """Read the records that were found; ``record`` makes of each what the conventions have."""
    operation.record_count = len(found)
    if content.wanted():
        operation.records = [record(each) for each in found]
