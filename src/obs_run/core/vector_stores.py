"""What the clients of vector stores have in common: methods as data, and how requests and hits are counted."""

from __future__ import annotations

import contextvars
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from obs_run.base import guard, payload
from obs_run.core import streams
from obs_run.core.hooks import Target
from obs_run.core.operations import DatabaseCall, Retrieval
from obs_run.core.outcomes import Reader

if TYPE_CHECKING:
    import concurrent.futures
    from collections.abc import Callable, Mapping, Sequence

    from obs_run.core.hooks import Wrapper
    from obs_run.core.operations import Operation
    from obs_run.core.outcomes import Call

    Given = dict[str, Any]
    Begin = Callable[[str, Any, Given], Operation | None]

_MOST_SCORES = 100


def nothing(_: Any, __: Any) -> None:
    """Read nothing from what a call returned."""


@dataclass(frozen=True)
class Method:
    """A method of a store's client.

    ``parameters`` are those that may be given by place, in order. ``begin`` makes the operation from the method's
    name, the client and the arguments by name; None where there is nothing to record. ``result`` reads what came back.
    """

    parameters: tuple[str, ...]
    begin: Begin
    result: Callable[[Any, Any], None] = nothing
    optional: bool = False


def targets(
    module: str,
    owner: str,
    methods: Mapping[str, Method],
    wrapper: Callable[[streams.Begin], Wrapper] = streams.wrap_call,
) -> tuple[Target, ...]:
    """Return the targets of a class's methods; the names of ``methods`` are those of the database operations."""
    return tuple(
        Target(module, f"{owner}.{name}", _wrapper(wrapper, name, one), one.optional) for name, one in methods.items()
    )


@cache
def _wrapper(wrapper: Callable[[streams.Begin], Wrapper], name: str, method: Method) -> Wrapper:
    """Return one wrapper for a method that several modules know, so that it is put around it once."""
    return wrapper(partial(_begun, name, method, Reader(method.result)))


def _begun(name: str, method: Method, reader: Reader, call: Call) -> tuple[Operation, Reader] | None:
    given = {**dict(zip(method.parameters, call.args, strict=False)), **call.kwargs}
    operation = method.begin(name, call.instance, given)
    return None if operation is None else (operation, reader)


def search(system: str, operation: str, collection: Any, **known: Any) -> Retrieval:
    """Return a search in a collection of a store."""
    name = payload.as_text(collection)
    return Retrieval(system=system, database_operation=operation, collection=name, data_source=name, **known)


def database_call(system: str, operation: str, collection: Any = None, **known: Any) -> DatabaseCall:
    """Return any other call of a store."""
    return DatabaseCall(operation, system=system, collection=payload.as_text(collection), **known)


def size(value: Any) -> int | None:
    """Return how many records stand in one or many; None where only reading them would tell."""
    if value is None:
        return None
    if isinstance(value, (str, bytes, dict)):
        return 1
    return len(value) if hasattr(value, "__len__") else None


def batch(value: Any) -> int | None:
    """Return how many records stand in ``value`` if they are two or more, as the conventions count a batch."""
    count = value if isinstance(value, int) else size(value)
    return count if count is not None and count > 1 else None


def found(operation: Any, hits: Sequence[tuple[Any, Any, Any]], *, wanted: bool) -> None:
    """Note the hits of a search, each its id, score and content; the latter only while content is ``wanted``."""
    operation.returned = len(hits)
    scores = [payload.as_float(score) for _, score, _ in hits[:_MOST_SCORES]]
    operation.scores = [score for score in scores if score is not None] or None
    if wanted:
        operation.documents = [_document(*hit) for hit in hits]


def _document(identity: Any, score: Any, content: Any) -> dict[str, Any]:
    told = {"id": None if identity is None else str(identity), "score": payload.as_float(score), "content": content}
    return {name: value for name, value in told.items() if value is not None}


def executor(
    wrapped: Callable[..., Any], _: object, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> concurrent.futures.Executor:
    """Make the threads in which a library does the parts of a call; they work in the context of who asks them to."""
    made: concurrent.futures.Executor = wrapped(*args, **kwargs)
    guard.call("context", _carry_context, made)
    return made


def _carry_context(made: Any) -> None:
    submit = made.submit

    def submit_in_context(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return submit(contextvars.copy_context().run, function, *args, **kwargs)

    made.submit = submit_in_context
