"""Our imports are resolved from the interpreter's folders, whatever stands beside the agent's script or in its path.

A file ``typing.py`` of the agent's is not for us to execute, and what the agent imports by that name is its own file.
So where its path has such files, or no longer leads to where we are installed, our modules get an ``__import__`` of
their own. Everywhere else they import as everybody does.
"""

from __future__ import annotations

import _frozen_importlib
import _frozen_importlib_external
import builtins
import os
import sys

from obs_run.base import guard
from obs_run.process.unpatched import get_ident

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from types import FrameType, ModuleType
    from typing import Any

_PACKAGES = (
    "obs_run.", "obs_instrumentors", "opentelemetry", "google", "wrapt", "typing_extensions", "prometheus_client",
    "certifi", "grpc", "phonenumbers", "stdnum", "yaml", "regex", "importlib_metadata", "zipp",
)  # fmt: skip
_PRIVATE = "obs_run_standard_library"
_MACHINERY = ("importlib", "_frozen_importlib")
_ENDINGS = (".py", ".pyc", ".so", ".pyd")

_PathFinder = _frozen_importlib_external.PathFinder
_SourceFileLoader = _frozen_importlib_external.SourceFileLoader


class _Own:
    """What is known of the agent's path, and what our modules import with."""

    def __init__(self) -> None:
        folder = os.path.dirname(os.__file__)
        self.standard: tuple[str, ...] = (folder, os.path.join(folder, "lib-dynload"))
        self.folders: tuple[str, ...] = ()
        """The interpreter's folders, and those after them where packages are installed."""
        self.expected: tuple[str, ...] = ()
        """Those of them that were in the path."""
        self.seen: list[str] = []
        """The path when it was looked at last."""
        self.shadowed: frozenset[str] = frozenset()
        self.always_private: frozenset[str] = frozenset()
        self.is_needed = False
        self.builtins: dict[str, Any] = {}
        self.lent: dict[str, ModuleType | None] = {}
        """What stood in the places of private modules that are shown for a moment."""
        self.importing: dict[int, int] = {}
        """How many imports of ours each thread is in."""


_own = _Own()


def note_path() -> None:
    """Remember where the interpreter's and the installed modules are; called before the agent changes it."""
    folder = _own.standard[0]
    path = [entry for entry in sys.path if entry]
    place = path.index(folder) if folder in path else 0
    _own.folders = tuple(dict.fromkeys((*_own.standard, *path[place:])))
    _own.expected = tuple(path[place:])
    _own.builtins = {**vars(builtins), "__import__": _import}
    guard.import_with(load)


def find_spec(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """Return where a module of ours, or one that we import, is; None where the other finders may say."""
    _look_at_path()
    if not _own.is_needed:
        return None
    is_ours = name.startswith((*_PACKAGES, _PRIVATE)) or get_ident() in _own.importing
    if not is_ours and not _is_imported_by_us(name):
        return None
    spec: ModuleSpec | None = _PathFinder.find_spec(name, _own.folders if path is None else path)
    if spec is not None and type(spec.loader) is _SourceFileLoader:
        spec.loader = _Loader(spec.loader.name, spec.loader.path)
    return spec


def load(name: str) -> Any:
    """Return a module of the standard library, for modules of ours that were loaded before the agent had its path."""
    _look_at_path()
    if not _own.is_needed:
        return builtins.__import__(name)
    return _import(name, None, None, ("__name__",))


def is_impostor(name: str, spec: ModuleSpec) -> bool:
    """Whether a file of the agent's has the name of a module of the standard library."""
    if name.partition(".")[0] not in sys.stdlib_module_names or not spec.has_location:
        return False
    return not str(spec.origin).startswith(_own.standard)


def _is_imported_by_us(name: str) -> bool:
    """Whether a module of ours imports ``name`` that was loaded before it needed an ``__import__`` of its own."""
    if name.partition(".")[0] in _own.shadowed:
        # It would be the agent's module, too.
        return False
    # Behind this function, ``find_spec`` and the finder that asks it.
    frame: FrameType | None = sys._getframe(3)  # noqa: SLF001 (public but for its name)
    while frame is not None and frame.f_globals.get("__name__", "").startswith(_MACHINERY):
        frame = frame.f_back
    return frame is not None and frame.f_globals.get("__name__", "").startswith(_PACKAGES)


class _Loader(_SourceFileLoader):
    """Loads a module that imports as we do."""

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = _own.builtins
        _lend_typing()
        super().exec_module(module)
        if module.__name__ == f"{_PRIVATE}.dataclasses":
            module.sys = _Sys()  # type: ignore[attr-defined]


class _Sys:
    """The module ``sys`` for ``dataclasses``, which looks ``typing`` up in it instead of importing it."""

    def __init__(self) -> None:
        self.modules = _Modules()

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)


