"""Runs that were told twice where a span is final: as a root while they went on, and below it when they had ended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from obs_run.core import semconv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from obs_run.telemetry.records import Span


def joined(spans: Sequence[Span]) -> list[Span]:
    """Return the spans with each such run as one, as it was in the end."""
    roots = {(span.trace_id, span.span_id): span for span in spans if span.is_open and _is_run(span)}
    if not roots:
        return list(spans)
    ends: dict[tuple[str, str], Span] = {}
    for span in spans:
        root = roots.get((span.trace_id, span.parent_id or ""))
        # Not the run of a child process.
        if root is not None and _is_run(span) and (span.name, span.start_ns) == (root.name, root.start_ns):
            ends[root.trace_id, root.span_id] = span
    below = {(end.trace_id, end.span_id) for end in ends.values()}
    kept = [span for span in spans if (span.trace_id, span.span_id) not in below]
    return [_ended(span, ends.get((span.trace_id, span.span_id))) for span in kept]


def _is_run(span: Span) -> bool:
    return semconv.OBS_RUN_KIND in span.attributes


def _ended(root: Span, end: Span | None) -> Span:
    if end is None or not root.is_open:
        return root
    return replace(end, span_id=root.span_id, parent_id=root.parent_id, links=root.links)
