"""What is waited for once an agent's process imports its first library."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from obs_instrumentors import TABLE

from obs_run.coexistence import watching
from obs_run.process import exit_hooks, import_hooks

if TYPE_CHECKING:
    from types import ModuleType

    from obs_run.core.hooks import Instrumentor


def watch() -> None:
    """Wait for what we instrument, and for what others instrument."""
    # Their imports take long, and a signal may come amid one.
    exit_hooks.prepare()
    import_hooks.when_any_imported(TABLE, _instrument)
    if os.environ.get("OBS_PREFER"):
        import_hooks.when_imported("obs_run.core.hooks", _ask_for_preference)
    watching.watch()


def _ask_for_preference(module: ModuleType) -> None:
    module.prefer(_preferred)


def _preferred(instrumentor: Instrumentor) -> str | None:
    from obs_run.coexistence import choice

    preferred = choice.preferred_over_ours(instrumentor)
    return None if preferred is None else f"{preferred.distribution} instruments it (OBS_PREFER)"


def _instrument(module: ModuleType) -> None:
    from obs_run.core.hooks import instrument
    from obs_run.runtime import process_runtime

    process_runtime.install()
    instrumentor = TABLE.get(module.__name__)
    if instrumentor is not None:
        instrument(instrumentor, module)
