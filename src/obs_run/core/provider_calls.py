"""A framework's model call and the provider's inside of it are one call, which the provider's client tells of.

The framework's recording is there first, and has the place in the tree. Where an instrumented client makes the call,
its operation takes the place of the framework's, which knows less; elsewhere the framework's stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run.core import semconv
from obs_run.core.recording_scope import RecordingScope

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from obs_run.context.current_context import Entry
    from obs_run.core.ongoing import FrameworkCall, ReadUnfinished
    from obs_run.core.operations import Operation


class ProviderCall(RecordingScope):
    """The provider's call inside of a framework's: it has no span of its own, and the framework's gets its operation.

    It ends with the framework's, whose word it is whether the call has failed: after an error it may try again.
    """

    def __init__(self, recording: FrameworkCall, operation: Operation) -> None:
        self.operation = operation
        self.span: Span = recording.span
        self.outer = recording.outer
        self.around: Context = recording.around
        self.is_ended = False
        self.has_failed = False
        self.is_frameworks = operation.IS_FRAMEWORKS
        self.provider_call: FrameworkCall | None = None
        self.shared_data: Any = None
        self._recording = recording
        self._entries: list[Entry] = []

    @property
    def read_unfinished(self) -> ReadUnfinished | None:
        """Gives, while there is a stream, what reads as much of it as has come in."""
        return self._recording.read_unfinished

    @read_unfinished.setter
    def read_unfinished(self, read: ReadUnfinished | None) -> None:
        self._recording.read_unfinished = read

    def chunk(self) -> None:
        """Note that a chunk of a stream has come in."""
        self._recording.chunk()

    def replace(self, operation: Operation) -> None:
        """Have another operation told, of a call that is further inside."""
        self.operation = operation
        self._recording.replace(operation)

    def belongs_to(self, owner: object) -> None:
        """Leave it to the framework's recording to end."""

    def end(self, error: BaseException | None = None) -> None:
        """Note that the provider's call is over."""
        self.is_ended = True
        self.has_failed = error is not None


def provider_call(operation: Operation, recording: FrameworkCall) -> ProviderCall | None:
    """Return what stands for a provider's call inside of a framework's; None where that had another one already."""
    before = recording.provider_call
    if before is not None:
        if not before.has_failed:
            return None
        earlier = before.operation.extra.get(semconv.OBS_REQUEST_RETRIES, 0)
        operation.extra[semconv.OBS_REQUEST_RETRIES] = earlier + 1
    call = ProviderCall(recording, operation)
    recording.provider_call = call
    recording.replace(operation)
    return call
