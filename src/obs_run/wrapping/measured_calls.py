"""Pools, circuit breakers, limiters and caches of the agent's own, measured by the calls that entries name."""

from __future__ import annotations

import contextlib
import inspect
import weakref
from functools import partial
from time import perf_counter_ns
from types import CoroutineType
from typing import TYPE_CHECKING, Any

from obs_run.base import generators, guard
from obs_run.base.functions import innermost
from obs_run.base.latest import Latest
from obs_run.base.stand_in import hide_frame, passed_over
from obs_run.base.steps import Step
from obs_run.core import breakers, caches, limiters, pools
from obs_run.core.outcomes import Call
from obs_run.wrapping import values
from obs_run.wrapping.entries import BREAKER, CACHE, LIMITER, POOL, RELEASE, RESULT, SELF, Entry, ValuePath

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.hooks import Wrapper

    Note = Callable[[Call, Any, BaseException | None, int], None]

_RESULT = ValuePath(RESULT, ())
_SELF = ValuePath(SELF, ())
_HALF_OPEN = frozenset(["half_open", "halfopen", "half"])


def wrapper_for(
    entry: Entry, role: str, function: Any, parameters: values.Parameters, *, with_derived: bool
) -> Wrapper:
    """Return the wrapper that measures the calls of a function as ``entry`` says.

    With ``with_derived`` methods of derived classes are measured too, and so those are not that they override.
    """
    overridden = function if with_derived else None
    if entry.kind == POOL:
        reader = _Pool(entry, parameters, overridden).reader()
        if role == RELEASE:
            return pools.wrap_release(reader)
        yielding = inspect.unwrap(function)
        if inspect.isgeneratorfunction(yielding) or inspect.isasyncgenfunction(yielding):
            return pools.wrap_block(reader)
        is_async = inspect.iscoroutinefunction(function)
        return pools.wrap_async_acquire(reader) if is_async else pools.wrap_acquire(reader)
    kinds: dict[str, type[_Cache | _Breaker | _Limiter]] = {CACHE: _Cache, BREAKER: _Breaker, LIMITER: _Limiter}
    return _wrap(kinds[entry.kind](entry, parameters, overridden).note)


_last_rejections: dict[str, weakref.ref[BaseException]] = {}
"""The exception by which a call was rejected last, by entries."""


class _Named:
    """What is measured, and how it is called."""

    def __init__(self, entry: Entry, parameters: values.Parameters, overridden: Any) -> None:
        self.entry = entry
        self.parameters = parameters
        self._overridden = overridden

    def owner(self, call: Call) -> Any:
        """Return the object that is measured, None where another method of its class measures the call.

        Functions without an object are, as their entry, one of a kind.
        """
        instance = call.instance
        if values.is_asking():
            return None
        if instance is None:
            return self.entry
        if self._overridden is not None and not _is_last(self._overridden, type(instance)):
            return None
        return _part_of(instance, self.entry.kind) or self._stand_in(call)

    def _stand_in(self, call: Call) -> _Part:
        """Return what stands for all objects of a class and name, where they allow no weak references."""
        key = (self.entry.kind, type(call.instance), self.name(call))
        part = _stand_ins.get(key)
        if part is None:
            part = _Part()
            _stand_ins.keep(key, part)
        return part

    def name(self, call: Call) -> str:
        """Return the name that the entry gives it, else that of its class."""
        pieces = self.entry.span_name
        named = "".join(
            values.in_name(self.parameters.value(piece, call)) if isinstance(piece, ValuePath) else piece
            for piece in pieces
        ).strip()
        if named:
            return named
        owner = call.instance
        if owner is None:
            return self.entry.name
        return owner.__name__ if isinstance(owner, type) else type(owner).__name__


class _Pool(_Named):
    """A pool, by the functions that give a connection and take it back."""

    def reader(self) -> pools.PoolReader:
        """Return how its calls are read."""
        return pools.PoolReader(
            pool=self.owner,
            describe=self._describe,
            acquired=self._acquired,
            released=self._released,
        )

    def _describe(self, call: Call) -> pools.PoolDescription:
        return pools.PoolDescription(self.name(call))

    def _acquired(self, returned: Any) -> Any:
        connection = self.entry.connection or _RESULT
        return values.follow(returned, connection.keys) if connection.root == RESULT else returned

    def _released(self, call: Call) -> Any:
        connection = self.entry.connection
        if connection is not None and connection.root != RESULT:
            return self.parameters.value(connection, call)
        given = next(iter(self.parameters.all_of(call).values()), None)
        return given if connection is None else values.follow(given, connection.keys)


