"""An operation that goes on, as far as others ask about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from obs_run.core.operations import Operation

    ReadUnfinished = Callable[[], Callable[[], None] | None]


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


class FrameworkCall(OwnRecording, Protocol):
    """A model call that a framework tells of, or what stands for the provider's inside of it."""

    around: Context
    is_frameworks: bool
    provider_call: FrameworkCall | None
    read_unfinished: ReadUnfinished | None
    has_failed: bool
    """Whether the provider's call has failed, so that a further one is another try."""

    def chunk(self) -> None:
        """Note that a chunk of a stream has come in."""

    def replace(self, operation: Operation) -> None:
        """Have another operation told."""
