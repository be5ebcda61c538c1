"""Which exceptions come from outside of the code they end: from a signal handler of the agent, or another thread.

Time limits are made that way. Our code that happens to run at that moment has not failed, and must not swallow them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import FrameType, TracebackType

_HAS_VARARGS = 0x04
_LAST_SIGNAL = 64
_BARE = (MemoryError, StopIteration, StopAsyncIteration, EOFError, LookupError)
"""What code in C raises without a word."""
_BARE_MODULE = "_queue"
_RAISING = ("RAISE_VARARGS", "RERAISE")


def is_thrown_in(error: BaseException, opname: Sequence[str]) -> bool:
    """Whether ``error`` was thrown into the code that it ended; ``opname`` are the names of Python's instructions."""
    stack = error.__traceback__
    if stack is None:
        return False
    while stack.tb_next is not None:
        if _handles_signal(stack.tb_next.tb_frame, stack.tb_frame):
            return True
        stack = stack.tb_next
    return _is_of_thread(error, stack, opname)


def _handles_signal(frame: FrameType, interrupted: FrameType) -> bool:
    """Whether this is the frame of a signal handler, which gets the signal and the frame that it interrupts."""
    before = None
    for argument in _arguments(frame):
        if argument is interrupted and isinstance(before, int) and 0 < before <= _LAST_SIGNAL:
            return True
        before = argument
    return False


def _arguments(frame: FrameType) -> Iterator[object]:
    code, values = frame.f_code, frame.f_locals
    for name in code.co_varnames[: code.co_argcount]:
        yield values.get(name)
    if code.co_flags & _HAS_VARARGS:
        rest = values.get(code.co_varnames[code.co_argcount + code.co_kwonlyargcount])
        if isinstance(rest, tuple):
            yield from rest


def _is_of_thread(error: BaseException, innermost: TracebackType, opname: Sequence[str]) -> bool:
    """Whether another thread had it raised: Python makes it of the class alone, and no statement raises it."""
    if error.args or isinstance(error, _BARE) or type(error).__module__ == _BARE_MODULE:
        return False
    return opname[innermost.tb_frame.f_code.co_code[innermost.tb_lasti]] not in _RAISING
