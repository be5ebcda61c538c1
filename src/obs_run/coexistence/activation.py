"""Instrumentors of others that the launcher activated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

launched: list[tuple[Any, str]] = []
"""What we activated, with the names that it is known by."""
activating: list[Any] = []
"""What we activate or take back at this moment, which is no wish of the agent's."""


def activate(instrumentor: Any, label: str) -> None:
    """Activate an instrumentor because the launcher chose it, unless the agent has done so."""
    if getattr(instrumentor, "is_instrumented_by_opentelemetry", False):
        return
    silently(instrumentor.instrument)
    launched.append((instrumentor, label))


def silently(do: Callable[[], object]) -> None:
    """Activate or take back, which is no wish of the agent's."""
    activating.append(do)
    try:
        do()
    finally:
        activating.pop()
