"""An operation that goes on, as far as others ask about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from opentelemetry.trace import Span

    from obs_run.core.operations import Operation


class Ongoing(Protocol):
    """A recording, or what stands for one inside of another package's call."""

    operation: Operation
    span: Span
    is_ended: bool


class OwnRecording(Ongoing, Protocol):
    """A recording of ours."""

    shared_data: Any
    """What another package noted of the operation, from inside of it."""

    @property
    def outer(self) -> OwnRecording | None:
        """The recording around this one."""
