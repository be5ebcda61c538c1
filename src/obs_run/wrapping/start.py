"""Reads what OBS_WRAP names as a process starts, and waits for the modules that it is about."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.base import guard
from obs_run.process import exit_hooks, import_hooks, program
from obs_run.wrapping import wrap_file
from obs_run.wrapping.entries import RELEASE, TARGET

if TYPE_CHECKING:
    from types import ModuleType

    from obs_run.process.exit_sequence import ExitInfo
    from obs_run.wrapping.placing import Declared

_MAIN = "__main__"
_declared: list[Declared] = []


def install() -> None:
    """Read the files, say what is wrong in them, and have the functions wrapped when their modules are imported."""
    loaded = wrap_file.load(settings.get(wrap_file.SETTING))
    for problem in loaded.problems:
        guard.warn(problem)
    if not loaded.entries:
        return
    from obs_run.wrapping.placing import Declared

    _declared[:] = [
        Declared(entry, target, role)
        for entry in loaded.entries.values()
        for role, targets in ((TARGET, entry.targets), (RELEASE, entry.release))
        for target in targets
    ]
    script = _script()
    for_main = [one for one in _declared if _is_script(one.target.module, script)]
    import_hooks.when_any_imported(dict.fromkeys(one.target.module for one in _declared), _wrap)
    exit_hooks.on_exit(_tell_what_never_came)
    if for_main:
        from obs_run.wrapping.main_module import MainModule

        MainModule(for_main).watch()


def _wrap(module: ModuleType) -> None:
    from obs_run.runtime import process_runtime

    if module.__name__ == _MAIN:
        return
    process_runtime.install()
    for one in _declared:
        if one.target.module == module.__name__:
            guard.call(f"OBS_WRAP {one.entry.name}", one.place_in, vars(module), module.__name__)


def _script() -> tuple[str, ...]:
    """Return the names of folders and module that the script's path is made of; of ``-m`` the module's."""
    running = program.describe()
    if running.kind == "module":
        return tuple(running.name.split("."))
    path = running.path or ""
    if not path and "--multiprocessing-fork" in sys.orig_argv:
        return ("",)
    return Path(path).absolute().with_suffix("").parts if path else ()


def _is_script(module: str, script: tuple[str, ...]) -> bool:
    """Whether a module is the script that is run, by whose path it could as well be imported."""
    names = tuple(module.split("."))
    return module == _MAIN or script == ("",) or script[-len(names) :] == names


def _tell_what_never_came(_info: ExitInfo) -> None:
    logging: Any = sys.modules.get("logging")
    if logging is None:
        return
    for one in _declared:
        if not one.places:
            logging.getLogger("obs_run").debug(
                "OBS_WRAP: %s: %s: %s never turned up", one.entry.where, one.entry.name, one.target
            )
