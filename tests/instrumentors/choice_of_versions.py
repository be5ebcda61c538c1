"""Which versions of the libraries ``make test`` runs: a ring may leave older ones to other days, but never for good.

The newest of each library always, of the older ones a share that goes round with the days, and those of libraries whose
instrumentor or tests the change touched, ``MOST_OLDER`` at most. ``OBS_TESTS_VERSIONS=all`` takes all.
"""

from __future__ import annotations

import ast
import os
import subprocess
from datetime import date, datetime, timezone
from functools import cache
from typing import TYPE_CHECKING

from tests.launch.environments import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tests.instrumentors.scenarios import Library

MOST_OLDER = 16
"""How many older versions a run takes at most: a change of all libraries must not make it last for hours."""
DAYS = 7
"""In how many days each of the older versions has its turn."""
_PACKAGE = "obs_instrumentors"
_INSTRUMENTORS = ROOT / "instrumentors"

Case = tuple[str, str]


def chosen(libraries: Mapping[str, Library]) -> list[Case]:
    """Return the folders of libraries and the labels of their environments that are to be run."""
    cases = [(folder, label) for folder, library in libraries.items() for label in library.environments]
    if os.environ.get("OBS_TESTS_VERSIONS") == "all":
        return cases
    newest = {(folder, list(library.environments)[-1]) for folder, library in libraries.items()}
    touched = touched_libraries(libraries, changed_files())
    older = [case for case in cases if case not in newest]
    waits = days_to_wait(older, day())
    wanted = [case for case in older if waits[case] == 0 or case[0] in touched]
    # Where there are too many: the oldest of a library before those between, and what has its turn soon before others.
    oldest = {(folder, next(iter(library.environments))) for folder, library in libraries.items()}
    wanted.sort(key=lambda case: (waits[case] > 0, case not in oldest, waits[case]))
    run = newest.union(wanted[:MOST_OLDER])
    return [case for case in cases if case in run]


def days_to_wait(cases: list[Case], today: date) -> dict[Case, int]:
    """Return in how many days each case has its turn: each has one in ``DAYS`` days that follow each other."""
    return {case: -(number + today.toordinal()) % DAYS for number, case in enumerate(sorted(cases))}


def day() -> date:
    """Return the day whose share it is: today, or ``OBS_TESTS_DAY``, with which a run can be repeated."""
    wanted = os.environ.get("OBS_TESTS_DAY")
    return date.fromisoformat(wanted) if wanted else datetime.now(timezone.utc).date()


def touched_libraries(libraries: Mapping[str, Library], changed: Iterable[str] | None) -> set[str]:
    """Return the folders of libraries that a change of these files touches: all where the change is unknown."""
    if changed is None:
        return set(libraries)
    files = set(changed)
    return {
        folder
        for folder, library in libraries.items()
        if any(file.startswith(f"tests/instrumentors/{folder}/") for file in files)
        or not files.isdisjoint(_sources(library.instrumentor))
    }


def changed_files() -> list[str] | None:
    """Return the files changed since ``OBS_TESTS_SINCE``, or since the branch left main; None where git cannot tell.

    On main itself it is what the last commit changed.
    """
    since = os.environ.get("OBS_TESTS_SINCE") or _since()
    committed = _git("diff", "--name-only", since) if since else None
    new = _git("ls-files", "--others", "--exclude-standard")
    return None if committed is None or new is None else [*committed, *new]


def _since() -> str | None:
    head = _git("rev-parse", "HEAD")
    for main in ("origin/main", "main"):
        fork = _git("merge-base", "HEAD", main)
        if fork and fork != head:
            return fork[0]
    before = _git("rev-parse", "--verify", "--quiet", "HEAD~1")
    return before[0] if before else None


def _git(*words: str) -> list[str] | None:
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.splitlines() if done.returncode == 0 else None


def _sources(module: str) -> set[str]:
    """Return the files of an instrumentor, and of what it imports of the others'."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        for file in _files(waiting.pop()):
            name = file.relative_to(ROOT).as_posix()
            if name not in found:
                found.add(name)
                waiting += _imported(file)
    return found


def _files(module: str) -> Iterator[Path]:
    path = _INSTRUMENTORS.joinpath(*module.split("."))
    if path.is_dir():
        yield from path.glob("*.py")
    elif path.with_suffix(".py").exists():
        yield path.with_suffix(".py")


@cache  # many instrumentors share files
def _imported(file: Path) -> tuple[str, ...]:
    return tuple(_names(ast.parse(file.read_text(encoding="utf-8"))))


def _names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.partition(".")[0] == _PACKAGE:
            # A name may be a module of the package, or something in it; the table of all belongs to none.
            yield from (f"{node.module}.{each.name}" for each in node.names)
            if node.module != _PACKAGE:
                yield node.module
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names if each.name.startswith(f"{_PACKAGE}."))
