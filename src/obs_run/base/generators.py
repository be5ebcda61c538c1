"""Generators and coroutines on their way to the agent, followed by genuine ones of the same kind.

The two kinds of generators are written apart as far as Python has no ``yield`` for both; what is done between is the
``Step``'s.
"""

from __future__ import annotations

from functools import partial
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.base.stand_in import hide_frame, no_frame, passed_over
from obs_run.base.steps import Step

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator

    Start = Callable[[tuple[Any, ...], dict[str, Any]], Step | None]

_NOT_FOLLOWED = Step()


def followed(inner: Any, start: Callable[[], Step | None]) -> Any:
    """Return a generator or coroutine in the place of ``inner``; ``start`` is called when the agent first reads."""
    if isinstance(inner, CoroutineType):
        awaiting = _await(inner, start)
        guard.call("begin", take_name, awaiting, inner)
        return awaiting
    if isinstance(inner, GeneratorType):
        follow: Callable[..., Any] = follow_generators
    elif isinstance(inner, AsyncGeneratorType):
        follow = follow_async_generators
    else:
        return inner
    following = follow(lambda: inner, lambda _args, _kwargs: start())()
    guard.call("begin", take_name, following, inner)
    return following


@passed_over
async def _await(inner: Any, start: Callable[[], Step | None]) -> Any:
    step = guard.call("begin", start) or _NOT_FOLLOWED
    with step:
        returned = await inner
    return guard.call("outcome", step.read_returned, returned, default=returned)


def take_name(made: Any, named: Any) -> None:
    """Give a generator or coroutine the name of what it stands for."""
    for attribute in ("__name__", "__qualname__"):
        name = getattr(named, attribute, None)
        if isinstance(name, str):
            setattr(made, attribute, name)


def named_coroutines(observe: Callable[..., Any]) -> Callable[..., Any]:
    """Return a wrapper that gives coroutines of ``observe`` under the name of the function in whose place they are."""

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        coroutine = observe(wrapped, instance, args, kwargs)
        # Python's warning of one that was never awaited tells the name.
        guard.call("begin", take_name, coroutine, wrapped)
        return coroutine

    return wrapper


def follow_generators(
    function: Callable[..., Generator[Any, Any, Any]], start: Start
) -> Callable[..., Generator[Any, Any, Any]]:
    """Return a generator function in the place of ``function``; ``start`` gets the arguments at the first reading."""

    @passed_over
    def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        with no_frame:
            inner = function(*args, **kwargs)
        step = guard.call("begin", start, args, kwargs) or _NOT_FOLLOWED
        advance: Callable[[], Any] = inner.__next__
        while True:
            try:
                with step:
                    chunk = advance()
            except StopIteration as stop:
                return stop.value
            advance = inner.__next__
            if step.hides(chunk):
                continue
            try:
                sent = yield chunk
            except GeneratorExit as left:
                guard.call("finish", step.end, left)
                with guard.call("context", step.closing) or _NOT_FOLLOWED:
                    inner.close()
                raise
            except BaseException as thrown:  # noqa: BLE001 (it is the agent's, on its way into the library)
                hide_frame(thrown, thrown.__traceback__)
                advance = partial(inner.throw, thrown)
            else:
                if sent is not None:
                    advance = partial(inner.send, sent)

    return wrapper


def follow_async_generators(
    function: Callable[..., AsyncGenerator[Any, Any]], start: Start
) -> Callable[..., AsyncGenerator[Any, Any]]:
    """Return an async generator function in the place of ``function``, as ``follow_generators`` does of a sync one."""

    @passed_over
    async def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
        with no_frame:
            inner = function(*args, **kwargs)
        step = guard.call("begin", start, args, kwargs) or _NOT_FOLLOWED
        advance: Callable[[], Any] = inner.__anext__
        while True:
            try:
                with step:
                    chunk = await advance()
            except StopAsyncIteration:
                return
            advance = inner.__anext__
            if step.hides(chunk):
                continue
            try:
                sent = yield chunk
            except GeneratorExit as left:
                guard.call("finish", step.end, left)
                with guard.call("context", step.closing) or _NOT_FOLLOWED:
                    await inner.aclose()
                raise
            except BaseException as thrown:  # noqa: BLE001 (it is the agent's, on its way into the library)
                hide_frame(thrown, thrown.__traceback__)
                advance = partial(inner.athrow, thrown)
            else:
                if sent is not None:
                    advance = partial(inner.asend, sent)

    return wrapper
