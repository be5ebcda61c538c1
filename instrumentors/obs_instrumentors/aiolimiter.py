"""Limiters of aiolimiter: ``async with`` passes the same method as the agent's own calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core.hooks import Instrumentor, Target
from obs_run.core.limiters import Passage, name_of, wrap_async_passage

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call

_NAME = "aiolimiter"


def read_passage(call: Call, _returned: Any, error: BaseException | None) -> Passage | None:
    """Read a call that was let through: all are, sooner or later, unless the agent gives up."""
    return None if error is not None else Passage(name_of(call.instance, _NAME))


INSTRUMENTORS = (
    Instrumentor(
        _NAME,
        _NAME,
        ">=1,<2",
        (Target(f"{_NAME}.leakybucket", "AsyncLimiter.acquire", wrap_async_passage(read_passage)),),
        ("limiters",),
        is_counting=True,
    ),
)
