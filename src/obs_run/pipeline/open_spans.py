"""Spans that are exported while they are open, so that work that lasts is seen before it is over.

Such a span is as it would have been, had it ended when it was looked at, and says that it is open. A destination that
puts what comes later in its place has all of them. To others a span is final: they have a run's, once, as the root
that its trace would lack until the end, and when the run ends a span below that root, with all of the run's time and
how it ended.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext

from obs_run.base import guard
from obs_run.pipeline.rebuilt_span import SpanDraft, rebuild_span
from obs_run.process import identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obs_run.pipeline.destination import Destination

MOST_SHOWN = 200
"""How many open spans of a process are shown, the oldest."""
_LONGEST_PERIOD = 20.0
"""What was open a minute ago and has not been seen since is of a process that is gone."""


class OpenSpan(ReadableSpan):
    """A span that goes on, as it was at its ``end_time``."""

    is_root_for_all = False
    """Whether it goes where spans are final, too."""


class AnnouncedRun(ReadableSpan):
    """The span of a run that is over, and went where spans are final while it was open."""


def period(age: float) -> float:
    """Return the seconds between two looks at what is open and older than ``age``."""
    return min(_LONGEST_PERIOD, max(1.0, age / 2))


def are_wanted(destinations: Sequence[Destination]) -> bool:
    """Whether any of the destinations takes all that is open; the others take a run, once."""
    return any(destination.replaces_open_spans for destination in destinations)


def as_open(span: ReadableSpan, *, is_root_for_all: bool) -> OpenSpan:
    """Return a span as one that is open."""
    shown = OpenSpan(**SpanDraft(span).fields)
    shown.is_root_for_all = is_root_for_all
    return shown


def as_announced(span: ReadableSpan) -> AnnouncedRun:
    """Return the span of a run as one that went out while it was open."""
    return AnnouncedRun(**SpanDraft(span).fields)


def give(destinations: Sequence[Destination], spans: list[ReadableSpan], deadline: float | None) -> None:
    """Give each destination what it is to have of a batch."""
    final: list[ReadableSpan] | None = None
    for destination in destinations:
        batch = spans
        if not destination.replaces_open_spans:
            if final is None:
                final = _final(spans)
            batch = final
        if batch:
            guard.call("export", destination.export, batch, deadline)


def _final(spans: list[ReadableSpan]) -> list[ReadableSpan]:
    kinds = {type(span) for span in spans}
    if not kinds & {OpenSpan, AnnouncedRun}:
        return spans
    shown: list[ReadableSpan] = []
    for span in spans:
        if isinstance(span, AnnouncedRun):
            shown.append(_below_its_root(span))
        elif not isinstance(span, OpenSpan):
            shown.append(span)
        elif span.is_root_for_all:
            shown.append(rebuild_span(span))
    return shown


def _below_its_root(run: AnnouncedRun) -> ReadableSpan:
    root = run.context
    if root is None:
        return run
    own = SpanContext(root.trace_id, identity.random_id(8), root.is_remote, root.trace_flags, root.trace_state)
    # What the run went on from is linked to its root.
    return rebuild_span(run, context=own, parent=root, links=())
