"""The current context of code that has none: inside the run, instead of nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext

from obs_run.base import guard

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from opentelemetry.context import Context


class RunContext(ContextVarsRuntimeContext):
    """Context variables as OpenTelemetry keeps them; where none is set the run span is current.

    Threads, callbacks and signal handlers begin with no context, and so their spans would begin traces of their own.
    """

    default: Callable[[], Context] | None = None
    """What answers for code without a context, once the API's module for spans has been imported."""

    def get_current(self) -> Context:
        """Return the current context."""
        current = super().get_current()
        if current or RunContext.default is None:
            return current
        context: Context = guard.call("run context", RunContext.default, default=current)
        return context

    def get_own(self) -> Context:
        """Return the context that was attached here, empty where none was."""
        return super().get_current()


def install(module: ModuleType) -> None:
    """Put our context in place of the API's, which is unused so far; called when the API's module is imported."""
    # The environment variable for this would make foreign Python children fail to find the class.
    module._RUNTIME_CONTEXT = RunContext()  # type: ignore[attr-defined]  # noqa: SLF001


def use_default(current: Callable[[], Context]) -> None:
    """Have ``current()`` answer for code without a context."""
    RunContext.default = staticmethod(current)
