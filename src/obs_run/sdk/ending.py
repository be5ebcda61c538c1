"""What is done as the process leaves: open spans end, the run span ends, everything is sent within the budget."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from obs_run.core import guard

if TYPE_CHECKING:
    from obs_run.launch.leaving import Leaving


_prepared = False


def prepare() -> None:
    """Make sure that OpenTelemetry is loaded before the interpreter's end begins, if there is anything to say.

    The SDK asks a thread pool for its resource while it is imported, and pools refuse work once that end has begun.
    """
    global _prepared
    if not _prepared:
        _prepared = True
        # Registers itself too, and what is registered later runs earlier.
        import concurrent.futures.thread  # noqa: F401
        import threading

        threading._register_atexit(_load)  # type: ignore[attr-defined]  # noqa: SLF001 (the pools' own way)


def _load() -> None:
    guard.call("set-up", _set_up)


def _set_up() -> None:
    import obs_run.pipeline.export
    from obs_run.sdk import providers

    providers.set_up()


def finish(left: Leaving) -> None:
    """End what is open and flush; a second call, as after a failed exec, finds little to do."""
    from obs_run.launch import run
    from obs_run.pipeline.queue import queue

    # Modules of OpenTelemetry are loaded here only if the process has something to say.
    if "obs_run.sdk.spans" in sys.modules:
        from obs_run.sdk import spans

        guard.call("open spans", spans.end_open, left)
    if run.owned():
        from obs_run.sdk import run_span

        guard.call("run span", run_span.end, left)
    queue().flush(left.deadline)


def begin_in_child() -> None:
    """After a fork: what is open is the parent's to end, what was counted the parent's to report."""
    # Looked up, not imported: a thread of the parent may have held an import lock.
    spans = sys.modules.get("obs_run.sdk.spans")
    if spans is not None:
        guard.call("fork", spans.forget_open)
    providers = sys.modules.get("obs_run.sdk.providers")
    known = providers.known() if providers is not None else None
    if known is not None:
        guard.call("fork", known.after_fork)
