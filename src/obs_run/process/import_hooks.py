"""Callbacks that run when a module has been imported; until then the module costs nothing."""

from __future__ import annotations

import sys

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    Callback = Callable[[ModuleType], None]

_waiting: dict[str, list[Callback]] = {}
_around: dict[str, Callable[[], Callable[[], object]]] = {}


def when_imported(module: str, callback: Callback) -> None:
    """Run ``callback`` with the module once its code has run; at once if that is so already.

    The module's import lock is held meanwhile, so that no thread sees it half patched; forks wait for it (see fork.py).
    """
    loaded = sys.modules.get(module)
    if loaded is None:
        if not _waiting and not any(finder is _finder for finder in sys.meta_path):
            sys.meta_path.insert(0, _finder)
        _waiting.setdefault(module, []).append(callback)
    else:
        _run([callback], loaded)


def around_import(module: str, begin: Callable[[], Callable[[], object]]) -> None:
    """Call ``begin`` before the module's code runs, and what it returns when that is over; nothing if it has run."""
    if module not in sys.modules:
        when_imported(module, _nothing)
        _around[module] = begin


def _nothing(module: ModuleType) -> None:
    """Wait for a module around whose import something happens."""


def waiting() -> list[str]:
    """Return the names of the modules that were not imported yet."""
    return sorted(_waiting)


def _run(callbacks: list[Callback], module: ModuleType) -> None:
    from obs_run.base import guard

    for callback in callbacks:
        guard.call(f"set-up for {module.__name__}", callback, module)


class _Finder:
    """Finds nothing itself: it lets the other finders find a module that is waited for, and marks its loader."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in _waiting:
            return None
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(name, path, target) if find and finder is not self else None
            if spec is not None:
                _mark(spec.loader, name)
                return spec
        return None


_finder = _Finder()


def _mark(loader: object, name: str) -> None:
    """Have ``loader`` call back when it has executed ``name``, and be itself again from then on.

    An attribute of the instance shadows its method, so the loader keeps its type and everything else it can do.
    """
    attributes = getattr(loader, "__dict__", None)
    if isinstance(loader, type) or not isinstance(attributes, dict):
        return  # built-in and frozen modules: their loader is a class that all of them share
    shadow = attributes.get("exec_module")
    if isinstance(shadow, _Shadow):
        shadow.names.add(name)
    elif hasattr(loader, "exec_module"):
        attributes["exec_module"] = _Shadow(attributes, loader.exec_module, name)


def _execute_inside(begin: Callable[[], Callable[[], object]], execute: Callback, module: ModuleType) -> None:
    from obs_run.base import guard

    end = guard.call(f"set-up for {module.__name__}", begin)
    try:
        execute(module)
    finally:
        if end is not None:
            guard.call(f"set-up for {module.__name__}", end)


class _Shadow:
    """A marked loader's exec_module; one loader may load several modules (zip files, test runners)."""

    __slots__ = ("_attributes", "_execute", "_previous", "names")

    def __init__(self, attributes: dict[str, Any], execute: Callback, name: str) -> None:
        self._attributes = attributes
        self._execute = execute
        self._previous = attributes.get("exec_module")
        self.names = {name}

    def __call__(self, module: ModuleType) -> None:
        name = module.__spec__.name if module.__spec__ else module.__name__
        self.names.discard(name)
        if not self.names and self._attributes.get("exec_module") is self:
            if self._previous is None:
                del self._attributes["exec_module"]
            else:
                self._attributes["exec_module"] = self._previous
        begin = _around.pop(name, None)
        if begin is None:
            self._execute(module)
        else:
            _execute_inside(begin, self._execute, module)
        _run(_waiting.pop(name, []), sys.modules.get(name, module))
