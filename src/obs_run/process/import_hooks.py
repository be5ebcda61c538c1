"""Callbacks that run when a module has been imported; until then the module costs nothing."""

import sys

from obs_run.base import guard
from obs_run.process import exit_code, own_imports

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    from obs_run.base.observed_calls import End

    Callback = Callable[[ModuleType], None]

_waiting: "dict[str, list[Callback]]" = {}
_called: "dict[str, list[Callback]]" = {}
"""The callbacks of modules that were imported."""
_around: "dict[str, Callable[[], Callable[[], object]]]" = {}
_before_libraries: "list[Callable[[], object]]" = []
# Modules of the standard library that instrumentors are published for.
_INSTRUMENTED_STANDARD = frozenset(("http.server", "sqlite3", "urllib.request"))
_CUSTOMIZING = frozenset(("sitecustomize", "usercustomize"))
_OURS = ("obs_run", "obs_instrumentors")


def when_imported(module: str, callback: "Callback") -> None:
    """Run ``callback`` with the module once its code has run; at once if that is so already.

    The module's import lock is held meanwhile, so that no thread sees it half patched; forks wait for it (see fork.py).
    """
    when_any_imported((module,), callback)


def when_any_imported(modules: "Iterable[str]", callback: "Callback") -> None:
    """Run ``callback`` with each of the modules, as ``when_imported`` does; every process waits for very many."""
    if not _waiting:
        _insert_finder()
    for module in modules:
        loaded = sys.modules.get(module)
        callbacks = (_waiting if loaded is None else _called).setdefault(module, [])
        if callback in callbacks:
            continue
        callbacks.append(callback)
        if loaded is not None:
            _run([callback], loaded)


def before_libraries(prepare: "Callable[[], object]") -> None:
    """Call ``prepare`` before the first module of a library is looked for; at once if there is one already.

    It says for what is to be waited, and may be called more than once: by each of the threads that import libraries.
    Most of the processes that an agent starts need nothing but the standard library.
    """
    if any(map(_is_of_library, tuple(sys.modules))):
        guard.call("libraries", prepare)
    else:
        _before_libraries.append(prepare)
        _insert_finder()


def _insert_finder() -> None:
    if not any(finder is _finder for finder in sys.meta_path):
        sys.meta_path.insert(0, _finder)


def _is_of_library(name: str) -> bool:
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names:
        return name in _INSTRUMENTED_STANDARD
    # What begins with an underscore are programs themselves, and what installers and virtual environments bring.
    return not top.startswith(("_", *_OURS)) and top not in _CUSTOMIZING


def _prepare_for_libraries() -> None:
    for prepare in tuple(_before_libraries):
        guard.call("libraries", prepare)
    # Only now: another thread's library could be missed else.
    _before_libraries.clear()


def around_import(module: str, begin: "Callable[[], Callable[[], object]]") -> None:
    """Call ``begin`` before the module's code runs, and what it returns when that is over; nothing if it has run."""
    if module not in sys.modules:
        when_imported(module, _nothing)
        _around[module] = begin


def _nothing(module: "ModuleType") -> None:
    """Wait for a module around whose import something happens."""


def waiting() -> "list[str]":
    """Return the names of the modules that were not imported yet."""
    return sorted(_waiting)


def _run(callbacks: "list[Callback]", module: "ModuleType") -> None:
    for callback in callbacks:
        guard.call(f"set-up for {module.__name__}", callback, module)


class _Finder:
    """Finds nothing itself: it lets the other finders find a module that is waited for, and marks its loader."""

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        exit_code.watch_importer()
        if next(iter(sys.meta_path), None) is not self:
            guard.call("imports", _catch_up)
        if _before_libraries and _is_of_library(name):
            _prepare_for_libraries()
        own = own_imports.find_spec(name, path)
        if name in _called and name in sys.stdlib_module_names:
            # Imported again, or reloaded: what was put in place before is gone.
            _waiting.setdefault(name, list(_called[name]))
        if name not in _waiting:
            return own
        spec = own or self._found_by_others(name, path, target)
        if spec is not None and not own_imports.is_impostor(name, spec):
            guard.call(f"set-up for {name}", _mark, spec.loader, name)
        return spec

    def _found_by_others(
        self, name: str, path: "Sequence[str] | None", target: "ModuleType | None"
    ) -> "ModuleSpec | None":
        for finder in sys.meta_path:
            find = getattr(finder, "find_spec", None)
            spec: ModuleSpec | None = find(name, path, target) if find and finder is not self else None
            if spec is not None:
                return spec
        return None


_finder = _Finder()


def _catch_up() -> None:
    """Run the callbacks of modules that a finder before ours found by itself, as test runners and type checkers do."""
    # Hundreds are waited for, and this is asked with each import.
    for name in _waiting.keys() & sys.modules.keys():
        module = sys.modules.get(name)
        # One that is imported again gets its callbacks when it has been executed.
        if module is None or name in _called:
            continue
        spec = getattr(module, "__spec__", None)
        if spec is None or not spec.has_location or own_imports.is_impostor(name, spec):
            continue
        if not getattr(spec, "_initializing", False):
            _called[name] = _waiting.pop(name, [])
            _run(_called[name], module)


def _mark(loader: object, name: str) -> None:
    # Many short processes import nothing that is waited for.
    from obs_run.process import marked_loaders

    marked_loaders.mark(loader, name, _begin_import)


def _begin_import(name: str, module: "ModuleType") -> "End":
    """Do what is to be done before the code of a module runs; return what does the rest after it."""
    begin = _around.pop(name, None)
    end_around = None if begin is None else guard.call(f"set-up for {name}", begin)

    def end(has_returned: bool) -> None:  # noqa: FBT001 (see End)
        if end_around is not None:
            guard.call(f"set-up for {name}", end_around)
        if has_returned:
            callbacks = _waiting.pop(name, [])
            _called[name] = callbacks
            _run(callbacks, sys.modules.get(name, module))

    return end
