"""Which exceptions come from outside of the code they end: from a signal handler of the agent, or another thread.

Time limits are made that way. Our code that happens to run at that moment has not failed, and must not swallow them.
"""

from __future__ import annotations

from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType

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
    # Not the last of them alone: a handler may call what raises.
    while stack.tb_next is not None:
        stack = stack.tb_next
        if _handles_signal(stack.tb_frame):
            return True
    return _is_of_thread(error, stack, opname)


def _handles_signal(frame: FrameType) -> bool:
    """Whether this is the frame of a signal handler, which gets the signal and the frame that it interrupts.

    That need not be the one before in the traceback: Python takes those of its import system out.
    """
    before: object = None
    for argument in _arguments(frame):
        if isinstance(argument, FrameType) and type(before) is int and 0 < before <= _LAST_SIGNAL:
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
