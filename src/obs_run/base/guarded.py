"""The failure guard around a block."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obs_run.base import guard

if TYPE_CHECKING:
    from typing_extensions import Self


class guarded:  # noqa: N801 (it is used as a function)
    """Swallow what the block raises; the failure is said once per site."""

    __slots__ = ("_site",)

    def __init__(self, site: str) -> None:
        self._site = site

    def __enter__(self) -> Self:
        """Begin the block."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, stack: object) -> bool:
        """Swallow an error; what ends the program or the task passes."""
        if not isinstance(error, Exception) or guard.is_meant_for_agent(error):
            return False
        try:
            guard.failed(self._site, error)
        finally:
            del error  # see ``guard.failed``
        return True
