"""A trace as lines of a tree: spans, and the log lines beside them in the order of time."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from obs_run.cli import words
from obs_run.core import semconv
from obs_run.telemetry.values import encode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from obs_run.telemetry.records import LogLine, Span, Trace

_WARN, _ERROR = 13, 17


class Part(NamedTuple):
    """A piece of a line, and how a terminal shows it."""

    text: str
    style: str = ""


class Line(NamedTuple):
    """One line: which of its ancestors and itself are the last of their siblings, and what stands there."""

    last: tuple[bool, ...]
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The line without styles."""
        return "  ".join(part.text for part in self.parts)

    @property
    def guides(self) -> str:
        """The branches that a terminal draws before the line."""
        if not self.last:
            return ""
        above = "".join("   " if last else "│  " for last in self.last[:-1])
        return above + ("└─ " if self.last[-1] else "├─ ")


class _Node:
    def __init__(self, time: int, span: Span | None, log: LogLine | None) -> None:
        self.time, self.span, self.log = time, span, log
        self.children: list[_Node] = []


def lines(trace: Trace, spans: Sequence[Span], logs: Sequence[LogLine]) -> Iterator[Line]:
    """Return the head line, then the spans (in the order of ``start_ns``) and log lines as a tree."""
    yield Line((), tuple(_head(trace)))
    roots = _roots(spans, logs)
    several = sum(node.span is not None for node in roots) > 1
    # Not recursion: a trace may be deeper than Python's stack.
    waiting: list[tuple[_Node, tuple[bool, ...], Span | None]] = []
    _push(waiting, roots, (), None)
    while waiting:
        node, last, above = waiting.pop()
        if node.log is not None:
            yield Line(last, tuple(_log_parts(node.log, trace.start_ns)))
        elif node.span is not None:
            lost = several and above is None and node.span.parent_id is not None
            yield Line(last, tuple(_span_parts(node.span, above, lost=lost)))
            _push(waiting, node.children, last, node.span)


def _push(
    waiting: list[tuple[_Node, tuple[bool, ...], Span | None]],
    nodes: Sequence[_Node],
    last: tuple[bool, ...],
    above: Span | None,
) -> None:
    end = len(nodes) - 1
    waiting.extend((nodes[at], (*last, at == end), above) for at in range(end, -1, -1))


def _roots(spans: Sequence[Span], logs: Sequence[LogLine]) -> list[_Node]:
    nodes = {span.span_id: _Node(span.start_ns, span, None) for span in spans}
    roots: list[_Node] = []
    for node in nodes.values():
        assert node.span is not None
        parent = nodes.get(node.span.parent_id or "")
        (roots if parent is None or parent is node else parent.children).append(node)
    roots.extend(_unreached(nodes, roots))
    for log in logs:
        owner = nodes.get(log.span_id or "")
        (roots if owner is None else owner.children).append(_Node(log.time_ns, None, log))
    for children in (roots, *(node.children for node in nodes.values())):
        children.sort(key=lambda node: node.time)
    return roots


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
    if trace.unfinished:
        yield Part(f"{trace.unfinished} unfinished", "yellow")
    if trace.errors:
        yield Part(words.count(trace.errors, "error"), "bold red")
    used = words.usage(trace.input_tokens, trace.output_tokens, trace.cost)
    if used:
        yield Part(used, "cyan")


def _span_parts(span: Span, above: Span | None, *, lost: bool) -> Iterator[Part]:
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
    if span.unfinished:
        by = span.attributes.get(semconv.OBS_SPAN_ENDED_BY)
        yield Part(f"UNFINISHED ({words.one_line(str(by))})" if by else "UNFINISHED", "yellow")
    if span.status == "error":
        yield Part(_error(span), "red")


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


def _error(span: Span) -> str:
    # One that a log line told may have been overcome.
    told = (event.attributes for event in reversed(span.events) if event.name == "exception")
    raised = next((attributes for attributes in told if semconv.LOG_LEVEL not in attributes), {})
    kind = str(span.attributes.get(semconv.ERROR_TYPE) or raised.get(semconv.EXCEPTION_TYPE) or "")
    text = str(span.status_text or raised.get(semconv.EXCEPTION_MESSAGE) or "")
    short = kind.rsplit(".", 1)[-1]
    if kind and text.startswith((f"{kind}: ", f"{short}: ")):
        text = text.split(": ", 1)[1]
    message = ": ".join(part for part in (kind, text) if part)
    return words.one_line(f"ERROR {message}".rstrip())


def _body_text(log: LogLine) -> str:
    if log.body is None or isinstance(log.body, str):
        return log.body or ""
    return encode(log.body)


def _log_parts(log: LogLine, start_ns: int) -> Iterator[Part]:
    severity = log.severity or 0
    style = "dim"
    if severity >= _ERROR:
        style = "red"
    elif severity >= _WARN:
        style = "yellow"
    yield Part(f"{(log.time_ns - start_ns) / 1e9:+.3f}s", "dim")
    yield Part(words.one_line(log.severity_text or ("EVENT" if log.event_name else "LOG")), style)
    text = _body_text(log) or log.event_name or ""
    if log.scope is not None and log.scope.name and not log.event_name:
        text = f"{log.scope.name}: {text}"
    kind = log.attributes.get(semconv.EXCEPTION_TYPE)
    if kind:
        text += f" ({kind}: {log.attributes.get(semconv.EXCEPTION_MESSAGE) or ''})"
    yield Part(words.one_line(text), style if severity >= _WARN else "")
