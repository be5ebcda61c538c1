"""Limiters of pyrate-limiter; a decorated function that is sync passes by a method of its own since 4."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.limiters import Passage, name_of, wrap_async_passage, wrap_either_passage

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call

_NAME = "pyrate_limiter"
_REFUSALS = ("BucketFullException", "LimiterDelayException", "TimeoutError")


def read_passage(call: Call, returned: Any, error: BaseException | None) -> Passage | None:
    """Read whether a call was let through; the names of its items may be as many as there are users."""
    if error is not None and type(error).__name__ not in _REFUSALS:
        return None
    return Passage(name_of(call.instance, _NAME), error is None and returned is not False)


def read_decorated(call: Call, returned: Any, error: BaseException | None) -> Passage | None:
    """Read a call of a decorated function that is sync; all others pass the other methods."""
    is_decorated = call.kwargs.get("_allow_async_result") is False
    return read_passage(call, returned, error) if is_decorated else None


_MODULE = f"{_NAME}.limiter"
INSTRUMENTORS = (
    Instrumentor(
        _NAME,
        "pyrate-limiter",
        ">=3,<5",
        (
            Target(_MODULE, "Limiter.try_acquire", wrap_either_passage(read_passage)),
            # Since 4.
            Target(_MODULE, "Limiter.try_acquire_async", wrap_async_passage(read_passage), optional=True),
            Target(_MODULE, "Limiter._try_acquire", wrap_either_passage(read_decorated), optional=True),
        ),
        ("limiters",),
        is_counting=True,
    ),
)
