"""Decorators that record the calls and the errors of functions, generators and methods of every kind."""

from __future__ import annotations

import inspect
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, TypeVar, overload

from obs_run.base.functions import name_of, observe_calls
from obs_run.logging.distributed_logger import get_distributed_logger
from obs_run.logging.levels import LogCategory, LogLevel
from obs_run.process.unpatched import time

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    F = TypeVar("F", bound=Callable[..., Any])

_OWNERS = frozenset({"self", "cls"})


@overload
def log_function_calls(level: F, /) -> F: ...
@overload
def log_function_calls(
    level: LogLevel | str = ...,
    category: LogCategory | str = ...,
    include_args: bool = ...,  # noqa: FBT001 (as old code calls it)
    include_result: bool = ...,  # noqa: FBT001 (as ``include_args``)
) -> Callable[[F], F]: ...
def log_function_calls(
    level: Any = LogLevel.DEBUG,
    category: LogCategory | str = LogCategory.SYSTEM,
    include_args: bool = False,  # noqa: FBT001, FBT002 (as old code calls it)
    include_result: bool = False,  # noqa: FBT001, FBT002 (as ``include_args``)
) -> Any:
    """Record each entering and leaving of a function, with its seconds; a failure at ERROR.

    May be written without parentheses.
    """
    if inspect.isroutine(level) or inspect.isclass(level):
        return log_function_calls()(level)

    def decorate(function: F) -> F:
        called = _Called(function, level, category, arguments=include_args, result=include_result)
        return observe_calls(function, lambda args, kwargs: _Call(called, args, kwargs))

    return decorate


@overload
def log_exceptions(level: F, /) -> F: ...
@overload
def log_exceptions(level: LogLevel | str = ..., category: LogCategory | str = ...) -> Callable[[F], F]: ...
def log_exceptions(level: Any = LogLevel.ERROR, category: LogCategory | str = LogCategory.SYSTEM) -> Any:
    """Record each exception that leaves a function, which it does all the same; may be written without parentheses."""
    if inspect.isroutine(level) or inspect.isclass(level):
        return log_exceptions()(level)

    def decorate(function: F) -> F:
        called = _Called(function, level, category)
        return observe_calls(function, lambda _args, _kwargs: _Unhandled(called))

    return decorate


class _Called:
    """What the records of every call of one function have in common."""

    def __init__(
        self, function: Any, level: Any, category: Any, *, arguments: bool = False, result: bool = False
    ) -> None:
        self.name = name_of(function)
        self.level, self.category, self.result = level, category, result
        code = getattr(inspect.unwrap(getattr(function, "__func__", function)), "__code__", None)
        self._at = ("", 0, "") if code is None else (code.co_filename, code.co_firstlineno, code.co_name)
        self._signature = _signature(function) if arguments else None
        self._arguments = arguments

    def record(self, level: Any, message: str, tags: list[str], data: dict[str, Any], **more: Any) -> None:
        """Record something about a call, at the place of the function."""
        get_distributed_logger().record(
            level, self._at, message, category=self.category, data={"function": self.name, **data}, tags=tags, **more
        )

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments by their names, which rules of privacy go by; without the object of a method."""
        if not self._arguments:
            return {}
        try:
            bound = self._signature.bind(*args, **kwargs).arguments if self._signature is not None else None
        except TypeError:  # the call is about to fail for the same reason
            bound = None
        if bound is None:
            return {"arguments": {"args": args, "kwargs": kwargs}}
        return {"arguments": {name: value for name, value in bound.items() if name not in _OWNERS}}


def _signature(function: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(getattr(function, "__func__", function))
    except (TypeError, ValueError):
        return None


class _Call:
    """One call that is recorded at both ends."""

    def __init__(self, called: _Called, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._called = called
        called.record(
            called.level, f"Entering function: {called.name}", ["function_entry"], called.arguments(args, kwargs)
        )
        self._begun = time.perf_counter()

    def running(self) -> AbstractContextManager[None]:
        """Return nothing to be current."""
        return nullcontext()

    def end(self, error: BaseException | None, result: Any) -> None:
        """Record how the call ended."""
        seconds = time.perf_counter() - self._begun
        called, timed = self._called, {"execution_time": seconds}
        if error is None:
            data = {**timed, "result": result} if called.result else timed
            tags = ["function_exit", "success"]
            called.record(called.level, f"Exiting function: {called.name}", tags, data, performance_metrics=dict(timed))
            return
        cancelled = not isinstance(error, Exception)  # a task's end, or the process's
        called.record(
            called.level if cancelled else LogLevel.ERROR,
            f"Function {'cancelled' if cancelled else 'failed'}: {called.name}",
            ["function_exit", "cancelled" if cancelled else "error"],
            timed,
            performance_metrics=dict(timed),
            exception=error,
        )


class _Unhandled:
    """One call whose exception is recorded."""

    def __init__(self, called: _Called) -> None:
        self._called = called

    def running(self) -> AbstractContextManager[None]:
        """Return nothing to be current."""
        return nullcontext()

    def end(self, error: BaseException | None, result: Any) -> None:  # noqa: ARG002 (as ``base.functions`` calls it)
        """Record the exception; what only ends a task or the process is none."""
        if isinstance(error, Exception):
            name = self._called.name
            self._called.record(
                self._called.level, f"Unhandled exception in {name}", ["unhandled_exception"], {}, exception=error
            )
