"""Who sets the providers up when the API is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from obs_run.base import guard

if TYPE_CHECKING:
    from types import ModuleType

    from obs_run.sdk.providers import Providers


class Starter(Protocol):
    """Who sets the providers up."""

    def set_up(self) -> Providers:
        """Return the providers, set up at the first call."""

    def providers_or_none(self) -> Providers | None:
        """Return the providers if they have been set up."""

    def adopt_tracer_provider(self, provider: Any) -> None:
        """Have the spans of a provider that the agent set, beside what the agent does with them."""

    def adopt_logger_provider(self, provider: Any) -> None:
        """Have the records of a provider that the agent set."""


class _Chosen:
    """The starter of this process."""

    starter: Starter


chosen = _Chosen()


def provider(home: ModuleType, name: str) -> Any:
    """Return the global provider of a signal, ours if none was set; None while ours is being made."""
    current = getattr(home, name)
    if current is None:
        guard.call("set-up", chosen.starter.set_up)
        current = getattr(home, name)
    return current
