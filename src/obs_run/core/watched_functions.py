"""Functions of libraries with a wrapper around them, which are copied, pickled and shown as what they stand for."""

from __future__ import annotations

import copy
import importlib
import sys
from typing import TYPE_CHECKING, Any

import wrapt

if TYPE_CHECKING:
    from collections.abc import Callable

    Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]


class _BoundFunction(wrapt.BoundFunctionWrapper):  # type: ignore[type-arg]  # of whatever
    """What is got from a class or an instance."""

    def __repr__(self) -> str:
        """Show the function."""
        return repr(self.__wrapped__)

    def __reduce_ex__(self, protocol: Any) -> Any:
        if hasattr(self.__wrapped__, "__self__"):
            return self.__wrapped__.__reduce_ex__(protocol)
        owner, _, name = str(self.__qualname__).rpartition(".")
        return getattr, (_Owner(self.__module__, owner), name)

    def __copy__(self) -> Any:
        """Return the same, as of any function."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        instance = getattr(self.__wrapped__, "__self__", None)
        return self if instance is None else getattr(copy.deepcopy(instance, memo), self.__name__)


class WatchedFunction(wrapt.FunctionWrapper):  # type: ignore[type-arg]  # as above
    """What stands at ``place``, a dotted name in a module."""

    __bound_function_wrapper__ = _BoundFunction

    def __init__(self, place: tuple[str, str], wrapped: Any, wrapper: Wrapper, enabled: Any = None) -> None:
        super().__init__(wrapped, wrapper, enabled)
        self._self_place = place

    def __repr__(self) -> str:
        """Show the function."""
        return repr(self.__wrapped__)

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Have it pickled by its name, which means the original in a process without us."""
        module, name = self._self_place
        if _resolve(module, name) is self and _resolve(self.__module__, self.__qualname__) is not self:
            # Watched where the package shows it, not where it is from.
            owner, _, attribute = name.rpartition(".")
            return getattr, (_Owner(module, owner), attribute)
        return self.__qualname__

    def __copy__(self) -> Any:
        """Return the same, as of any function."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Return the same, as of any function."""
        return self


def watch(module: Any, name: str, wrapper: Wrapper) -> None:
    """Put ``wrapper`` around the function with the dotted ``name`` in ``module``."""
    parent, attribute, original = wrapt.resolve_path(module, name)
    own = vars(parent).get(attribute, original) if isinstance(parent, type) else original
    setattr(parent, attribute, WatchedFunction((module.__name__, name), own, wrapper))


class _Owner:
    """A module, or a class in it, as a pickle tells it: not by the name of anything of ours."""

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = name

    def __reduce__(self) -> Any:
        module, _, name = self._name.rpartition(".")
        if self._name:
            return getattr, (_Owner(self._module, module), name)
        return importlib.import_module, (self._module,)


def _resolve(module: str | None, name: str) -> Any:
    found: Any = sys.modules.get(module or "")
    for part in name.split("."):
        found = vars(found).get(part) if isinstance(found, type) else getattr(found, part, None)
    return found
