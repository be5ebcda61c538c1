"""What recordings and those that stand for them have in common: their operation is current for a while."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from obs_run.context import current_context
from obs_run.core import ownership

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span
    from typing_extensions import Self

    from obs_run.context.current_context import Entry
    from obs_run.core.ongoing import OwnRecording
    from obs_run.core.operations import Operation


class RecordingScope:
    """Makes an operation current, as often and wherever it is entered, and gives the context of what is inside."""

    __slots__ = ()

    around: Context
    """The context that it was begun under."""
    operation: Operation
    span: Span
    outer: OwnRecording | None
    is_ended: bool
    shared_data: Any
    _entries: list[Entry]

    @property
    def context(self) -> Context:
        """The context that children start under."""
        return self.inside(self.around)

    def __enter__(self) -> Self:
        """Make the operation current, for as long as the library works on it; it may be entered again."""
        current_context.enter(self, self.inside, self._entries)
        return self

    def __exit__(self, *_: object) -> None:
        """Make what was current before current again; the recording goes on until it is ended."""
        current_context.leave(self, self._entries)

    def inside(self, context: Context) -> Context:
        """Return ``context`` with the operation as what happens there, and the baggage that its sender has told of."""
        if context is not self.around:
            context = _with_baggage(self.around, context)
        return ownership.with_owner(self, context)


def _with_baggage(sender: Context, context: Context) -> Context:
    """Return ``context`` with the baggage of another one, where it has none itself."""
    # Where nobody has loaded it there is none.
    baggage = sys.modules.get("opentelemetry.baggage")
    if baggage is None or baggage.get_all(context):
        return context
    for name, value in baggage.get_all(sender).items():
        context = baggage.set_baggage(name, value, context)
    return context
