"""The current context of code that has none: inside the run, instead of nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext

from obs_run.base import guard

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from opentelemetry.context import Context

    Filter = Callable[[Context], Context]


class RunContext(ContextVarsRuntimeContext):
    """Context variables as OpenTelemetry keeps them; where none is set the run span is current.

    Threads, callbacks and signal handlers begin with no context, and so their spans would begin traces of their own.
    """

    default: Callable[[], Context] | None = None
    """What answers for code without a context, once the API's module for spans has been imported."""
    filter: Filter | None = None
    """What takes scopes out that were left elsewhere, once there was such a one."""

    def get_current(self) -> Context:
        """Return the current context."""
        # As the API's own class has it; everything that is recorded asks several times.
        current = self._current_context.get()
        if current:
            if self.filter is not None:
                current = guard.call("context", self.filter, current, default=current)
            if current:
                return current
        if RunContext.default is None:
            return current
        try:
            return RunContext.default()
        except Exception as error:  # noqa: BLE001 (the guard, without the cost of a call to it)
            guard.failed("run context", error)
            return current

    def get_own(self) -> Context:
        """Return the context that was attached here, empty where none was."""
        return super().get_current()


class _FilteredContext(ContextVarsRuntimeContext):
    """The API's own context variables, of which some values are no more current."""

    def __init__(self, original: ContextVarsRuntimeContext, filter_: Filter) -> None:
        super().__init__()
        # The same variable: what is attached stays so, and tokens stay good.
        self._current_context = original._current_context  # noqa: SLF001 (there is no public way)
        self._filter = filter_

    def get_current(self) -> Context:
        current = super().get_current()
        filtered: Context = guard.call("context", self._filter, current, default=current)
        return filtered


def filter_current(filter_: Filter) -> None:
    """Have ``filter_`` look at the current context whenever somebody asks for it from now on.

    Where another package keeps the context nothing is done.
    """
    import opentelemetry.context as api

    runtime = api._RUNTIME_CONTEXT  # noqa: SLF001 (there is no public way)
    if isinstance(runtime, RunContext):
        runtime.filter = filter_
    elif type(runtime) is ContextVarsRuntimeContext:
        api._RUNTIME_CONTEXT = _FilteredContext(runtime, filter_)  # noqa: SLF001 (as above)


def install(module: ModuleType) -> None:
    """Put our context in place of the API's, which is unused so far; called when the API's module is imported."""
    # The environment variable for this would make foreign Python children fail to find the class.
    module._RUNTIME_CONTEXT = RunContext()  # type: ignore[attr-defined]  # noqa: SLF001


def use_default(current: Callable[[], Context]) -> None:
    """Have ``current()`` answer for code without a context."""
    RunContext.default = staticmethod(current)
