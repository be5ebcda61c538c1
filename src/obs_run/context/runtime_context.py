"""The current context of code that has none: inside the run, instead of nowhere."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext

if TYPE_CHECKING:
    from types import ModuleType

    from opentelemetry.context import Context


class RunContext(ContextVarsRuntimeContext):
    """Context variables as OpenTelemetry keeps them; where none is set the run span is current.

    Threads, callbacks and signal handlers begin with no context, and so their spans would begin traces of their own.
    """

    def get_current(self) -> Context:
        """Return the current context."""
        current = super().get_current()
        if current:
            return current
        # Looked up, not imported: an import here, in a signal handler, can deadlock with one in another thread.
        run = getattr(sys.modules.get("obs_run.context.run_context"), "current", None)
        found: Context = current if run is None else run()
        return found

    def get_own(self) -> Context:
        """Return the context that was attached here, empty where none was."""
        return super().get_current()


def install(module: ModuleType) -> None:
    """Put our context in place of the API's, which is unused so far; called when the API's module is imported."""
    # The environment variable for this would make foreign Python children fail to find the class.
    module._RUNTIME_CONTEXT = RunContext()  # type: ignore[attr-defined]  # noqa: SLF001
