"""Functions of an instrumentor's modules, which a process loads only when the library comes to need them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

__all__ = ["late_functions"]


def late_functions(package: str) -> Callable[[str, str], Callable[..., Any]]:
    """Return what gives functions of modules in ``package``, by module and name; the first call loads the module."""

    def late_function(module: str, name: str) -> Callable[..., Any]:
        loaded: list[ModuleType] = []

        def call(*args: Any) -> Any:
            if not loaded:
                # Two threads may do this at once, to the same effect.
                loaded.append(import_module(f"{package}.{module}"))
            return getattr(loaded[0], name)(*args)

        return call

    return late_function
