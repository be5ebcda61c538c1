"""Loaders that call back when they execute a certain module, and are what they were in all else."""

from __future__ import annotations

from obs_run.base.observed_calls import observed

TYPE_CHECKING = False  # it is loaded amid the agent's first imports
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from obs_run.base.observed_calls import End

    Begin = Callable[[str, ModuleType], End]


def mark(loader: object, name: str, begin: Begin) -> None:
    """Have ``begin`` called when ``loader`` executes the module ``name``; it is itself again from then on.

    An attribute of the instance shadows its method, so the loader keeps its type and everything else it can do.
    """
    attributes = getattr(loader, "__dict__", None)
    if isinstance(loader, type) or not isinstance(attributes, dict):
        return  # built-in and frozen modules: their loader is a class that all of them share
    shadow = attributes.get("exec_module")
    if isinstance(shadow, _Shadow):
        shadow.names.add(name)
    elif hasattr(loader, "exec_module"):
        attributes["exec_module"] = _Shadow(attributes, loader.exec_module, name, begin)


class _Shadow:
    """A marked loader's exec_module; one loader may load several modules (zip files, test runners)."""

    __slots__ = ("_attributes", "_begin_import", "_execute", "_previous", "names")

    def __init__(
        self, attributes: dict[str, Any], execute: Callable[[ModuleType], object], name: str, begin: Begin
    ) -> None:
        self._attributes = attributes
        self._execute = execute
        self._begin_import = begin
        self._previous = attributes.get("exec_module")
        self.names = {name}

    # No frame of ours is around the module's code: it may look who imports it, and its errors tell.
    @property
    def __call__(self) -> Callable[[ModuleType], object]:
        return observed(self._execute, self._begin)

    def _begin(self, module: ModuleType) -> End:
        name = module.__spec__.name if module.__spec__ else module.__name__
        self.names.discard(name)
        if not self.names and self._attributes.get("exec_module") is self:
            if self._previous is None:
                del self._attributes["exec_module"]
            else:
                self._attributes["exec_module"] = self._previous
        return self._begin_import(name, module)
