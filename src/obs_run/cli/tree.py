"""A trace as lines of a tree: spans, and the log lines beside them in the order of time."""

from __future__ import annotations

import time
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.analysis.errors import failure
from obs_run.cli import log_lines, words
from obs_run.core import semconv
from obs_run.telemetry.values import encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from obs_run.cli.log_lines import Repeated
    from obs_run.cli.spoken import Speeches
    from obs_run.telemetry.records import LogLine, Span, Trace

_WARN, _ERROR = 13, 17


class Part(NamedTuple):
    """A piece of a line, and how a terminal shows it."""

    text: str
    style: str = ""


class Branches(NamedTuple):
    """What a terminal draws before a line."""

    on: str
    fork: str
    end: str


DRAWN = Branches("│  ", "├─ ", "└─ ")
TYPED = Branches("|  ", "|- ", "`- ")


class Line(NamedTuple):
    """One line: which of its ancestors and itself are the last of their siblings, and what stands there."""

    last: tuple[bool, ...]
    parts: tuple[Part, ...]
    is_log: bool = False
    is_below: bool = False
    """Whether it is more of the line before it."""
    has_children: bool = False
    """Whether children come after it, where it is more of a line."""

    @property
    def text(self) -> str:
        """The line without styles."""
        return "  ".join(part.text for part in self.parts)

    @property
    def depth(self) -> int:
        """How many steps it is indented without branches."""
        return len(self.last) + self.is_below

    def guides(self, branches: Branches = DRAWN) -> str:
        """Return the branches that a terminal draws before the line."""
        if not self.last:
            return ""
        if self.is_below:
            return self._above(self.last, branches) + (branches.on if self.has_children else "   ")
        return self._above(self.last[:-1], branches) + (branches.end if self.last[-1] else branches.fork)

    @staticmethod
    def _above(levels: Iterable[bool], branches: Branches) -> str:
        return "".join("   " if last else branches.on for last in levels)


class _Node:
    def __init__(self, time: int, span: Span | None, log: Repeated | None) -> None:
        self.time, self.span, self.log = time, span, log
        self.children: list[_Node] = []


def lines(
    trace: Trace,
    spans: Sequence[Span],
    logs: Sequence[LogLine],
    speeches: Speeches | None = None,
    *,
    details: bool = False,
) -> Iterator[Line]:
    """Return the head line, then the spans (in the order of ``start_ns``) and log lines as a tree.

    Below a span come what it says, of ``speeches``, and with ``details`` its attributes and events.
    """
    yield Line((), tuple(_head(trace)))
    roots = _roots(spans, logs, fold=not details)
    several = sum(node.span is not None for node in roots) > 1
    # Not recursion: a trace may be deeper than Python's stack.
    waiting: list[tuple[_Node, tuple[bool, ...], Span | None]] = []
    _push(waiting, roots, (), None)
    while waiting:
        node, last, above = waiting.pop()
        if node.log is not None:
            yield Line(last, tuple(log_parts(node.log, trace.start_ns)), is_log=True)
            if details:
                yield from _below(_log_details(node.log.line), last, has_children=False)
        elif node.span is not None:
            lost = several and above is None and node.span.parent_id is not None
            yield Line(last, tuple(span_parts(node.span, above, lost=lost)))
            has_children = bool(node.children)
            if details:
                yield from _below(_span_details(node.span, trace.start_ns), last, has_children=has_children)
            if speeches is not None:
                yield from _below(_spoken(speeches, node.span), last, has_children=has_children)
            _push(waiting, node.children, last, node.span)


def _below(texts: Iterable[tuple[Part, ...]], last: tuple[bool, ...], *, has_children: bool) -> Iterator[Line]:
    return (Line(last, parts, is_below=True, has_children=has_children) for parts in texts)


def spoken_lines(speeches: Speeches, span: Span) -> Iterator[Line]:
    """Return what a span without a tree says."""
    return _below(_spoken(speeches, span), (True,), has_children=False)


