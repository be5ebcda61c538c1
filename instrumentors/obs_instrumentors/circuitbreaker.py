"""Circuit breakers of circuitbreaker.

Chosen: patches of what each call passes. A breaker is half open from a moment on that nobody tells of: it is seen with
the call that is let through then. Where there is a fallback, what is refused goes there, and no error is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core.breakers import wrap_changed, wrap_refused
from obs_run.core.hooks import Instrumentor, Target

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call


def _described(breaker: Any, state: str) -> tuple[Any, str, str]:
    return breaker, str(breaker._name or "circuitbreaker"), state  # noqa: SLF001 (no more is read)


def read_state(call: Call) -> tuple[Any, str, str]:
    """Read the state that a breaker is in after a call, or from when it is made for a function on."""
    return _described(call.instance, call.instance._state)  # noqa: SLF001 (the property is of the time)


def read_trial(call: Call) -> tuple[Any, str, str]:
    """Read the state as a call is let through: of an open breaker it is a trial."""
    state = call.instance._state  # noqa: SLF001 (as above)
    return _described(call.instance, "half_open" if state == "open" else state)


def read_refusal(call: Call) -> tuple[Any, str, str]:
    """Read the breaker that makes its error for a call."""
    return _described(call.args[0], "open")


_CLASS = "CircuitBreaker"
INSTRUMENTORS = (
    Instrumentor(
        "circuitbreaker",
        "circuitbreaker",
        ">=2,<3",
        (
            Target("circuitbreaker", f"{_CLASS}.decorate", wrap_changed(read_state)),
            Target("circuitbreaker", f"{_CLASS}.__enter__", wrap_changed(read_trial)),
            Target("circuitbreaker", f"{_CLASS}.__exit__", wrap_changed(read_state)),
            Target("circuitbreaker", f"{_CLASS}.reset", wrap_changed(read_state), optional=True),
            Target("circuitbreaker", f"{_CLASS}Error.__init__", wrap_refused(read_refusal)),
        ),
        ("circuit breakers",),
    ),
)
