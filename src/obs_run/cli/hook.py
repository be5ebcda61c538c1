"""``obsctl install-hook`` and ``uninstall-hook``: trace every Python process of this environment."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from pathlib import Path

_HOOK = "obs_run.launch.hook"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the commands: none."""
    del parser


def run(given: argparse.Namespace) -> int:
    """Install the hook, or take it out, and say which files that was."""
    hook = import_module(_HOOK)
    installing = given.command == "install-hook"
    try:
        files = _files(hook.install() if installing else hook.uninstall())
    except OSError as error:
        print(f"obsctl: {error.filename or sys.prefix}: {error.strerror or error}", file=sys.stderr)
        return 1
    for file in files:
        print(f"{'installed' if installing else 'removed'} {file}")
    if not files:
        print("the hook is installed already" if installing else "the hook is not installed")
    return 0


def _files(answer: Iterable[Path] | Path | None) -> list[str]:
    if answer is None:
        return []
    return [str(file) for file in answer] if isinstance(answer, (list, tuple)) else [str(answer)]
