"""Our package beside a module of the agent's of the same name: loaded anew, with imports that do not need the name."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from obs_run.process.private_imports import PrivateImports

_PACKAGE = "obs_run"


class _Finder:
    """Finds our modules until ours of import hooks is in place."""

    def __init__(self, private: PrivateImports) -> None:
        self._private = private

    def find_spec(self, name: str, path: Sequence[str] | None = None, _target: object = None) -> ModuleSpec | None:
        return self._private.find_spec(name, path)


def load_start(private: PrivateImports) -> ModuleType:
    """Return ``obs_run.launch.start``, of modules that import with ``private``; the package's name is free then."""
    for name in [name for name in sys.modules if name == _PACKAGE or name.startswith(f"{_PACKAGE}.")]:
        del sys.modules[name]
    finder: Any = _Finder(private)
    sys.meta_path.insert(0, finder)
    try:
        # The folder of the script is not in the path yet.
        private.hide(import_module(_PACKAGE))
        del sys.modules[_PACKAGE]
        private.load(f"{_PACKAGE}.process.own_imports").take_over(private)
        start: ModuleType = private.load(f"{_PACKAGE}.launch.start")
    finally:
        sys.meta_path.remove(finder)
    return start
