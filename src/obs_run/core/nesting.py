"""Calls that a package of others records too: the inner record tells the outer one, so that one span has it all.

Core knows no such package. What does is installed when the package is imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.context import Context
    from opentelemetry.trace import Span
    from typing_extensions import Self

    from obs_run.core.ongoing import OwnRecording
    from obs_run.core.operations import Operation


class NestedInvocation(Protocol):
    """An operation inside of another package's recorded call: it has no span, and tells that call what it learns."""

    operation: Operation
    span: Span
    is_ended: bool
    read_unfinished: Callable[[], Callable[[], None] | None] | None

    @property
    def context(self) -> Context:
        """The context that children start under."""

    def __enter__(self) -> Self:
        """Be the one that reports what happens inside, as a recording is."""

    def __exit__(self, *_: object) -> None:
        """Go on without."""

    def chunk(self) -> None:
        """Note that a chunk of a stream has come in."""

    def end(self, error: BaseException | None = None) -> None:
        """Tell the outer call what is known, once."""


class SharedCalls(Protocol):
    """A package of others that records the calls which we record."""

    def nested(self, operation: Operation, context: Context) -> NestedInvocation | None:
        """Return what stands for ``operation`` inside of a call that the package records; None where it does not."""

    def with_shared_slot(self, recording: OwnRecording, context: Context) -> Context:
        """Return ``context`` with a place for what the package notes inside of a call of ours."""

    def merge_shared(self, operation: Operation, shared_data: Any) -> None:
        """Fill what ``operation`` does not know itself from what was noted inside of it."""


_installed: list[SharedCalls] = []


def install(shared_calls: SharedCalls) -> None:
    """Share calls with a package from now on."""
    if shared_calls not in _installed:
        _installed.append(shared_calls)


def nested(operation: Operation, context: Context) -> NestedInvocation | None:
    """Return what stands for ``operation`` inside of somebody else's call; None where there is none."""
    for shared_calls in _installed:
        invocation = shared_calls.nested(operation, context)
        if invocation is not None:
            return invocation
    return None


def with_shared_slot(recording: OwnRecording, context: Context) -> Context:
    """Return ``context`` with a place for what others note inside of a call of ours."""
    for shared_calls in _installed:
        context = shared_calls.with_shared_slot(recording, context)
    return context


def merge_shared(operation: Operation, shared_data: Any) -> None:
    """Fill what ``operation`` does not know itself from what others noted."""
    for shared_calls in _installed:
        shared_calls.merge_shared(operation, shared_data)
