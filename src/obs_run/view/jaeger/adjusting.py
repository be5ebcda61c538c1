"""What Jaeger does to a trace before it answers, unless it is asked for the raw one: sorted, and warnings added.

Times are left alone, as they are in a Jaeger that was not told to correct clocks.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from obs_run.view.jaeger.parameters import go_duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from obs_run.telemetry.records import Event, Link, Span

WARNINGS = "@jaeger@warnings"
_HOST_KEYS = ("host.id", "host.ip", "host.name")
_NO_TRACE = "0" * 32


def adjusted(spans: Sequence[Span]) -> list[Span]:
    """Return the spans with sorted attributes and events, and their warnings as an attribute."""
    missing = "parent span ID={} is not in the trace; skipping clock skew adjustment"
    warnings = clock_warnings(spans, _host, missing)
    return [_adjusted(span, warnings.get(span.span_id, [])) for span in spans]


def _adjusted(span: Span, warnings: list[str]) -> Span:
    links = tuple(_sorted_link(link) for link in span.links if link.trace_id != _NO_TRACE)
    warnings = warnings + ["Invalid span link removed"] * (len(span.links) - len(links))
    attributes = _sorted(span.attributes)
    if warnings:
        attributes[WARNINGS] = warnings
    return replace(
        span,
        attributes=attributes,
        events=tuple(_sorted_event(event) for event in sorted(span.events, key=lambda event: event.name)),
        links=links,
        resource=_sorted(span.resource),
        scope=replace(span.scope, attributes=_sorted(span.scope.attributes)) if span.scope else None,
    )


def _sorted_event(event: Event) -> Event:
    return replace(event, attributes=_sorted(event.attributes))


def _sorted_link(link: Link) -> Link:
    return replace(link, attributes=_sorted(link.attributes))


def _sorted(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return dict(sorted(attributes.items()))


def clock_warnings(spans: Sequence[Span], host_of: Callable[[Span], str], missing: str) -> dict[str, list[str]]:
    """Return the warnings of each span whose clock Jaeger would correct, or whose parent is ``missing``."""
    by_id = {span.span_id: span for span in spans}
    children: dict[str, list[Span]] = {}
    roots: list[Span] = []
    warnings: dict[str, list[str]] = {}
    for span in by_id.values():
        if not span.parent_id:
            roots.append(span)
        elif span.parent_id in by_id:
            children.setdefault(span.parent_id, []).append(span)
        else:
            roots.append(span)
            warnings[span.span_id] = [missing.format(span.parent_id)]
    for span, delta in _deltas(roots, children, host_of):
        if delta:
            said = f"clock skew adjustment disabled; not applying calculated delta of {go_duration(delta)}"
            warnings.setdefault(span.span_id, []).append(said)
    return warnings


def _deltas(
    roots: Sequence[Span], children: Mapping[str, list[Span]], host_of: Callable[[Span], str]
) -> Iterator[tuple[Span, int]]:
    """Yield each span below ``roots`` with how far its host's clock seems to be off."""
    waiting: list[tuple[Span, Span | None, int, str]] = [(root, None, 0, host_of(root)) for root in roots]
    while waiting:
        span, parent, delta, host_of_delta = waiting.pop()
        host = host_of(span)
        if parent is not None and (host != host_of_delta or not host):
            delta, host_of_delta = _skew(span, parent), host
        yield span, delta
        waiting += [(child, span, delta, host_of_delta) for child in children.get(span.span_id, ())]


def _skew(child: Span, parent: Span) -> int:
    child_end, parent_end = child.end_ns or child.start_ns, parent.end_ns or parent.start_ns
    child_took, parent_took = child_end - child.start_ns, parent_end - parent.start_ns
    if child_took > parent_took:
        return max(0, parent.start_ns - child.start_ns)
    if child.start_ns >= parent.start_ns and child_end <= parent_end:
        return 0
    return parent.start_ns + (parent_took - child_took) // 2 - child.start_ns


def _host(span: Span) -> str:
    for key in _HOST_KEYS:
        value = span.resource.get(key)
        if isinstance(value, str):
            return value
        if key == "host.ip" and isinstance(value, list):
            return str(value[0]) if value else ""
    return ""