def _spoken(speeches: Speeches, span: Span) -> Iterator[tuple[Part, ...]]:
    for speech in speeches.of(span):
        first, *others = speech.lines
        who = (Part(f"{speech.who}:", speech.style),) if speech.who else ()
        yield (*who, Part(first, "" if who else speech.style))
        yield from ((Part(f"  {line}"),) for line in others)


def _span_details(span: Span, start_ns: int) -> Iterator[tuple[Part, ...]]:
    if span.attributes:
        yield (Part(_fields(span.attributes), "dim"),)
    for event in span.events:
        moment = f"{(event.time_ns - start_ns) / 1e9:+.3f}s"
        yield tuple(
            part
            for part in (
                Part(moment, "dim"),
                Part(f"event {words.one_line(event.name)}"),
                Part(_fields(event.attributes), "dim"),
            )
            if part.text
        )
    for link in span.links:
        yield (Part(f"link to trace {link.trace_id} span {link.span_id}", "dim"),)


def _log_details(line: LogLine) -> Iterator[tuple[Part, ...]]:
    if line.attributes:
        yield (Part(_fields(line.attributes), "dim"),)


def _fields(attributes: Mapping[str, Any]) -> str:
    shown = {name: value if isinstance(value, str) else encode(value) for name, value in attributes.items()}
    left_out = semconv.CONTENT | {semconv.EXCEPTION_STACKTRACE}
    return " ".join(words.one_line(f"{name}={value}") for name, value in shown.items() if name not in left_out)


def _push(
    waiting: list[tuple[_Node, tuple[bool, ...], Span | None]],
    nodes: Sequence[_Node],
    last: tuple[bool, ...],
    above: Span | None,
) -> None:
    end = len(nodes) - 1
    waiting.extend((nodes[at], (*last, at == end), above) for at in range(end, -1, -1))


def _roots(spans: Sequence[Span], logs: Sequence[LogLine], *, fold: bool) -> list[_Node]:
    nodes = {span.span_id: _Node(span.start_ns, span, None) for span in spans}
    roots: list[_Node] = []
    for node in nodes.values():
        assert node.span is not None
        parent = nodes.get(node.span.parent_id or "")
        (roots if parent is None or parent is node else parent.children).append(node)
    roots.extend(_unreached(nodes, roots))
    for log in logs:
        owner = nodes.get(log.span_id or "")
        (roots if owner is None else owner.children).append(_Node(log.time_ns, None, log_lines.Repeated(log, 1, log)))
    for children in (roots, *(node.children for node in nodes.values())):
        children.sort(key=lambda node: node.time)
        if fold:
            children[:] = _folded(children)
    return roots


def _folded(nodes: Sequence[_Node]) -> Iterator[_Node]:
    """Return the nodes with log lines that follow each other and say nearly the same as one."""
    for is_log, group in groupby(nodes, lambda node: node.log is not None):
        if is_log:
            lines_ = log_lines.folded(node.log.line for node in group if node.log is not None)
            yield from (_Node(each.line.time_ns, None, each) for each in lines_)
        else:
            yield from group


def _unreached(nodes: dict[str, _Node], roots: Sequence[_Node]) -> Iterator[_Node]:
    """Cut loops of parents, which wrong instrumentation can make, at the span that began first."""
    reached: set[int] = set()
    waiting = list(roots)
    for candidate in (None, *nodes.values()):
        if candidate is not None and id(candidate) not in reached:
            for node in nodes.values():
                if candidate in node.children:
                    node.children.remove(candidate)
            waiting.append(candidate)
            yield candidate
        while waiting:
            node = waiting.pop()
            if id(node) not in reached:
                reached.add(id(node))
                waiting.extend(node.children)


