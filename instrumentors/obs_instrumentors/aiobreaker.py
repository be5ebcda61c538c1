"""Circuit breakers of aiobreaker, whose breakers and listeners are those of an older pybreaker: see there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core.breakers import wrap_changed, wrap_rejecting
from obs_run.core.hooks import Instrumentor, Target

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call

_UNNAMED = "aiobreaker"


def _described(breaker: Any, state: Any) -> tuple[Any, str, str]:
    return breaker, str(breaker._name or _UNNAMED), str(state.name).lower()  # noqa: SLF001 (no more than this is read)


def read_breaker(call: Call) -> tuple[Any, str, str]:
    """Read a breaker that was made."""
    return _described(call.instance, call.instance._state.state)  # noqa: SLF001 (the property asks the store anew)


def read_change(call: Call) -> tuple[Any, str, str] | None:
    """Read the state that a breaker goes into; the first comes before its name."""
    if "_name" not in vars(call.instance):
        return None
    return _described(call.instance, call.argument(0, "new_state"))


def read_rejection(call: Call) -> tuple[Any, str, str]:
    """Read a call that an open breaker refuses."""
    return _described(call.instance._breaker, call.instance.state)  # noqa: SLF001 (no public way)


def is_rejection(error: BaseException) -> bool:
    """Whether it is the error of calls that are not let through."""
    return type(error).__name__ == "CircuitBreakerError"


INSTRUMENTORS = (
    Instrumentor(
        "aiobreaker",
        "aiobreaker",
        ">=1.1,<2",
        (
            Target("aiobreaker.circuitbreaker", "CircuitBreaker.__init__", wrap_changed(read_breaker)),
            Target("aiobreaker.circuitbreaker", "CircuitBreaker._create_new_state", wrap_changed(read_change)),
            Target("aiobreaker.state", "CircuitOpenState.before_call", wrap_rejecting(read_rejection, is_rejection)),
        ),
        ("circuit breakers",),
    ),
)
