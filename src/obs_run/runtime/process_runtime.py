"""The runtime of this process: one that writes for a relay where there is one, else one with the whole export path.

Light to import, as both are.
"""

from __future__ import annotations

from obs_run.core import sink
from obs_run.process import exit_sequence, relay, run
from obs_run.runtime.in_process import Runtime

_installed: list[Runtime] = []


def runtime() -> Runtime:
    """Return the runtime of this process."""
    return install()


def install() -> Runtime:
    """Have what is recorded in this process go into its runtime, and return that."""
    if not _installed:
        chosen = _make()
        _installed.append(chosen)
        sink.install(lambda: chosen)
        run.when_required(chosen.owe_run_span)
        exit_sequence.ask_before_flush(chosen.is_busy)
        chosen.watch_forks()
    return _installed[0]


def _make() -> Runtime:
    folder = relay.folder()
    if not folder:
        return Runtime()
    from obs_run.runtime.in_buffer import BufferRuntime

    return BufferRuntime(folder)
