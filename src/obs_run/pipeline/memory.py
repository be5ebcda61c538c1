"""Exporters that keep everything in memory, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


class Memory:
    """Keeps what it is given; ``items`` in order of arrival."""

    def __init__(self) -> None:
        self.items: list[Any] = []

    def export(self, batch: Sequence[Any] | Any) -> None:
        """Keep a batch of spans or log records, or one collection of metrics."""
        self.items.extend(batch if isinstance(batch, list) else [batch])

    def after_fork(self) -> None:
        """Forget what the parent made."""
        self.items.clear()


_exporters: dict[str, Memory] = {}


def exporter(signal: str) -> Memory:
    """Return the process's memory exporter of ``signal``."""
    return _exporters.setdefault(signal, Memory())
