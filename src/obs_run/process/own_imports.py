"""Our imports are resolved from the interpreter's folders, whatever stands beside the agent's script or in its path.

A file ``typing.py`` of the agent's is not for us to execute, and what the agent imports by that name is its own file.
So where its path has such files, or no longer leads to where we are installed, our modules get imports of their own
(private_imports.py). Everywhere else they import as everybody does.
"""

import builtins
import os
import sys

from obs_run.base import guard

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

    from obs_run.process.private_imports import PrivateImports

_ENDINGS = (".py", ".pyc", ".so", ".pyd")
# Beside the standard library what OpenTelemetry imports that nobody shares objects of.
_CAN_BE_PRIVATE = sys.stdlib_module_names | {"typing_extensions"}
# What we import that agents import too, from the same place. These two have no ``__init__.py``, so that a folder with
# one is the agent's own; the others are folders, so that a file is.
_IN_PARTS = frozenset(("opentelemetry", "google"))
_PACKAGE = "obs_run"
_SHARED = _IN_PARTS | {"wrapt", "prometheus_client", "certifi", "grpc", "phonenumbers", "stdnum", "yaml", "regex"}


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
        self.builtins: dict[str, Any] = {}
        """What was there before the agent could change any of it."""
        self.private: PrivateImports | None = None
        """What was loaded at the first need."""
        self.is_hidden = False
        """Whether the agent has a module ``obs_run`` of its own, which it gets where it imports that name."""
        self.kept: dict[str, Callable[[], ModuleSpec | None]] = {}
        """What finds modules that certain threads never import anew."""


_own = _Own()


def note_path() -> None:
    """Remember where the interpreter's and the installed modules are; called before the agent changes it."""
    folder = _own.standard[0]
    path = [entry for entry in sys.path if entry]
    place = path.index(folder) if folder in path else 0
    _own.folders = tuple(dict.fromkeys((*_own.standard, *path[place:])))
    _own.expected = tuple(path[place:])
    _own.builtins = dict(vars(builtins))
    guard.import_with(load)


def load_beside_namesake() -> "ModuleType | None":
    """Return ``obs_run.launch.start``, loaded anew, where the agent has a module ``obs_run`` of its own; else None.

    The agent gets its own where it imports that name, and ours are loaded so that they need the name no longer.
    """
    if _own.is_hidden or not _is_package_hidden():
        return None
    private = _make_private()
    if private is None:
        return None
    from obs_run.process import hidden_package

    return hidden_package.load_start(private)


def take_over(private: "PrivateImports") -> None:
    """Import with what another copy of this module made."""
    _own.private, _own.is_hidden = private, True


def keep(module: "ModuleType", threads: "Collection[int]") -> None:
    """Have ``threads`` find a module as it is, also where the agent has taken it out of ``sys.modules``.

    The thread that executes ``threading`` is the main one to it, which the interpreter waits for at its end.
    """
    from obs_run.process import kept_modules

    _own.kept[module.__name__] = kept_modules.finder(module, threads)


def find_spec(name: str, path: "Sequence[str] | None") -> "ModuleSpec | None":
    """Return where a module of ours, or one that we import, is; None where the other finders may say."""
    find = _own.kept.get(name)
    kept = find() if find is not None else None
    if kept is not None:
        return kept
    _look_at_path()
    return None if _own.private is None else _own.private.find_spec(name, path)


def load(name: str) -> "Any":
    """Return a module of the standard library, for modules of ours that were loaded before the agent had its path."""
    _look_at_path()
    return builtins.__import__(name) if _own.private is None else _own.private.load(name)


def show_at_times() -> bool:
    """Whether an import of ours shows, while it lasts, a module of ours by a name that the agent has a file for.

    The agent's imports in other threads would find it meanwhile.
    """
    _look_at_path()
    return _own.private is not None and _own.private.show_at_times()


def is_impostor(name: str, spec: "ModuleSpec") -> bool:
    """Whether a file of the agent's has the name of a module of the standard library."""
    if name.partition(".")[0] not in sys.stdlib_module_names or not spec.has_location:
        return False
    return not str(spec.origin).startswith(_own.standard)


def _look_at_path() -> None:
    """Find out whether the agent's path leads our imports astray, if it has changed since the last look."""
    if sys.path == _own.seen or not _own.folders:
        return
    _own.seen = list(sys.path)
    names: set[str] = set()
    for entry in sys.path:
        if entry in _own.standard:
            break
        found = _names_in(entry)
        names.update(found & _CAN_BE_PRIVATE)
        names.update(name for name in found & _SHARED if _hides(entry, name))
    shadowed = names
    is_needed = bool(shadowed) or _own.is_hidden or any(folder not in sys.path for folder in _own.expected)
    if is_needed and _own.private is None:
        _own.private = guard.call("imports", _make_private)
    if _own.private is not None:
        _own.private.change(frozenset(shadowed), is_needed=is_needed)


def _is_package_hidden() -> bool:
    """Whether a module ``obs_run`` of the agent's stands beside its script, whose folder is not in the path yet."""
    if sys.flags.isolated or getattr(sys.flags, "safe_path", False):
        return False
    script = (getattr(sys, "argv", None) or [""])[0]
    try:
        folder = "" if script in ("", "-c", "-m") else script
        if os.path.islink(folder):
            folder = os.path.realpath(folder)
        if folder and not os.path.isdir(folder):
            folder = os.path.dirname(folder)
        if not _hides(folder, _PACKAGE):
            return False
        return os.path.realpath(os.path.join(folder, _PACKAGE)) != os.path.dirname(os.path.dirname(__file__))
    except OSError:  # the folder that the agent runs in is gone
        return False


def _make_private() -> "PrivateImports | None":
    try:
        from obs_run.process import private_imports
    except ImportError:  # the agent has left nothing that can be loaded; then nothing else of ours is loaded either
        return None
    return private_imports.PrivateImports(_own.standard, _own.folders, _own.builtins)


def _hides(folder: str, name: str) -> bool:
    """Whether the agent has something of its own by the name of a library."""
    path = os.path.join(folder, name)
    own = [path + ending for ending in _ENDINGS]
    if name in _IN_PARTS or name == _PACKAGE:
        own.append(os.path.join(path, "__init__.py"))
    return any(map(os.path.exists, own))


def _names_in(folder: str) -> "set[str]":
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
