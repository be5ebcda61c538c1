"""What ``obsctl doctor`` says of the functions that OBS_WRAP names; nothing of the agent's is imported for that."""

from __future__ import annotations

import ast
import sys
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from obs_run import settings
from obs_run.cli.finding import Finding
from obs_run.setting_texts import with_nearest
from obs_run.wrapping import wrap_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obs_run.wrapping.entries import Target

_MAIN = "__main__"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_MOST_NAMES = 12


def findings() -> Iterator[Finding]:
    """Yield what is wrong in the files, and of each target whether the source of its module has it."""
    paths = settings.lookup(wrap_file.SETTING).value
    if not paths:
        yield Finding("-", "own code", f"none is named ({wrap_file.SETTING})")
        return
    loaded = wrap_file.load(paths)
    for problem in loaded.problems:
        yield Finding("FAIL", wrap_file.SETTING, problem.removeprefix(f"{wrap_file.SETTING}: "))
    for entry in loaded.entries.values():
        for target in (*entry.targets, *entry.release):
            mark, text = _look_up(target)
            yield Finding(mark, entry.name, f"{entry.where}: {target}: {text}")


def _look_up(target: Target) -> tuple[str, str]:
    if target.module == _MAIN:
        return "-", "is looked for in the script that is run"
    source = _source_of(target.module)
    if source is None:
        return (
            "!",
            f"no module {target.module!r} below {Path.cwd()} or on the path; start doctor where the agent starts",
        )
    try:
        tree = ast.parse(source.read_bytes())
    except (OSError, SyntaxError, ValueError) as error:
        return "!", f"{source} cannot be read: {type(error).__name__}"
    return _look_in(tree.body, target, source)


def _look_in(body: list[ast.stmt], target: Target, source: Path) -> tuple[str, str]:
    for name in target.owner.split(".") if target.owner else ():
        classes = [each for each in _defined(body) if isinstance(each, ast.ClassDef)]
        found = [each for each in classes if fnmatchcase(each.name, name)]
        if not found:
            return "!", _missing(name, [each.name for each in classes], source)
        body = [statement for each in found for statement in each.body]
    functions = [each.name for each in _defined(body) if isinstance(each, _FUNCTIONS)]
    if any(fnmatchcase(name, target.function) for name in functions):
        return "ok", f"in {source}"
    if target.with_derived:
        return "-", f"its class is in {source}; the function is left to derived classes"
    return "!", _missing(target.function, functions, source)


def _missing(name: str, names: list[str], source: Path) -> str:
    there = ", ".join(names[:_MOST_NAMES]) or "none"
    return f"{source} does not define {name!r}; there: {with_nearest(name, names, there)}"


def _defined(body: list[ast.stmt]) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield what statements define, those in ``if`` and ``try`` too."""
    for statement in body:
        if isinstance(statement, (ast.ClassDef, *_FUNCTIONS)):
            yield statement
            continue
        for inner in ("body", "orelse", "finalbody"):
            yield from _defined(getattr(statement, inner, []))
        for handler in getattr(statement, "handlers", []):
            yield from _defined(handler.body)


def _source_of(module: str) -> Path | None:
    """Return a module's source file; its packages are not imported, as their code would run."""
    place = Path(*module.split("."))
    for folder in (Path.cwd(), *map(Path, sys.path)):
        for file in (folder / place.with_suffix(".py"), folder / place / "__init__.py"):
            if file.is_file():
                return file
    return None
