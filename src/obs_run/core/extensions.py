"""Where packages of others add what they built on ours; docs/extending.md shows how."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from obs_run.process import import_hooks, run

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

__all__ = ["add_instrumentor"]


def add_instrumentor(module: str, libraries: Iterable[str]) -> None:
    """Record libraries by the ``INSTRUMENTORS`` of ``module``, which is imported when one of them is.

    ``libraries`` are the modules that the targets live in; one that is imported already is instrumented at once.
    Nothing happens in a process that obs-run was not started in.
    """
    if run.is_started():
        for library in libraries:
            import_hooks.when_imported(library, partial(_instrument, module))


def _instrument(module: str, library: ModuleType) -> None:
    from obs_run.core import hooks

    hooks.instrument(module, library)
