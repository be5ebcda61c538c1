"""Faults of ours on purpose: which of our functions a piece of work passes, and the same work while one of them raises.

The fault is raised as the function is entered, by Python's own tracing, so that it fires wherever a reference to the
function was kept, and counts how often it did: a fault that never fires proves nothing.
"""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
import threading
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import CodeType, FrameType

ROOT = Path(__file__).resolve().parents[1]
_UNNAMED = ("<lambda>", "<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
"""Functions that have no name: what stands around them raises for them."""


class Function(NamedTuple):
    """A function, found again in every process and run by where it is written."""

    file: str
    line: int
    name: str

    def __str__(self) -> str:
        path = Path(self.file)
        return f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name}:{self.line} {self.name}"

    def translates(self) -> bool:
        """Whether it belongs to an instrumentor; without one of the core's own functions no telemetry is whole."""
        return "obs_instrumentors" in self.file

    @classmethod
    def of(cls, code: CodeType) -> Function:
        """Return the function that has this code."""
        return cls(code.co_filename, code.co_firstlineno, code.co_name)


@dataclass
class Fault:
    """A function that raises, and how often it did."""

    function: Function
    fired: int = 0


class FaultOfOursError(RuntimeError):
    """What the function raises."""


def passed(works: Mapping[str, Callable[[], Any]]) -> dict[Function, list[str]]:
    """Do the works, and return the functions that can fail in them: for each the names of works to try it in.

    Those are all works that it is part of where the guard itself calls it, and the first and last of them where it is
    further inside, since its fault takes the same way out.
    """
    guarded: dict[Function, list[str]] = {}
    inner: dict[Function, list[str]] = {}
    for work in works.values():
        # What an import alone calls is not entered again.
        work()
    for name, work in works.items():
        with _entered() as functions:
            work()
        for function, by_guard in functions.items():
            (guarded if by_guard else inner).setdefault(function, []).append(name)
    ends = {function: list(dict.fromkeys((names[0], names[-1]))) for function, names in inner.items()}
    return dict(sorted({**ends, **guarded}.items()))


@contextlib.contextmanager
def _entered() -> Iterator[dict[Function, bool]]:
    """Collect what is entered of the instrumentors, and what the guard is asked to call, which is what is True."""
    from obs_run.base import guard

    instrumentors, ours = (f"{ROOT / folder}{os.sep}" for folder in ("instrumentors", "src"))
    guarding = guard.call.__code__
    functions: dict[Function, bool] = {}

    def trace(frame: FrameType, _event: str, _argument: Any) -> None:
        code = frame.f_code
        by_guard = code is guarding
        if by_guard:
            code = getattr(_function_of(frame.f_locals["function"]), "__code__", guarding)
        elif not code.co_filename.startswith(instrumentors):
            return
        if code.co_filename.startswith((instrumentors, ours)) and _is_named_function(code):
            function = Function.of(code)
            functions[function] = functions.get(function, False) or by_guard

    with _traced(trace):
        yield functions
    functions.pop(Function.of(guarding), None)


def _is_named_function(code: CodeType) -> bool:
    # The bodies of modules and classes, entered at the first import alone, keep their variables in a mapping. A wrapper
    # is what the agent itself calls: the guard is inside of it.
    is_function = bool(code.co_flags & inspect.CO_OPTIMIZED)
    is_wrapper = code.co_argcount == 4 and code.co_varnames[0] == "wrapped"
    return is_function and not is_wrapper and code.co_name not in _UNNAMED


def _function_of(called: Any) -> Any:
    while isinstance(called, partial):
        called = called.func
    return getattr(called, "__func__", called)


@contextlib.contextmanager
def raising(function: Function) -> Iterator[Fault]:
    """Have ``function`` raise each time that it is entered."""
    from obs_run.base import guard

    fault = Fault(function)

    def trace(frame: FrameType, _event: str, _argument: Any) -> None:
        code = frame.f_code
        if code.co_firstlineno == function.line and Function.of(code) == function:
            fault.fired += 1
            raise FaultOfOursError(str(function))

    said = guard.failed

    def failed(site: str, error: BaseException) -> None:
        # Python ends the tracing of a thread whose trace function raised.
        sys.settrace(trace)
        said(site, error)

    # After a failure nothing is asked of a provider that would have to be hidden: each fault is to be the first.
    guard._failures.clear()
    with _traced(trace):
        guard.failed = failed
        try:
            yield fault
        finally:
            guard.failed = said


@contextlib.contextmanager
def _traced(trace: Callable[[FrameType, str, Any], None]) -> Iterator[None]:
    # What a cache answers is not entered.
    for name, module in list(sys.modules.items()):
        if name.partition(".")[0] == "obs_instrumentors":
            for value in vars(module).values():
                getattr(value, "cache_clear", _nothing)()
    before = sys.gettrace()
    threading.settrace(trace)
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)
        threading.settrace(before)  # None ends it


def _nothing() -> None:
    pass


def assert_none_changes(
    works: Mapping[str, Callable[[], Any]],
    without: Mapping[str, Any],
    instrumented: Callable[[], contextlib.AbstractContextManager[Any]],
    least: int,
) -> None:
    """Each work gives what it gives ``without`` us, whichever function of ours fails; ``least`` are instrumentors'."""
    with instrumented():
        assert {name: work() for name, work in works.items()} == without
        found = passed(works)
    assert len([function for function in found if function.translates()]) >= least
    wrong = []
    for function, names in found.items():
        with instrumented(), raising(function) as fault:
            with_us = {name: works[name]() for name in names}
        changed = [name for name in names if with_us[name] != without[name]]
        if changed or not fault.fired:
            wrong.append(f"{function}: fired {fault.fired} times, changed {changed}")
    assert not wrong, "\n".join(wrong)
