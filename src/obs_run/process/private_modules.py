"""Modules of the standard library for our use alone, beside those of the same names that the agent uses.

What mocks, recorders, schedulers of greenlets and switches such as ``HTTPConnection.debuglevel`` do to the agent's,
they do not do to these. They are loaded from the interpreter's own folder, when they are first used.
"""

from __future__ import annotations

import builtins
import os
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import SourceFileLoader
from types import ModuleType
from typing import TYPE_CHECKING, Any

from obs_run.process import fork, unpatched

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Module -> where it stands below the folder of the standard library.
_FILES = {
    "socket": "socket.py",
    "ssl": "ssl.py",
    "http.client": "http/client.py",
    "http.server": "http/server.py",
    "socketserver": "socketserver.py",
}
# What a module can do without: TLS is loaded where it is used.
_LEFT_OUT = {"http.client": "ssl"}
_PREFIX = "obs_run.process.private_modules."


class _Loaded:
    """The private modules of this process."""

    def __init__(self) -> None:
        self.modules: dict[str, ModuleType] = {}
        self.lock = unpatched.RLock()
        self.builtins: dict[str, Any] = {}


_loaded = _Loaded()


def load(name: str) -> Any:
    """Return the private module ``name``, one of ``socket``, ``ssl``, ``http.client`` ..., loaded at the first call."""
    found = _loaded.modules.get(name)
    if found is not None and not getattr(found, "_is_loading", False):
        return found
    with _loaded.lock:
        return _loaded.modules.get(name) or _load(name)


def _after_fork() -> None:
    """In a child process: another thread of the parent may have held the lock, with a module half loaded."""
    _loaded.lock = unpatched.RLock()
    for name, module in list(_loaded.modules.items()):
        if getattr(module, "_is_loading", False):
            del _loaded.modules[name]


def _load(name: str) -> ModuleType:
    path = os.path.join(os.path.dirname(os.__file__), *_FILES[name].split("/"))
    full_name = _PREFIX + name.replace(".", "_")
    loader = SourceFileLoader(full_name, path)
    module = ModuleType(full_name)
    module.__spec__ = ModuleSpec(full_name, loader, origin=path)
    module.__file__ = path
    attributes: dict[str, Any] = module.__dict__
    attributes["__builtins__"] = _own_builtins()
    attributes["_is_loading"] = name
    # Enumerations look their module up. Nobody else may: some replace what they find in every module.
    _loaded.modules[name] = sys.modules[full_name] = module
    try:
        exec(loader.get_code(full_name) or "", attributes)  # noqa: S102 (what an import does)
    except BaseException:
        del _loaded.modules[name]
        raise
    finally:
        del sys.modules[full_name]
    del attributes["_is_loading"]
    return module


def _own_builtins() -> dict[str, Any]:
    """Return what private modules have for built-in functions: their imports of one another lead to private ones."""
    if not _loaded.builtins:
        _loaded.builtins = {**vars(builtins), "__import__": _import}
    return _loaded.builtins


def _import(
    name: str,
    globals: Mapping[str, object] | None = None,  # noqa: A002 (the names that __import__ has)
    locals: Mapping[str, object] | None = None,  # noqa: A002
    fromlist: Sequence[str] | None = (),
    level: int = 0,
) -> Any:
    if name == "time":
        return unpatched.time
    if name not in _FILES:
        return __import__(name, globals, locals, fromlist or (), level)
    if globals is not None and _LEFT_OUT.get(str(globals.get("_is_loading"))) == name:
        raise ImportError(name)
    private = load(name)
    if fromlist or "." not in name:
        return private
    # ``import http.client`` binds the package.
    package = ModuleType(name.partition(".")[0])
    package.__dict__.update(vars(__import__(package.__name__)))
    setattr(package, name.partition(".")[2], private)
    return package


fork.register(fork.FILES, "private modules", in_child=_after_fork)
