"""Calls whose result another method of the same object gives later: the call goes on until that has returned.

The one object gets a class derived from its own, which has the same name; no other object of the class costs anything.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from obs_run.base import guard
from obs_run.base.stand_in import no_frame, passed_over
from obs_run.core.outcomes import tracker_of

__all__ = ["follow"]

_MARK = "_obs_run_awaits_result"


def follow(owner: Any, name: str) -> Any:
    """Have ``owner``'s method ``name`` give the result of the call that is recorded; return what that is found by.

    None where the object cannot have another class. ``Reader.deferred`` is asked again, of what the method returns.
    """
    kind = _kind_for(type(owner), name)  # type: ignore[arg-type] # a class is hashable
    if kind is None:
        return None
    if type(owner) is not kind:
        owner.__class__ = kind
    return owner


@cache
def _kind_for(kind: type, name: str) -> type | None:
    if _MARK in vars(kind):
        return kind
    if not (kind.__dictoffset__ and kind.__weakrefoffset__):
        return None
    namespace = {
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        _MARK: True,
        name: _method(kind, name),
    }
    derived: type = type(kind)(kind.__name__, (kind,), namespace)
    return derived


def _method(kind: type, name: str) -> Any:
    @passed_over
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        own = getattr(kind, name)
        step = guard.call("outcome", tracker_of, self)
        if step is None:
            with no_frame:
                return own(self, *args, **kwargs)
        with step:
            returned = own(self, *args, **kwargs)
        return guard.call("outcome", step.read_returned, returned, default=returned)

    method.__name__ = name
    return method
