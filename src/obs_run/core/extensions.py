"""Where packages of others add what they built on ours; docs/extending.md shows how."""

from __future__ import annotations

from obs_run.process import import_hooks, run

TYPE_CHECKING = False  # the module typing costs more than waiting for a library
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

__all__ = ["add_instrumentor"]


def add_instrumentor(module: str, libraries: Iterable[str]) -> None:
    """Record libraries by the ``INSTRUMENTORS`` of ``module``, which is imported when one of them is.

    ``libraries`` are the modules that the targets live in; one that is imported already is instrumented at once.
    Nothing happens in a process that obs-run was not started in.
    """
    if run.is_started():
        for library in libraries:
            import_hooks.when_imported(library, _instrument_by(module))


def _instrument_by(module: str) -> Callable[[ModuleType], None]:
    def callback(library: ModuleType) -> None:
        from obs_run.core import hooks

        hooks.instrument(module, library)

    return callback
