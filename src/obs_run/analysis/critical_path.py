"""The critical path of a trace: the chain of work without which its root would have ended earlier.

As Jaeger's interface computes it (``packages/jaeger-ui/src/components/TracePage/CriticalPath``): from the end of a span
back to its start, the child that finished last is on the path, then the one that finished last before that one began,
and so on; what no child on the path covers is the span's own. A child counts only within its parent's time, so that one
that outlives it is cut, and one outside of it is not on the path. A consumer below a producer is not waited for.

Two rules differ from the interface's, which would leave a finished child out. One that ends in the moment in which the
next begins is before it, as in Jaeger's query service (its pull request 9174). So is one that overlaps the next by less
than a hundredth of their parent's duration, if nothing else begins or ends meanwhile, as in CRISP (Zhang et al., USENIX
ATC 2022): that is the error of a clock, or a stream whose last piece comes while what it asked for has begun.

Links say that work belongs together, not that it is waited for: they are not followed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, NamedTuple

from obs_run.analysis.trace_tree import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from obs_run.analysis.trace_tree import Node, Tree

OVERLAP = 0.01
"""What part of their parent's duration two children may overlap by and still follow one another (CRISP's default)."""


class Section(NamedTuple):
    """A stretch of the critical path, in which one span did the work itself or waited for what is not recorded."""

    node: Node
    start_ns: int
    end_ns: int

    @property
    def duration_ns(self) -> int:
        """How long it is."""
        return self.end_ns - self.start_ns


def critical_path(root: Node, *, overlap: float = OVERLAP) -> list[Section]:
    """Return the sections from the start of ``root`` to its end; together they are as long as it."""
    sections: list[Section] = []
    waiting = [(root, Interval(root.start_ns, root.end_ns))]
    while waiting:
        node, time = waiting.pop()
        end = time.end_ns
        for child, part in _waited_for(node, time, overlap):
            if part.end_ns < end:
                sections.append(Section(node, part.end_ns, end))
            waiting.append((child, part))
            end = part.start_ns
        if time.start_ns < end:
            sections.append(Section(node, time.start_ns, end))
    sections.sort(key=lambda section: section.start_ns)
    return sections


def critical_paths(tree: Tree, *, overlap: float = OVERLAP) -> list[Section]:
    """Return the sections of all roots, as Jaeger shows them for a trace with missing parents."""
    return [section for root in tree.roots for section in critical_path(root, overlap=overlap)]


def critical_time_ns(sections: Sequence[Section]) -> dict[Node, int]:
    """Return how long each span is on the path, the longest first."""
    times: dict[Node, int] = {}
    for section in sections:
        times[section.node] = times.get(section.node, 0) + section.duration_ns
    return dict(sorted(times.items(), key=lambda item: -item[1]))


def _waited_for(node: Node, time: Interval, overlap: float) -> Iterator[tuple[Node, Interval]]:
    """Return the children on the path and the part of their time that is, the last one first."""
    children = [(child, child.clipped(time)) for child in node.children if not _is_detached(child)]
    children = [(child, part) for child, part in children if part.end_ns > part.start_ns]
    children.sort(key=lambda item: (-item[1].end_ns, item[1].start_ns))
    moments = sorted(moment for _, part in children for moment in part)
    allowed = overlap * (time.end_ns - time.start_ns)
    later = Interval(time.end_ns, time.end_ns)
    for child, part in children:
        if part.end_ns <= later.start_ns:
            yield child, part
            later = part
        elif _follows(part, later, allowed, moments):
            yield child, Interval(part.start_ns, later.start_ns)
            later = part


def _follows(part: Interval, later: Interval, allowed: float, moments: Sequence[int]) -> bool:
    """Tell whether ``later`` follows ``part`` although they overlap a little."""
    if part.start_ns >= later.start_ns or part.end_ns >= later.end_ns or part.end_ns - later.start_ns >= allowed:
        return False
    own = 2
    return bisect_right(moments, part.end_ns) - bisect_left(moments, later.start_ns) == own


def _is_detached(child: Node) -> bool:
    return child.span.kind == "consumer" and child.parent is not None and child.parent.span.kind == "producer"