class _Modules:
    """``sys.modules`` with the genuine ``typing``."""

    def __getitem__(self, name: str) -> Any:
        return sys.modules[f"{_PRIVATE}.{name}" if name == "typing" else name]

    def __contains__(self, name: str) -> bool:
        return name in sys.modules

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default


def _look_at_path() -> None:
    """Find out whether the agent's path leads our imports astray, if it has changed since the last look."""
    if sys.path == _own.seen or not _own.folders:
        return
    _own.seen = list(sys.path)
    shadowed = set()
    for entry in sys.path:
        if entry in _own.standard:
            break
        shadowed.update(_names_in(entry))
    _own.shadowed = frozenset(shadowed & sys.stdlib_module_names)
    _own.always_private = frozenset(("dataclasses",) if "typing" in _own.shadowed else ())
    is_missing = any(folder not in sys.path for folder in _own.expected)
    _own.is_needed = bool(_own.shadowed) or is_missing
    if _own.is_needed and _PRIVATE not in sys.modules:
        package = type(sys)(_PRIVATE)
        package.__path__ = list(_own.standard)
        sys.modules[_PRIVATE] = package
        # The machinery of imports is there once.
        sys.modules[f"{_PRIVATE}.importlib._bootstrap"] = _frozen_importlib
        sys.modules[f"{_PRIVATE}.importlib._bootstrap_external"] = _frozen_importlib_external


def _names_in(folder: str) -> set[str]:
    try:
        entries = os.listdir(folder or ".")
    except (OSError, TypeError, ValueError):  # an agent may write anything into its path
        return set()
    names = set()
    for entry in entries:
        name, dot, _ = entry.partition(".")
        if not dot or entry.endswith(_ENDINGS):
            names.add(name)
    return names


def _import(
    name: str,
    globals: Mapping[str, object] | None = None,  # noqa: A002 (the names that __import__ has)
    locals: Mapping[str, object] | None = None,  # noqa: A002
    fromlist: Sequence[str] | None = (),
    level: int = 0,
    original: Callable[..., Any] = builtins.__import__,
) -> Any:
    top = name.partition(".")[0]
    me = get_ident()
    _own.importing[me] = _own.importing.get(me, 0) + 1
    if _own.importing[me] == 1:
        _lend_typing()
    try:
        if level or not _is_private(top):
            return original(name, globals, locals, fromlist, level)
        if fromlist:
            return original(f"{_PRIVATE}.{name}", globals, locals, fromlist, 0)
        original(f"{_PRIVATE}.{name}", globals, locals, ("__name__",), 0)
        return sys.modules[f"{_PRIVATE}.{top}"]
    finally:
        _own.importing[me] -= 1
        if not _own.importing[me]:
            del _own.importing[me]
            _take_back()


def _lend_typing() -> None:
    """Show the private ``typing`` under its public name until our import is over.

    From Python 3.12 on the interpreter itself looks it up there as classes are made.
    """
    private = sys.modules.get(f"{_PRIVATE}.typing")
    if private is None or not _is_private("typing") or sys.version_info < (3, 12):
        return
    if "typing" not in _own.lent:
        _own.lent["typing"] = sys.modules.get("typing")
    sys.modules["typing"] = private


def _take_back() -> None:
    for name in tuple(_own.lent):
        before = _own.lent.pop(name, None)
        if before is not None:
            sys.modules[name] = before
        elif sys.modules.get(name) is sys.modules.get(f"{_PRIVATE}.{name}"):
            sys.modules.pop(name, None)


def _is_private(top: str) -> bool:
    """Whether our modules have a module of the standard library for themselves."""
    if top in _own.always_private:
        return True
    return top in _own.shadowed and not _is_genuine(sys.modules.get(top))


def _is_genuine(module: ModuleType | None) -> bool:
    spec = getattr(module, "__spec__", None)
    if spec is None:
        return False
    return not spec.has_location or str(spec.origin).startswith(_own.standard)