class _Cache(_Named):
    """A cache, by the functions that look something up."""

    def note(self, call: Call, returned: Any, error: BaseException | None, begun: int) -> None:
        """Note how a lookup ended: without a value where there is none, or no such key."""
        owner = self.owner(call)
        if owner is None:
            return
        seconds = (perf_counter_ns() - begun) / 1e9
        cache = caches.cache_of(owner, lambda _: caches.CacheDescription(self.name(call)))
        cache.took.add(seconds)
        if error is not None:
            cache.miss.add_many(int(isinstance(error, KeyError)))
            return
        hit = self.entry.hit or _RESULT
        value = values.follow(returned, hit.keys)
        (cache.miss if value is None or value is False else cache.hit).add()


class _Rejecting(_Named):
    """What does not let every call through."""

    def is_rejected(self, returned: Any, error: BaseException | None) -> bool:
        """Whether a call was not let through."""
        if error is not None:
            return self._is_rejection(error)
        allows = self.entry.allows
        return allows is not None and values.follow(returned, allows.keys) is False

    def _is_rejection(self, error: BaseException) -> bool:
        """Whether an exception rejects a call; one that passes several functions of the entry does so once."""
        if not any(kind.__name__ in self.entry.rejects for kind in type(error).__mro__):
            return False
        known = _last_rejections.get(self.entry.name)
        if known is not None and known() is error:
            return False
        # Built-in exceptions allow no weak reference, and may be counted by each of the functions.
        with contextlib.suppress(TypeError):
            _last_rejections[self.entry.name] = weakref.ref(error)
        return True


class _Limiter(_Rejecting):
    """A limiter, by the functions that wait until they let a call through."""

    def note(self, call: Call, returned: Any, error: BaseException | None, begun: int) -> None:
        """Note how long a call has waited, or that it was not let through."""
        is_rejected = self.is_rejected(returned, error)
        if self.owner(call) is not None and (error is None or is_rejected):
            limiters.note(limiters.Passage(self.name(call), not is_rejected), begun)


class _Breaker(_Rejecting):
    """A circuit breaker, by the functions after which it may be in another state, or that ask whether a call may be."""

    def note(self, call: Call, returned: Any, error: BaseException | None, _begun: int) -> None:
        """Note the state that it is in, and a call that it has not let through."""
        owner, state = self.owner(call), self._state(call)
        if owner is None or state is None:
            return
        is_rejected = self.is_rejected(returned, error)
        note = breakers.note_rejected if is_rejected else breakers.note_state
        note(owner, self.name(call), state)

    def _state(self, call: Call) -> str | None:
        found = self.parameters.value(self.entry.state or _SELF, call)
        if found is None:
            return None
        if isinstance(found, bool):
            return breakers.OPEN if found else breakers.CLOSED
        word = str(values.shown(found)).lower().replace("-", "_").replace(" ", "_")
        if word in _HALF_OPEN:
            return breakers.HALF_OPEN
        return word if word in (breakers.OPEN, breakers.CLOSED) else None


def _is_last(function: Any, kind: type) -> bool:
    """Whether a method is the one that instances of a class have, and not one that it overrides."""
    name = function.__name__
    found = next((vars(each)[name] for each in kind.__mro__ if name in vars(each)), None)
    return innermost(getattr(found, "__wrapped__", found)) is function


class _Part:
    """What stands for an object as one of the kinds that are measured: it may be several at once."""

    __slots__ = ("__weakref__",)


_parts: dict[tuple[int, str], tuple[weakref.ref[Any], _Part]] = {}


_stand_ins: Latest[_Part] = Latest(1000)


def _part_of(instance: Any, kind: str) -> _Part | None:
    """Return what stands for an object; None where it allows no weak references, as with ``__slots__``."""
    key = (id(instance), kind)
    found = _parts.get(key)
    if found is not None:
        return found[1]

    def forget(_: object) -> None:
        _parts.pop(key, None)

    try:
        kept = weakref.ref(instance, forget)
    except TypeError:
        return None
    return _parts.setdefault(key, (kept, _Part()))[1]


class _Awaited(Step):
    """The work of a coroutine, which begins when it is awaited."""

    __slots__ = ("_begun", "_call", "_note")

    def __init__(self, note: Note, call: Call) -> None:
        super().__init__()
        self._note = note
        self._call = call
        self._begun = perf_counter_ns()

    def read_returned(self, returned: Any) -> Any:
        """Note what was returned."""
        guard.call("own code", self._note, self._call, returned, None, self._begun)
        return returned

    def end(self, error: BaseException) -> None:
        """Note what was raised."""
        guard.call("own code", self._note, self._call, None, error, self._begun)


def _wrap(note: Note) -> Wrapper:
    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        begun, call = perf_counter_ns(), Call(instance, args, kwargs)
        try:
            returned = wrapped(*args, **kwargs)
        except BaseException as error:
            guard.call("own code", note, call, None, error, begun)
            hide_frame(error, error.__traceback__)
            raise
        if isinstance(returned, CoroutineType):
            return generators.followed(returned, partial(_Awaited, note, call))
        guard.call("own code", note, call, returned, None, begun)
        return returned

    return wrapper
