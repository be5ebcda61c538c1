"""Thread pools at the interpreter's end, where they start no more threads."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextmanager
def without_threads(*, is_over: bool = False) -> Iterator[None]:
    """Have work that is given to a new thread pool done at once, on Python 3.12: it starts no thread in the end.

    ``is_over`` says that the end has begun: no pool may start a thread then, nor the module of the pools be loaded.
    """
    if is_over:
        _load_pools()
    elif sys.version_info[:2] != (3, 12):
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
    futures.ThreadPoolExecutor = AtOnce  # type: ignore[misc,assignment]
    try:
        yield
    finally:
        futures.ThreadPoolExecutor = pool  # type: ignore[misc]


def _load_pools() -> None:
    """Load the module of the pools, which registers for an end that has begun, and is refused."""
    register = threading._register_atexit  # type: ignore[attr-defined]  # noqa: SLF001 (the pools' own way)

    def accept(*_: Any) -> None:
        """Do nothing: such a pool has no threads to wait for."""

    threading._register_atexit = accept  # type: ignore[attr-defined]  # noqa: SLF001 (as above)
    try:
        import concurrent.futures.thread  # noqa: F401
    finally:
        threading._register_atexit = register  # type: ignore[attr-defined]  # noqa: SLF001 (as above)
