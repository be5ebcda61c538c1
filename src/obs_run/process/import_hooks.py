"""Callbacks that run when a module has been imported; until then the module costs nothing."""

from __future__ import annotations

import sys

from obs_run.base import guard, stand_in
from obs_run.process import exit_code, own_imports

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    Callback = Callable[[ModuleType], None]

_waiting: dict[str, list[Callback]] = {}
_called: dict[str, list[Callback]] = {}
"""The callbacks of modules that were imported."""
_around: dict[str, Callable[[], Callable[[], object]]] = {}


def when_imported(module: str, callback: Callback) -> None:
    """Run ``callback`` with the module once its code has run; at once if that is so already.

    The module's import lock is held meanwhile, so that no thread sees it half patched; forks wait for it (see fork.py).
    """
    when_any_imported((module,), callback)


def when_any_imported(modules: Iterable[str], callback: Callback) -> None:
    """Run ``callback`` with each of the modules, as ``when_imported`` does; every process waits for very many."""
    if not _waiting and not any(finder is _finder for finder in sys.meta_path):
        sys.meta_path.insert(0, _finder)
    for module in modules:
        loaded = sys.modules.get(module)
        if loaded is None:
            _waiting.setdefault(module, []).append(callback)
        else:
            _called.setdefault(module, []).append(callback)
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
    for callback in callbacks:
        guard.call(f"set-up for {module.__name__}", callback, module)


class _Finder:
    """Finds nothing itself: it lets the other finders find a module that is waited for, and marks its loader."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        exit_code.watch_importer()
        own = own_imports.find_spec(name, path)
        if name in _called and name in sys.stdlib_module_names:
            # Imported again, or reloaded: what was put in place before is gone.
            _waiting.setdefault(name, list(_called[name]))
        if name not in _waiting:
            return own
        spec = own or self._found_by_others(name, path, target)
        if spec is not None and not own_imports.is_impostor(name, spec):
            _mark(spec.loader, name)
        return spec

    def _found_by_others(self, name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(name, path, target) if find and finder is not self else None
            if spec is not None:
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


class _Shadow:
    """A marked loader's exec_module; one loader may load several modules (zip files, test runners)."""

    __slots__ = ("_attributes", "_execute", "_previous", "names")

    def __init__(self, attributes: dict[str, Any], execute: Callback, name: str) -> None:
        self._attributes = attributes
        self._execute = execute
        self._previous = attributes.get("exec_module")
        self.names = {name}

    # No frame of ours is around the module's code: it may look who imports it, and its errors tell.
    @property
    def __call__(self) -> Callable[[ModuleType], object]:
        return stand_in.observed(self._execute, self._begin)

    def _begin(self, module: ModuleType) -> stand_in.End:
        name = module.__spec__.name if module.__spec__ else module.__name__
        self.names.discard(name)
        if not self.names and self._attributes.get("exec_module") is self:
            if self._previous is None:
                del self._attributes["exec_module"]
            else:
                self._attributes["exec_module"] = self._previous
        begin = _around.pop(name, None)
        end_around = None if begin is None else guard.call(f"set-up for {name}", begin)

        def end(has_returned: bool) -> None:  # noqa: FBT001 (see stand_in.End)
            if end_around is not None:
                guard.call(f"set-up for {name}", end_around)
            if has_returned:
                callbacks = _waiting.pop(name, [])
                _called[name] = callbacks
                _run(callbacks, sys.modules.get(name, module))

        return end