def _head(trace: Trace) -> Iterator[Part]:
    yield Part(f"trace {words.one_line(trace.trace_id)}", "bold")
    yield Part(words.one_line(trace.service))
    yield Part(words.clock(trace.start_ns), "dim")
    yield Part(words.duration(trace.seconds))
    yield Part(words.count(trace.spans, "span"))
    if trace.logs:
        yield Part(words.count(trace.logs, "log line"))
    if not trace.spans:
        yield Part("no span has ended yet, or it is not sampled", "yellow")
    if trace.running:
        yield Part(f"{trace.running} running", "green")
    if trace.unfinished > trace.running:
        yield Part(f"{trace.unfinished - trace.running} unfinished", "yellow")
    if trace.errors:
        yield Part(words.count(trace.errors, "error"), "bold red")
    used = words.usage(trace.input_tokens, trace.output_tokens, trace.cost)
    if used:
        yield Part(used, "cyan")


def span_parts(span: Span, above: Span | None, *, lost: bool) -> Iterator[Part]:
    """Return what a line says of a span below ``above``; ``lost`` is one whose parent is not there."""
    yield Part(words.one_line(span.name) or "(no name)", "bold red" if span.status == "error" else "bold")
    yield Part(words.duration(span.seconds), "dim")
    used = words.usage(span.input_tokens, span.output_tokens, span.cost)
    if used:
        yield Part(used, "cyan")
    yield from _calls(span)
    process = _process(span, above)
    if process:
        yield Part(f"[{process}]", "magenta")
    if lost:
        yield Part("(parent not recorded)", "dim")
    code, signal = span.attributes.get(semconv.OBS_RUN_EXIT_CODE), span.attributes.get(semconv.OBS_RUN_SIGNAL)
    if signal:
        yield Part(f"signal={words.one_line(str(signal))}", "red")
    elif code:
        yield Part(f"exit={code}", "red")
    if span.is_running(time.time_ns()):
        yield Part("RUNNING", "green")
    elif span.unfinished:
        by = span.attributes.get(semconv.OBS_SPAN_ENDED_BY)
        yield Part(f"UNFINISHED ({words.one_line(str(by))})" if by else "UNFINISHED", "yellow")
    if span.status == "error":
        yield Part(words.one_line(f"ERROR {failure(span).text}".rstrip()), "red")


def _calls(span: Span) -> Iterator[Part]:
    """Tell the tools that the model asked for, and how often the call was tried again."""
    tools = span.attributes.get(semconv.OBS_TOOL_CALLS)
    if isinstance(tools, list):
        yield Part("calls " + words.one_line(", ".join(map(str, tools))), "green")
    retries = span.attributes.get(semconv.OBS_REQUEST_RETRIES)
    if retries:
        yield Part(f"retries={retries}", "yellow")


def _process(span: Span, above: Span | None) -> str:
    if above is None:
        return ""
    pid = span.resource.get("process.pid")
    parts = []
    if span.service != above.service:
        parts.append(words.one_line(span.service))
    if pid is not None and pid != above.resource.get("process.pid"):
        parts.append(f"pid {pid}")
    return " ".join(parts)


def log_parts(repeated: Repeated, start_ns: int) -> Iterator[Part]:
    """Return what a line says of a log line of a trace that began at ``start_ns``."""
    log = repeated.line
    severity = log.severity or 0
    style = "dim"
    if severity >= _ERROR:
        style = "red"
    elif severity >= _WARN:
        style = "yellow"
    yield Part(f"{(log.time_ns - start_ns) / 1e9:+.3f}s", "dim")
    yield Part(words.one_line(log.severity_text or ("EVENT" if log.event_name else "LOG")), style)
    if repeated.times > 1:
        until = (repeated.last.time_ns - start_ns) / 1e9
        yield Part(f"{repeated.times} alike until {until:+.3f}s", "dim")
    text = log_lines.without_rulers(log_lines.body_text(log)) or log.event_name or ""
    if log.scope is not None and log.scope.name and not log.event_name:
        text = f"{log.scope.name}: {text}"
    kind = log.attributes.get(semconv.EXCEPTION_TYPE)
    if kind:
        text += f" ({kind}: {log.attributes.get(semconv.EXCEPTION_MESSAGE) or ''})"
    yield Part(words.one_line(text), style if severity >= _WARN else "")
