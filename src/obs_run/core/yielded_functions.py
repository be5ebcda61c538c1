"""Async context managers of libraries that yield the function in which a run happens; the run is recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import wrapt

from obs_run.base import guard
from obs_run.base.stand_in import no_frame, passed_over
from obs_run.core.outcomes import Call
from obs_run.core.streams import wrap_async_call

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.hooks import Wrapper
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Reader

    Begin = Callable[[Call], tuple[Operation, Reader[Any]] | None]

__all__ = ["wrap_yielded"]


def wrap_yielded(begin: Begin) -> Wrapper:
    """Return the wrapper of a function that returns an async context manager, which yields a coroutine function.

    ``begin`` gets the call of the outer function, as the coroutine function is called.
    """

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with no_frame:
            manager = wrapped(*args, **kwargs)
        return guard.call("begin", _Scope, manager, begin, Call(instance, args, kwargs), default=manager)

    return wrapper


class _Scope:
    """What stands for the context manager: the function that it yields has a wrapper around it."""

    def __init__(self, manager: Any, begin: Begin, call: Call) -> None:
        self._manager = manager
        self._begin = begin
        self._call = call

    @passed_over
    async def __aenter__(self) -> Any:
        """Enter it."""
        with no_frame:
            function = await self._manager.__aenter__()
        return guard.call("begin", self._watch, function, default=function)

    def __aexit__(self, *raised: Any) -> Any:
        """Leave it."""
        return self._manager.__aexit__(*raised)

    def __getattr__(self, name: str) -> Any:
        """Return whatever else it has."""
        return getattr(self._manager, name)

    def _watch(self, function: Any) -> Any:
        return wrapt.FunctionWrapper(function, wrap_async_call(lambda _: self._begin(self._call)))
