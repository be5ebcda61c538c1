"""A decorated callable stays what it was, whatever it is, and its observer sees how each call ended."""

from __future__ import annotations

import asyncio
import copy
import inspect
import pickle
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property, lru_cache, partial, partialmethod
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pytest

from obs_run.base.functions import name_of, observe_calls

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator, Iterator

    F = TypeVar("F", bound=Callable[..., Any])

    class Decorate(Protocol):
        """Returns what it is given, with an observer of each call."""

        def __call__(self, function: F) -> F: ...


inside: ContextVar[int] = ContextVar("inside", default=0)


class Observer:
    """Remembers how calls ended, and marks the context while the function's code runs."""

    def __init__(self, ended: list[Any]) -> None:
        self.ended = ended

    @contextmanager
    def running(self) -> Iterator[None]:
        token = inside.set(1)
        try:
            yield
        finally:
            inside.reset(token)

    def end(self, error: BaseException | None, result: Any) -> None:
        self.ended.append(result if error is None else type(error))


@pytest.fixture
def ended() -> list[Any]:
    return []


@pytest.fixture
def decorate(ended: list[Any]) -> Decorate:
    return lambda function: observe_calls(function, lambda _args, _kwargs: Observer(ended))


def plain(value: int) -> int:
    """Return what is current."""
    return value + inside.get()


async def coroutine(value: int) -> int:
    await asyncio.sleep(0)
    return plain(value)


def generator(value: int) -> Generator[Any, Any, None]:
    sent = yield plain(value)
    try:
        yield sent
    except KeyError:
        yield plain(10)
    return


async def async_generator(value: int) -> AsyncGenerator[Any, Any]:
    sent = yield plain(value)
    try:
        yield sent
    except KeyError:
        yield plain(10)


async def follow(stream: Any) -> list[Any]:
    return [
        await stream.__anext__(),
        inside.get(),
        await stream.asend("sent"),
        await stream.athrow(KeyError("thrown")),
        [item async for item in stream],
    ]


def test_a_callable_stays_of_its_kind(decorate: Decorate) -> None:
    kinds = (inspect.iscoroutinefunction, inspect.isgeneratorfunction, inspect.isasyncgenfunction)
    for function in (plain, coroutine, generator, async_generator):
        made = decorate(function)
        assert [kind(made) for kind in kinds] == [kind(function) for kind in kinds]
        assert inspect.signature(made) == inspect.signature(function)
        assert (made.__name__, made.__doc__) == (function.__name__, function.__doc__)


def test_calls_are_seen_to_their_end(decorate: Decorate, ended: list[Any]) -> None:
    assert decorate(plain)(1) == 2
    assert asyncio.run(decorate(coroutine)(2)) == 3
    assert asyncio.run(decorate(lambda: coroutine(3))()) == 4
    assert decorate(partial(plain, 4))() == 5
    assert ended == [2, 3, 4, 5]
    assert inside.get() == 0


def test_generators_are_current_only_while_they_run(decorate: Decorate, ended: list[Any]) -> None:
    steps = decorate(generator)(1)
    assert not ended
    assert [next(steps), inside.get(), steps.send("sent"), steps.throw(KeyError("thrown"))] == [2, 0, "sent", 11]
    assert [list(steps), ended] == [[], [None]]
    assert asyncio.run(follow(decorate(async_generator)(1))) == [2, 0, "sent", 11, []]
    assert ended == [None, None]


def test_a_generator_that_is_left_has_not_failed(decorate: Decorate, ended: list[Any]) -> None:
    steps = decorate(generator)(1)
    next(steps)
    steps.close()

    async def leave() -> None:
        stream = decorate(async_generator)(1)
        await stream.__anext__()
        await stream.aclose()

    asyncio.run(leave())
    assert ended == [None, None]


def test_errors_pass_through(decorate: Decorate, ended: list[Any]) -> None:
    def wrong() -> None:
        raise ValueError

    async def cancelled() -> None:
        raise asyncio.CancelledError

    def wrong_steps() -> Iterator[int]:
        yield 1
        raise KeyError

    with pytest.raises(ValueError, match=r"^$"):
        decorate(wrong)()
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(decorate(cancelled)())
    with pytest.raises(KeyError):
        list(decorate(wrong_steps)())
    assert ended == [ValueError, asyncio.CancelledError, KeyError]


