"""Which exceptions come from outside of the code they end: from a signal handler of the agent, or another thread.

Time limits are made that way. Our code that happens to run at that moment has not failed, and must not swallow them.
"""

from __future__ import annotations

import sys
from functools import partial
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


def raise_when_gone(error: BaseException) -> object:
    """Return what has ``error`` raised in this thread when nobody refers to it any more.

    Python drops what is raised in a ``__del__``. As a variable of that, the result is gone when it is over, and the
    error comes up in what the thread runs next.
    """
    import ctypes
    from _thread import get_ident

    # It leads to the frame of the ``__del__``, whose variables were never gone then.
    error.__traceback__ = None

    def give(*_: object) -> BaseException:
        return error

    # An interpreter's function, which wants a class and makes the exception from it. Since Python 3.11 what comes of
    # that is looked at, and not the class, which might have the agent's code run as it is derived from.
    base = type(error) if sys.version_info < (3, 11) else BaseException
    made_from = type(type(error).__name__, (base,), {"__new__": give})
    raise_in = ctypes.pythonapi.PyThreadState_SetAsyncExc
    raise_it = partial(raise_in, ctypes.c_ulong(get_ident()), ctypes.py_object(made_from))
    # No function of Python's, in which the error would come up.
    kind: type = type("Raising", (), {"__del__": staticmethod(raise_it)})
    return kind()
