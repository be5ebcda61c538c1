"""Objects of the agent that can be called and are no functions, such as caches, tasks and commands."""

from __future__ import annotations

import copy
from types import MethodType
from typing import TYPE_CHECKING, Any

import wrapt

if TYPE_CHECKING:
    from collections.abc import Callable


class ObservedObject(wrapt.ObjectProxy):  # type: ignore[type-arg]  # of whatever
    """Stands for an object: calls of it are observed, all else is the object's own, its type too."""

    def __init__(self, wrapped: Any, observed: Callable[..., Any]) -> None:
        super().__init__(wrapped)
        self._self_observed = observed

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the object, observed."""
        return self._self_observed(*args, **kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        """Bind to an instance, if the object does."""
        if instance is None or not hasattr(type(self.__wrapped__), "__get__"):
            return self
        return MethodType(self, instance)

    def __repr__(self) -> str:
        """Show the object."""
        return repr(self.__wrapped__)

    def __copy__(self) -> Any:
        """Return a copy of the object."""
        return copy.copy(self.__wrapped__)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Return a copy of the object."""
        return copy.deepcopy(self.__wrapped__, memo)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Be pickled as the object is: by its name, or its content."""
        return self.__wrapped__.__reduce_ex__(protocol)
