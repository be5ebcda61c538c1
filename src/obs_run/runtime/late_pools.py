"""The SDK's look for its resource without the threads that it starts for it.

While it is imported it starts a thread pool for that. The agent would see the threads, greenlets would run in the
midst of our set-up, and at the interpreter's end pools start none.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class _Inside:
    """How many set-ups are going on."""

    number = 0


@contextmanager
def without_threads(*, is_over: bool = False) -> Iterator[None]:
    """Have the SDK look for its resource in the calling thread.

    ``is_over`` says that the end has begun: no pool may start a thread then, nor the module of the pools be loaded.
    """
    if is_over:
        _load_pools()
    import concurrent.futures

    from opentelemetry.sdk import resources

    module: Any = resources
    _Inside.number += 1
    module.concurrent = _stand_in(concurrent.futures)
    try:
        yield
    finally:
        _Inside.number -= 1
        if not _Inside.number:
            module.concurrent = concurrent


def _stand_in(futures: Any) -> Any:
    """Return what stands for the package ``concurrent``, with a pool that does at once what it is given."""

    class AtOnce(futures.Executor):  # type: ignore[misc]
        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
            done = futures.Future()
            try:
                done.set_result(function(*args, **kwargs))
            except Exception as error:  # noqa: BLE001 (as a pool keeps it for whoever asks)
                done.set_exception(error)
            return done

    return SimpleNamespace(
        futures=SimpleNamespace(ThreadPoolExecutor=AtOnce, TimeoutError=futures.TimeoutError),
    )


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
