"""What our modules import with where the agent's path would lead them astray: an ``__import__`` of their own.

What the agent has files of the same names for, they get from a package that nobody else looks into.
"""

from __future__ import annotations

import _frozen_importlib
import _frozen_importlib_external
import builtins
import sys

from obs_run.process.unpatched import get_ident

TYPE_CHECKING = False  # the module may be one that the agent has a file for
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

_PathFinder = _frozen_importlib_external.PathFinder
_SourceFileLoader = _frozen_importlib_external.SourceFileLoader


class PrivateImports:
    """Finds and loads what our modules import."""

    def __init__(self, standard: tuple[str, ...], folders: tuple[str, ...], genuine: dict[str, Any]) -> None:
        self._standard = standard
        self._folders = folders
        self._is_needed = False
        self._shadowed: frozenset[str] = frozenset()
        self._always_private: frozenset[str] = frozenset()
        self._builtins: dict[str, Any] = {**genuine, "__import__": self._import}
        self._original: Callable[..., Any] = genuine["__import__"]
        self._package: ModuleType | None = None
        """Our package, where the agent has a module of its name."""
        self._theirs: ModuleType | None = None
        self._lent: dict[str, ModuleType | None] = {}
        """What stood in the places of private modules that are shown for a moment."""
        self._importing: dict[int, int] = {}
        """How many imports of ours each thread is in."""

    def change(self, shadowed: frozenset[str], *, is_needed: bool) -> None:
        """Take over what the agent's path is now: the modules of the standard library that it has files for."""
        self._shadowed = shadowed
        self._always_private = frozenset(("dataclasses",) if "typing" in shadowed else ())
        self._is_needed = is_needed
        if is_needed and _PRIVATE not in sys.modules:
            package = type(sys)(_PRIVATE)
            package.__path__ = list(self._folders)
            sys.modules[_PRIVATE] = package
            # The machinery of imports is there once.
            sys.modules[f"{_PRIVATE}.importlib._bootstrap"] = _frozen_importlib
            sys.modules[f"{_PRIVATE}.importlib._bootstrap_external"] = _frozen_importlib_external

    def hide(self, package: ModuleType) -> None:
        """Leave the name of our package to the agent, but for our own imports."""
        self._package = package
        self.change(frozenset(), is_needed=True)

    def show_at_times(self) -> bool:
        """Whether others can see a module of ours by the name of one of the agent's while we import."""
        return self._package is not None or self._is_typing_lent()

    def find_spec(self, name: str, path: Sequence[str] | None) -> ModuleSpec | None:
        """Return where a module of ours, or one that we import, is; None where the other finders may say."""
        if not self._is_needed:
            return None
        is_public = name.partition(".")[0] in self._shadowed  # the agent's file, where the agent imports it
        is_ours = (name.startswith((*_PACKAGES, _PRIVATE)) and not is_public) or get_ident() in self._importing
        if not is_ours and not self._is_imported_by_us(name):
            return None
        if self._package is not None and name.startswith("obs_run") and not self._is_in_package(path):
            return None
        spec: ModuleSpec | None = _PathFinder.find_spec(name, self._folders if path is None else path)
        if spec is not None and type(spec.loader) is _SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, spec.loader.path, self)
        return spec

    def _is_in_package(self, path: Sequence[str] | None) -> bool:
        """Whether ``path`` is that of a package of ours, and not of the agent's of the same name."""
        folder = str(getattr(self._package, "__path__", [""])[0])
        return path is not None and any(str(entry).startswith(folder) for entry in path)

    def load(self, name: str) -> Any:
        """Return a module of the standard library."""
        if not self._is_needed:
            return builtins.__import__(name)
        return self._import(name, None, None, ("__name__",))

    def execute(self, module: ModuleType, execute: Callable[[ModuleType], None]) -> None:
        """Have a module of ours import as we do, from its execution on."""
        module.__dict__["__builtins__"] = self._builtins
        self._begin()
        try:
            self._lend_typing()
            execute(module)
        finally:
            self._end()

    def _is_imported_by_us(self, name: str) -> bool:
        """Whether a module of ours imports ``name`` that was loaded before it needed an ``__import__`` of its own."""
        if name.partition(".")[0] in self._shadowed:
            # It would be the agent's module, too.
            return False
        # Behind this function, the two ``find_spec`` and the finder that asks them.
        frame: FrameType | None = sys._getframe(4)  # noqa: SLF001 (public but for its name)
        while frame is not None and frame.f_globals.get("__name__", "").startswith(_MACHINERY):
            frame = frame.f_back
        return frame is not None and frame.f_globals.get("__name__", "").startswith(_PACKAGES)

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002 (the names that __import__ has)
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> Any:
        top = name.partition(".")[0]
        if not level and (fromlist or top == name):
            # Found without showing anything by another name: the agent may import in another thread.
            there = sys.modules.get(f"{_PRIVATE}.{name}" if self._is_private(top) else name)
            if there is not None and _is_executed(there) and all(map(there.__dict__.__contains__, fromlist or ())):
                return there
        self._begin()
        try:
            if level or not self._is_private(top):
                return self._original(name, globals, locals, fromlist, level)
            if fromlist:
                return self._original(f"{_PRIVATE}.{name}", globals, locals, fromlist, 0)
            self._original(f"{_PRIVATE}.{name}", globals, locals, ("__name__",), 0)
            return sys.modules[f"{_PRIVATE}.{top}"]
        finally:
            self._end()

    def _begin(self) -> None:
        me = get_ident()
        self._importing[me] = self._importing.get(me, 0) + 1
        if self._importing[me] == 1:
            self._lend_typing()
            self._lend_package()

    def _end(self) -> None:
        me = get_ident()
        self._importing[me] -= 1
        if not self._importing[me]:
            del self._importing[me]
            self._take_back()
            if self._package is not None and not self._importing:
                self._take_package_back(self._package.__name__)

    def _lend_typing(self) -> None:
        """Show the private ``typing`` under its public name until our import is over.

        From Python 3.12 on the interpreter itself looks it up there as classes are made.
        """
        private = sys.modules.get(f"{_PRIVATE}.typing")
        if private is None or not self._is_typing_lent():
            return
        if "typing" not in self._lent:
            self._lent["typing"] = sys.modules.get("typing")
        sys.modules["typing"] = private

    def _is_typing_lent(self) -> bool:
        return sys.version_info >= (3, 12) and self._is_private("typing")

    def _lend_package(self) -> None:
        """Show our package under its name until all imports of ours are over."""
        package = self._package
        if package is not None and sys.modules.get(package.__name__) is not package:
            self._theirs = sys.modules.get(package.__name__)
            sys.modules[package.__name__] = package

    def _take_package_back(self, name: str) -> None:
        if self._theirs is not None:
            sys.modules[name] = self._theirs
        else:
            sys.modules.pop(name, None)

    def _take_back(self) -> None:
        for name in tuple(self._lent):
            before = self._lent.pop(name, None)
            if before is not None:
                sys.modules[name] = before
            elif sys.modules.get(name) is sys.modules.get(f"{_PRIVATE}.{name}"):
                sys.modules.pop(name, None)

    def _is_private(self, top: str) -> bool:
        """Whether our modules have a module of the standard library for themselves."""
        if top in self._always_private:
            return True
        return top in self._shadowed and not self._is_genuine(sys.modules.get(top))

    def _is_genuine(self, module: ModuleType | None) -> bool:
        spec = getattr(module, "__spec__", None)
        if spec is None:
            return False
        return not spec.has_location or str(spec.origin).startswith(self._standard)


def _is_executed(module: ModuleType) -> bool:
    spec = getattr(module, "__spec__", None)
    return spec is not None and not getattr(spec, "_initializing", False)


class _Loader(_SourceFileLoader):
    """Loads a module that imports as we do."""

    def __init__(self, name: str, path: str, imports: PrivateImports) -> None:
        super().__init__(name, path)
        self._imports = imports

    def exec_module(self, module: ModuleType) -> None:
        self._imports.execute(module, super().exec_module)
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
