"""Functions of ours that agents call: a call that Python refuses is said, and never raises into the agent."""

from __future__ import annotations

import inspect
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from obs_run.base import guard

if TYPE_CHECKING:
    from collections.abc import Callable

    F = TypeVar("F", bound=Callable[..., Any])


def lenient(function: F) -> F:
    """Return ``function`` for callers who may pass it anything.

    Arguments that it does not take are left out, and those that are missing are None; one log line says so.
    """

    @wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except TypeError as error:
            # Python refuses a call before there is a frame of the function: others are not ours to judge.
            if error.__traceback__ is None or error.__traceback__.tb_next is not None:
                raise
            refusal = str(error).replace(function.__qualname__, function.__name__)
        args, kwargs = _taken(function, args, kwargs, refusal)
        return function(*args, **kwargs)

    return cast("F", wrapper)


def _taken(
    function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], refusal: str
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return of the arguments those that ``function`` takes, and None for those that it lacks."""
    code = function.__code__
    positional = code.co_varnames[: code.co_argcount]
    by_keyword = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    takes_more = code.co_flags & inspect.CO_VARKEYWORDS
    allowed = [name for name in (*positional, *by_keyword) if name != "self"]
    if takes_more:
        allowed.append("any other name")
    guard.warn_once(f"{refusal}; allowed: {', '.join(allowed)}; what is wrong was left out")

    taken_args = args[: len(positional)]
    taken = {*positional[len(args) :], *by_keyword}
    if takes_more:
        taken |= kwargs.keys() - set(positional)
    taken_kwargs = {name: value for name, value in kwargs.items() if name in taken}
    required = positional[: len(positional) - len(function.__defaults__ or ())]
    for name in required[len(args) :]:
        taken_kwargs.setdefault(name, None)
    return taken_args, taken_kwargs
