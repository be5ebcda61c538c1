"""Circuit breakers of purgatory, sync and async: both keep one context for each, which has its state.

Where the store is Redis there is a new context for each use, so that a state is known no longer than that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core.breakers import wrap_changed, wrap_rejecting
from obs_run.core.hooks import Instrumentor, Target

if TYPE_CHECKING:
    from obs_run.core.outcomes import Call

_STATES = {"opened": "open", "half-opened": "half_open"}


def read_state(call: Call) -> tuple[Any, str, str]:
    """Read the state of a context that was made, or has changed."""
    context = call.instance
    return context, str(context.name), _STATES.get(context.state, context.state)


def is_rejection(error: BaseException) -> bool:
    """Whether it is the open state itself, which is what is raised."""
    return type(error).__name__ == "OpenedState"


_MODULE = "purgatory.domain.model"
INSTRUMENTORS = (
    Instrumentor(
        "purgatory",
        "purgatory",
        ">=2,<4",
        (
            Target(_MODULE, "Context.__init__", wrap_changed(read_state)),
            Target(_MODULE, "Context.set_state", wrap_changed(read_state)),
            Target(_MODULE, "Context.handle_new_request", wrap_rejecting(read_state, is_rejection)),
        ),
        ("circuit breakers",),
    ),
)
