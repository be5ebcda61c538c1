"""Calls of somebody else's functions that something of ours begins and ends, with no frame of ours around them."""

from __future__ import annotations

# The module without the underscore costs more than this one.
from _functools import partial  # type: ignore[import-not-found]
from itertools import starmap

from obs_run.base import guard

TYPE_CHECKING = False  # it is loaded while short processes start
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    # Called with whether the call has returned.
    End = Callable[[bool], object]
    Begin = Callable[..., End | None]


class ObservedCall(map):  # type: ignore[type-arg]  # an iterator of nothing that anybody reads
    """One call of a function whose result nobody reads.

    ``begin`` gets the arguments and gives ``end``, which is told afterwards whether the call returned. It is this class
    that is called, by way of ``observed``: the call is the first step of an iterator, which Python takes when it looks
    for ``__init__``.
    """

    __slots__ = ("_ends",)
    _ends: list[End]

    def __new__(cls, starmap: Any, original: Any, begin: Begin, /, *args: Any, **kwargs: Any) -> ObservedCall:  # noqa: PYI034
        """Begin the call."""
        end = guard.call("begin", begin, *args, **kwargs)
        ends = [] if end is None else _Ending((end,))
        function = partial(original, **kwargs) if kwargs else original
        made = map.__new__(cls, partial(_returned, ends), starmap(function, (args,)))
        made._ends = ends  # noqa: SLF001 (its own)
        return made

    __init__ = property(next)


# Both without a function of ours that runs as they are made or let go of after a call that has returned: Python drops
# what the agent's signal handlers raise in ``__del__``.
class _Ending(list):  # type: ignore[type-arg]  # it holds one End, or none
    """What is to be told that a call is over; it is told so of one that has raised when nobody refers to it."""

    __slots__ = ()

    def __del__(self) -> None:
        if self:
            guard.call("end", self.pop(), False)  # noqa: FBT003 (see End)


class _Ended(list):  # type: ignore[type-arg]
    """What was told already."""

    __slots__ = ()


def observed(original: Any, begin: Begin) -> Callable[..., object]:
    """Return what calls ``begin``, ``original`` and what ``begin`` gave; its result is of no use."""
    call: Callable[..., object] = partial(ObservedCall, starmap, original, begin)
    return call


def _returned(ends: list[End], _result: object) -> Callable[..., None]:
    if ends:
        ends.__class__ = _Ended
        guard.call("end", ends.pop(), True)  # noqa: FBT003 (see End)
    return _pass


def _pass(*_: object, **__: object) -> None:
    """Do nothing."""
