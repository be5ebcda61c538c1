"""Wrappers by which is read what passes a library's own streams, as it passes and whoever takes it out when.

==================================================  ==========================================================
what the library has                                wrapper
==================================================  ==========================================================
an object that puts what it is told into a stream   ``wrap_fed``, for the object's ``__init__``
of its own
a function that may be given a generator of what    ``wrap_given``
is to be told
==================================================  ==========================================================
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import generators, guard
from obs_run.base.stand_in import no_frame, passed_over
from obs_run.base.steps import Step
from obs_run.core.outcomes import Call

if TYPE_CHECKING:
    from collections.abc import Callable

    from obs_run.core.hooks import Wrapper

__all__ = ["wrap_fed", "wrap_given"]


def wrap_fed(stream: str, listen: Callable[[Any], Callable[[Any], object]]) -> Wrapper:
    """Return the wrapper of the ``__init__`` of an object that puts messages into the stream which is its attribute.

    ``listen(instance)`` gives what reads each of them, as it comes and whoever takes it out when.
    """

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        with no_frame:
            wrapped(*args, **kwargs)
        guard.call("stream", _listen, instance, stream, listen)

    return wrapper


def _listen(instance: Any, stream: str, listen: Callable[[Any], Callable[[Any], object]]) -> None:
    setattr(instance, stream, _FedStream(getattr(instance, stream), listen(instance)))


class _FedStream:
    """A stream within a library on whose way in somebody listens."""

    __slots__ = ("_read", "_stream")

    def __init__(self, stream: Any, read: Callable[[Any], object]) -> None:
        self._stream = stream
        self._read = read

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def send(self, message: Any) -> Any:
        """Put a message in; what the stream returns is to be awaited there."""
        guard.call("message", self._read, message)
        return self._stream.send(message)

    def send_nowait(self, message: Any) -> None:
        """Put a message in, if there is place for it."""
        guard.call("message", self._read, message)
        with no_frame:
            self._stream.send_nowait(message)


def wrap_given(position: int, name: str, listen: Callable[[Call], Callable[[Any], object] | None]) -> Wrapper:
    """Return the wrapper of a function that may be given a generator of either kind, by place or by name.

    ``listen(call)`` gives what reads each of the pieces as the function takes them; None for nothing.
    """

    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = Call(instance, args, kwargs)
        guard.call("callback", _follow_given, call, position, name, listen)
        return wrapped(*call.args, **call.kwargs)

    return wrapper


def _follow_given(
    call: Call, position: int, name: str, listen: Callable[[Call], Callable[[Any], object] | None]
) -> None:
    read = listen(call)
    given = call.argument(position, name)
    if read is not None and given is not None:
        call.replace(position, name, generators.followed(given, lambda: _Taking(read)))


class _Taking(Step):
    """The steps in which a function takes what it was given."""

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[Any], object]) -> None:
        super().__init__()
        self._read = read

    def hides(self, chunk: Any) -> bool:
        """Have a piece read."""
        guard.call("message", self._read, chunk)
        return False
