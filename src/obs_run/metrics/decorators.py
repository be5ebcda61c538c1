"""Decorators that measure calls of any callable: how long, how many, which errors; in any order."""

from __future__ import annotations

from contextlib import nullcontext
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

from obs_run.base import guard
from obs_run.base.functions import innermost, observe_calls
from obs_run.metrics import instruments
from obs_run.metrics.registry import counter, timer
from obs_run.metrics.values import text_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    F = TypeVar("F", bound=Callable[..., Any])


class _Watch:
    """One call that nothing is current in."""

    __slots__ = ("_name", "_tags")

    def __init__(self, name: str, tags: dict[str, Any]) -> None:
        self._name = name
        self._tags = tags

    def running(self) -> AbstractContextManager[Any]:
        return _NOTHING

    def end(self, error: BaseException | None, result: Any) -> None:
        """Take how the call ended."""


class _Timed(_Watch):
    __slots__ = ("_started",)

    def __init__(self, name: str, tags: dict[str, Any]) -> None:
        super().__init__(name, tags)
        instruments.prepare()
        self._started = perf_counter()

    def end(self, error: BaseException | None, result: Any) -> None:  # noqa: ARG002 (the interface)
        # Before the first timer loads what it needs.
        seconds = perf_counter() - self._started
        timer(self._name).record(seconds, self._tags)


class _Counted(_Watch):
    __slots__ = ()

    def __init__(self, name: str, tags: dict[str, Any]) -> None:
        super().__init__(name, tags)
        counter(name).increment(**tags)


class _Errors(_Watch):
    __slots__ = ()

    def end(self, error: BaseException | None, result: Any) -> None:  # noqa: ARG002 (the interface)
        # A task that is cancelled and a program that is stopped have not failed.
        if isinstance(error, Exception):
            counter(self._name).increment(**{**self._tags, "error_type": type(error).__name__})


_NOTHING: AbstractContextManager[Any] = nullcontext()


def measure_time(metric_name: str | None = None, tags: Mapping[str, Any] | None = None) -> Callable[[F], F]:
    """Time each call, awaited or iterated to its end, with the timer ``metric_name`` (``function.<module>.<name>``)."""
    return _decorator("function", _Timed, metric_name, tags)


def count_calls(metric_name: str | None = None, tags: Mapping[str, Any] | None = None) -> Callable[[F], F]:
    """Count each call, when it begins to run, with the counter ``metric_name`` (``calls.<module>.<name>``)."""
    return _decorator("calls", _Counted, metric_name, tags)


def measure_errors(metric_name: str | None = None, tags: Mapping[str, Any] | None = None) -> Callable[[F], F]:
    """Count exceptions of each call by ``error_type`` with the counter ``metric_name`` (``errors.<module>.<name>``)."""
    return _decorator("errors", _Errors, metric_name, tags)


def _decorator(
    kind: str, watch: Callable[[str, dict[str, Any]], _Watch], metric_name: str | None, tags: Mapping[str, Any] | None
) -> Callable[[F], F]:
    # The caller's own may change later.
    copied: dict[Any, Any] = guard.call("decorator", dict, {} if tags is None else tags, default={})
    labels = {text_of(name): value for name, value in copied.items()}

    def decorate(function: F) -> F:
        name = metric_name if isinstance(metric_name, str) and metric_name else f"{kind}.{_dotted_name(function)}"
        return observe_calls(function, lambda _args, _kwargs: watch(name, labels))

    return decorate


def _dotted_name(function: Any) -> str:
    inner = innermost(function)
    name = getattr(inner, "__name__", None) or type(inner).__name__
    return f"{getattr(inner, '__module__', None) or type(inner).__module__}.{name}"
