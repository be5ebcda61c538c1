"""Wrappers of coroutine functions that are coroutine functions themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import generators, guard

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.hooks import Wrapper

__all__ = ["wrap_coroutine"]


def wrap_coroutine(run: Callable[..., Any]) -> Wrapper:
    """Return the wrapper of which the coroutine function ``run(wrapped, instance, args, kwargs)`` does the work."""

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        coroutine = run(wrapped, instance, args, kwargs)
        # Python's warning of one that was never awaited tells the name.
        guard.call("begin", generators.take_name, coroutine, wrapped)
        return coroutine

    return wrapper
