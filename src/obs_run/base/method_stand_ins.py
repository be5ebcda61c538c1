"""What takes the place of methods, and binds to instances as they do."""

from __future__ import annotations

from types import MethodType

from obs_run.base import guard, stand_in

TYPE_CHECKING = False  # the module typing costs more
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class MethodStandIn(stand_in.StandIn):
    """Takes the place of a method written in Python, which binds to an instance."""

    __slots__ = ()

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Bind, as a function does."""
        return self if instance is None else MethodType(self, instance)


class PreparedMethod(stand_in.StandIn):
    """Takes the place of a method: ``prepare(instance)`` runs when the method is looked up, to be called at once."""

    __slots__ = ("_prepare",)

    def __init__(self, original: Any, prepare: Callable[[Any], object]) -> None:
        super().__init__(original, lambda: original)
        object.__setattr__(self, "_prepare", prepare)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Prepare what is to come, and give the original."""
        if instance is not None:
            guard.call("preparation", object.__getattribute__(self, "_prepare"), instance)
        return stand_in.original_of(self).__get__(instance, owner)
