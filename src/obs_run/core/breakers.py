"""Circuit breakers: the state that each is in, how it changes, and the calls that it does not let through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.base import guard
from obs_run.base.stand_in import hide_frame, passed_over
from obs_run.core import noted_calls, semconv, span_events
from obs_run.core.observed_metrics import Observation, observed_metrics
from obs_run.core.outcomes import Call

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from obs_run.core.hooks import Wrapper

    ReadState = Callable[[Call], tuple[Any, str, str] | None]
    """Gives a breaker, its name and its state."""
    IsRejection = Callable[[BaseException], bool]

__all__ = [
    "CLOSED",
    "HALF_OPEN",
    "OPEN",
    "note_rejected",
    "note_state",
    "wrap_changed",
    "wrap_refused",
    "wrap_rejecting",
]

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half_open"
_STATES = (CLOSED, OPEN, HALF_OPEN)
_SITE = "circuit breaker"


class Breaker:
    """What is known of a circuit breaker."""

    __slots__ = ("_by_state", "_labels", "state")

    def __init__(self, name: str, state: str) -> None:
        self._labels = {semconv.OBS_BREAKER_NAME: name}
        self._by_state = [(each, {**self._labels, semconv.OBS_BREAKER_STATE: each}) for each in _STATES]
        self.state = state

    def observations(self) -> Iterable[Observation]:
        """Return 1 for the state that it is in, 0 for the others."""
        for state, labels in self._by_state:
            yield Observation(semconv.METRIC_BREAKER_STATE, int(state == self.state), labels)

    def begin_in_child(self) -> None:
        """Stay in the state, as the agent's breaker does."""

    def change(self, state: str) -> None:
        """Note the state that it is in now."""
        before = self.state
        if state == before:
            return
        self.state = state
        labels = {**self._labels, semconv.OBS_BREAKER_STATE: state}
        observed_metrics.count(semconv.METRIC_BREAKER_TRANSITIONS, labels).add()
        span_events.add_event(semconv.EVENT_BREAKER_STATE, {**labels, semconv.OBS_BREAKER_PREVIOUS_STATE: before})

    def reject(self) -> None:
        """Note a call that it did not let through."""
        observed_metrics.count(semconv.METRIC_BREAKER_REJECTED, self._labels).add()
        span_events.add_event(semconv.EVENT_BREAKER_REJECTED, {**self._labels, semconv.OBS_BREAKER_STATE: self.state})


def note_state(owner: Any, name: str, state: str) -> Breaker:
    """Note the state that a breaker is in; known for the first time, it has not changed."""
    observed_metrics.watch()
    breaker: Breaker | None = observed_metrics.kept.get(id(owner))
    if breaker is None:
        breaker = Breaker(name, state)
        observed_metrics.keep(owner, breaker)
    else:
        breaker.change(state)
    return breaker


def note_rejected(owner: Any, name: str, state: str = OPEN) -> None:
    """Note a call that a breaker did not let through."""
    note_state(owner, name, state).reject()


def wrap_changed(read: ReadState) -> Wrapper:
    """Return the wrapper of a function after which a breaker may be in another state, or there is a new one."""

    def note(call: Call, _returned: Any) -> None:
        found = read(call)
        if found is not None:
            note_state(*found)

    return noted_calls.wrap_after(_SITE, note)


def wrap_rejecting(read: ReadState, is_rejection: IsRejection) -> Wrapper:
    """Return the wrapper of a function that raises where a breaker does not let a call through."""

    def note(error: BaseException, call: Call) -> None:
        if is_rejection(error):
            _note_rejected(read(call))

    @passed_over
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            return wrapped(*args, **kwargs)
        except BaseException as error:
            guard.call(_SITE, note, error, Call(instance, args, kwargs))
            hide_frame(error, error.__traceback__)
            raise

    return wrapper


def wrap_refused(read: ReadState) -> Wrapper:
    """Return the wrapper of a function that is called where a breaker does not let a call through."""
    return noted_calls.wrap_before(_SITE, lambda call: _note_rejected(read(call)))


def _note_rejected(found: tuple[Any, str, str] | None) -> None:
    if found is not None:
        note_rejected(*found)
