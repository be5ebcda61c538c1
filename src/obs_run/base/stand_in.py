"""What takes the place of somebody else's function and is not seen there, neither by looking at it nor by its frames.

While the original runs there is no frame of ours around it: what is ours runs before or after it, and what calls the
three is written in C. So tracebacks, ``logging``'s search for the caller and every other walk of the stack are as they
are without us.
"""

import os
import sys

TYPE_CHECKING = False  # the module typing costs more than all of this package's start
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, TracebackType
    from typing import Any, TypeVar

    Called = Callable[[], Callable[..., Any]]
    Function = TypeVar("Function", bound=Callable[..., Any])


class StandIn:
    """Takes the place of a built-in function; whoever asks it for anything but a call asks the original.

    ``called`` gives what is called in place of the original; its frame is gone when that runs.
    """

    __slots__ = ("__weakref__", "_called", "_original")

    # ``help`` asks for it past all that an object may say.
    __doc__ = property(lambda self: original_of(self).__doc__)

    def __init__(self, original: "Any", called: "Called") -> None:
        object.__setattr__(self, "_original", original)
        object.__setattr__(self, "_called", called)

    # A property: Python looks the method up, and the frame of the getter is gone when it calls what it got.
    @property
    def __call__(self) -> "Any":
        """What is called; the agent sees the original's."""
        return object.__getattribute__(self, "_called")()

    def __getattribute__(self, name: str) -> "Any":
        """Ask the original."""
        if name in ("__reduce_ex__", "__reduce__"):
            return lambda _protocol=0: _reduce(self)
        if name in ("__eq__", "__ne__", "__hash__"):
            return object.__getattribute__(self, name)
        return getattr(original_of(self), name)

    def __setattr__(self, name: str, value: object) -> None:
        """Change the original, which may refuse."""
        setattr(original_of(self), name, value)

    def __delattr__(self, name: str) -> None:
        """Change the original, which may refuse."""
        delattr(original_of(self), name)

    def __repr__(self) -> str:
        """Show the original."""
        return repr(original_of(self))


def replace_in_os(name: str, make: "Callable[[Any], Called]") -> None:
    """Have what ``make(original)`` gives say what a call of ``os.name`` calls; nothing happens where there is none."""
    original = getattr(os, name, None)
    if original is None:
        return
    replacement = StandIn(original, make(original))
    setattr(os, name, replacement)
    # Pickled, it is a name in the module that it is from, and must be found there.
    home = sys.modules.get(original.__module__)
    if getattr(home, name, None) is original:
        setattr(home, name, replacement)


def lazy(make: "Callable[[], Callable[..., Any]]") -> "Called":
    """Return what gives what ``make`` gives, which is called once: a class takes longer to make than to call."""
    made: list[Callable[..., Any]] = []

    def called() -> "Callable[..., Any]":
        if not made:
            made.append(make())
        return made[0]

    return called


def hide_frame(error: "BaseException", traceback: "TracebackType | None") -> None:
    """Take the frame out of the traceback of ``error`` that called what has raised it: the first one now.

    From Python 3.11 on a frame stays out of it that an exception leaves by the end of ``with`` or by a bare ``raise``.
    """
    if traceback is not None:
        # Not by assignment, which a class of the agent's may forbid, as a frozen dataclass does.
        BaseException.with_traceback(error, traceback.tb_next)


def passed_over(function: "Function") -> "Function":
    """Return ``function`` so that searches of the stack for a caller go past its frames, as past the import system's.

    It is by the file's name that ``warnings`` and ``logging`` know those.
    """
    changed: Any = function
    code: CodeType = changed.__code__
    if code not in _passed_over:
        _passed_over[code] = code.replace(co_filename=f"{code.co_filename} importlib _bootstrap")
    changed.__code__ = _passed_over[code]
    return function


_passed_over: "dict[CodeType, CodeType]" = {}


class _NoFrame:
    """Keeps the frame that enters it out of the tracebacks of errors that pass."""

    __slots__ = ()

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(self, kind: object, error: "BaseException | None", traceback: "TracebackType | None") -> None:
        """Pass the error on."""
        if error is not None:
            hide_frame(error, traceback)


no_frame = _NoFrame()


def original_of(function: "Any") -> "Any":
    """Return what a stand-in stands for; any other function is its own original."""
    if is_stand_in(function):
        return object.__getattribute__(function, "_original")
    return function


def is_stand_in(function: object) -> bool:
    """Whether ``function`` is a stand-in; ``isinstance`` would ask the original."""
    return issubclass(type(function), StandIn)


def _reduce(stand_in: "StandIn") -> "Any":
    """Have it pickled as the original is: by its name, which means the original where there is no stand-in."""
    return original_of(stand_in).__qualname__
