"""Circuit breakers of pybreaker.

Chosen: patches, as its listeners hear of no call that is not let through, and are the agent's to count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core.breakers import wrap_changed, wrap_rejecting
from obs_run.core.hooks import Instrumentor, Target

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call

_UNNAMED = "pybreaker"


def _described(breaker: Any, state: str) -> tuple[Any, str, str]:
    return breaker, str(breaker._name or _UNNAMED), state.replace("-", "_")  # noqa: SLF001 (no more than this is read)


def read_breaker(call: Call) -> tuple[Any, str, str]:
    """Read a breaker that was made; a store that it shares with others may have it open."""
    return _described(call.instance, call.instance._state.name)  # noqa: SLF001 (the property asks the store anew)


def read_change(call: Call) -> tuple[Any, str, str] | None:
    """Read the state that a breaker goes into; the first comes before its name."""
    if "_name" not in vars(call.instance):
        return None
    return _described(call.instance, call.args[0])


def read_rejection(call: Call) -> tuple[Any, str, str] | None:
    """Read a call that an open breaker refuses; one that it lets through for a trial leaves the state."""
    breaker = call.instance._breaker  # noqa: SLF001 (no public way)
    if breaker._state is not call.instance:  # noqa: SLF001 (as above)
        return None
    return _described(breaker, call.instance.name)


def is_rejection(error: BaseException) -> bool:
    """Whether it is the error of calls that are not let through."""
    return type(error).__name__ == "CircuitBreakerError"


INSTRUMENTORS = (
    Instrumentor(
        "pybreaker",
        "pybreaker",
        ">=1,<2",
        (
            Target("pybreaker", "CircuitBreaker.__init__", wrap_changed(read_breaker)),
            Target("pybreaker", "CircuitBreaker._create_new_state", wrap_changed(read_change)),
            Target("pybreaker", "CircuitOpenState.before_call", wrap_rejecting(read_rejection, is_rejection)),
        ),
        ("circuit breakers",),
    ),
)
