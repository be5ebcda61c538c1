"""Modules that certain threads find as they are, also where the agent has taken them out of ``sys.modules``."""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING

from obs_run.process.unpatched import get_ident

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import ModuleType


class _KeptLoader:
    """Loads a module that was executed before."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._spec = module.__spec__

    def create_module(self, _spec: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec


def finder(module: ModuleType, threads: Collection[int]) -> Callable[[], ModuleSpec | None]:
    """Return what finds a module for those threads, and None for the others."""

    def find() -> ModuleSpec | None:
        return ModuleSpec(module.__name__, _KeptLoader(module)) if get_ident() in threads else None  # type: ignore[arg-type]

    return find
