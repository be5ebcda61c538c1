"""The context managers that ``logger.context`` and ``logger.async_context`` return."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from obs_run.base import guard
from obs_run.base.functions import observe_calls
from obs_run.context.log_context import LogFieldsScope

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.logging.entry import LogContext

    F = TypeVar("F", bound=Callable[..., Any])


class LogContextScope:
    """Fields for every record inside of ``with``, ``async with`` or a decorated function."""

    __slots__ = ("_current", "_fields", "_scope")

    def __init__(self, current: Callable[[], LogContext], fields: dict[str, Any]) -> None:
        self._current = current
        self._fields = fields
        self._scope = LogFieldsScope(fields)

    def __enter__(self) -> LogContext:
        """Add the fields, and return the context that holds now."""
        guard.call("log context", self._scope.__enter__)
        current: LogContext = guard.call("log context", self._current)
        return current

    def __exit__(self, *_: object) -> None:
        """Take the fields out again."""
        guard.call("log context", self._scope.__exit__)

    async def __aenter__(self) -> LogContext:
        """Do as ``with`` does."""
        return self.__enter__()

    async def __aexit__(self, *_: object) -> None:
        """Do as ``with`` does."""
        self.__exit__()

    def __call__(self, function: F) -> F:
        """Return ``function`` with the fields around each call."""
        return observe_calls(function, lambda _args, _kwargs: _Around(self._fields))


class _Around:
    """The fields around one call, as ``base.functions`` asks for it."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields

    def running(self) -> LogFieldsScope:
        return LogFieldsScope(self._fields)

    def end(self, error: BaseException | None, result: Any) -> None:
        """Do nothing."""