def test_methods_and_classes(decorate: Decorate, ended: list[Any]) -> None:
    class Agent:
        def __init__(self, name: str) -> None:
            self.name = name

        @decorate
        def method(self) -> str:
            return self.name

        @decorate
        @staticmethod
        def static() -> str:
            return "static"

        @decorate
        @classmethod
        def of_class(cls) -> str:
            return cls.__name__

        async def __call__(self) -> str:
            return self.name

    made = decorate(Agent)
    assert made is Agent
    agent = made("a")
    assert [agent.method(), Agent.static(), agent.of_class(), asyncio.run(decorate(agent)())] == [
        "a",
        "static",
        "Agent",
        "a",
    ]
    assert ended == [None, "a", "static", "Agent", "a"]
    assert name_of(partial(plain, 1)) == f"{__name__}.plain"


def test_what_a_class_binds_otherwise_stays_what_it_is(decorate: Decorate, ended: list[Any]) -> None:
    class Box:
        def __init__(self) -> None:
            self.value = 1

        @property
        def doubled(self) -> int:
            """Twice."""
            return self.value * 2

        @doubled.setter
        def doubled(self, value: int) -> None:
            self.value = value // 2

        @cached_property
        def once(self) -> int:
            return self.value

        def plus(self, more: int) -> int:
            return self.value + more

    seen: Any = decorate
    made: Any = type(
        "Made",
        (Box,),
        {"doubled": seen(Box.doubled), "once": seen(vars(Box)["once"]), "plus_two": seen(partialmethod(Box.plus, 2))},
    )
    vars(made)["once"].__set_name__(made, "once")
    box = made()
    box.doubled = 6
    assert (box.doubled, box.once, box.once, box.plus_two()) == (6, 3, 3, 5)
    assert made.doubled.__doc__ == "Twice."
    assert ended == [6, 3, 5]


class Task:
    """What frameworks make of functions: more than something to call."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def __call__(self, value: int) -> int:
        result: int = self.function(value)
        return result

    def send(self) -> str:
        return "sent"


cached = observe_calls(lru_cache(plain), lambda _args, _kwargs: Observer([]))
cached.__wrapped__.__qualname__ = "cached"


def test_an_object_that_can_be_called_keeps_all_else(decorate: Decorate, ended: list[Any]) -> None:
    class Agent:
        task = decorate(Task(plain))
        bound = decorate(partial(plain, 5))

        @decorate
        @lru_cache  # noqa: B019 (it is what is tried)
        def kept(self, value: int) -> int:
            return value

    agent: Any = Agent()
    assert (agent.task(1), agent.bound(), agent.kept(7), agent.kept(7)) == (2, 6, 7, 7)
    assert ended == [2, 6, 7, 7]
    assert Agent.kept.cache_info().hits == 1
    assert isinstance(agent.task, Task)
    assert agent.task.send() == "sent"
    assert repr(agent.bound).startswith("functools.partial(")
    assert inspect.iscoroutinefunction(decorate(partial(coroutine, 1)))
    assert pickle.loads(pickle.dumps(cached)) is cached
    assert copy.deepcopy(agent.task)(1) == copy.copy(agent.task)(1) == 1


def test_what_is_no_function_is_left_and_said(decorate: Decorate, caplog: pytest.LogCaptureFixture) -> None:
    wrong: Any = {"no": "function"}
    assert decorate(wrong) is wrong
    assert "dict cannot be decorated" in caplog.text


def test_an_observer_that_fails_is_skipped() -> None:
    class Broken:
        def running(self) -> Any:
            raise RuntimeError

        def end(self, *_: object) -> None:
            raise RuntimeError

    def refuse(_args: Any, _kwargs: Any) -> Any:
        raise RuntimeError

    for begin in (refuse, lambda _args, _kwargs: Broken()):
        assert observe_calls(plain, begin)(1) == 1
        assert asyncio.run(observe_calls(coroutine, begin)(1)) == 1
        assert list(observe_calls(generator, begin)(1)) == [1, None]
