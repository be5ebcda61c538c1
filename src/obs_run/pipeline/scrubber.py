"""What the export path asks of the scrubber that it was given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Scrubber(Protocol):
    """What ``obs_run.privacy.scrubber()`` returns: each method answers with the same object where nothing was found."""

    active: bool

    def text(self, text: str) -> str:
        """Return a text without what must not leave."""

    def value(self, name: str | None, value: Any) -> Any:
        """Return a value of any depth without it; ``name`` is the field that holds the value."""

    def attributes(self, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return attributes without it."""

    def renew(self) -> None:
        """Look for secrets that the process did not hold before."""
