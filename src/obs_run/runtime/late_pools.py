"""Thread pools at the interpreter's end, where they start no more threads."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def without_threads() -> Iterator[None]:
    """Have work that is given to a new thread pool done at once, on Python 3.12: it starts no thread in the end."""
    if sys.version_info[:2] != (3, 12):
        yield
        return
    from concurrent import futures

    class AtOnce(futures.Executor):
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> futures.Future[Any]:
            done: futures.Future[Any] = futures.Future()
            try:
                done.set_result(function(*args, **kwargs))
            except Exception as error:  # noqa: BLE001 (as a pool keeps it for whoever asks)
                done.set_exception(error)
            return done

    pool = futures.ThreadPoolExecutor
    futures.ThreadPoolExecutor = AtOnce  # type: ignore[misc]
    try:
        yield
    finally:
        futures.ThreadPoolExecutor = pool  # type: ignore[misc]
