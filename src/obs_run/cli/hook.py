"""``obsctl install-hook`` and ``uninstall-hook``: trace every Python process of this environment."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the commands: none."""
    del parser


def run(args: argparse.Namespace) -> int:
    """Install the hook, or take it out, and say which files that was."""
    from obs_run.launch import hook

    installing = args.command == "install-hook"
    try:
        files = hook.install() if installing else hook.uninstall()
    except OSError as error:
        print(f"obsctl: {error.filename or sys.prefix}: {error.strerror or error}", file=sys.stderr)
        return 1
    for file in files:
        print(f"{'installed' if installing else 'removed'} {file}")
    if not files:
        print("the hook is not installed")
    return 0
