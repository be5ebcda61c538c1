from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, get_current_span

from obs_run.core import content, inferred_tools, reported_tools, sink, tool_windows
from obs_run.core.open_recordings import open_recordings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from opentelemetry.context import Context
    from opentelemetry.trace import Span

    from obs_run.core.sink import Figures, LogRecord, OperationRecord


class Ended(NamedTuple):
    """An operation as the sink got it, and where it stands."""

    name: str
    span_id: int
    parent_id: int
    trace_id: int
    record: OperationRecord


class OpenSpan(NonRecordingSpan):
    """A span of the fake sink, which counts as recording while it is open."""

    def __init__(self, context: SpanContext, name: str, parent: SpanContext) -> None:
        super().__init__(context)
        self.name, self.parent = name, parent
        self.links: list[tuple[int, Any]] = []
        self.events: list[tuple[str, Any]] = []

    def is_recording(self) -> bool:
        return True

    def update_name(self, name: str) -> None:
        self.name = name

    def add_link(self, context: SpanContext, attributes: Any = None) -> None:
        self.links.append((context.span_id, attributes))

    def add_event(self, name: str, attributes: Any = None, timestamp: int | None = None) -> None:  # noqa: ARG002
        self.events.append((name, attributes))


class FakeSink:
    """Keeps what core hands over; ids are counted, so that a tree can be read off."""

    def __init__(self) -> None:
        self.ended: list[Ended] = []
        self.measured: list[OperationRecord] = []
        self.logs: list[LogRecord] = []
        self.figures: list[Figures] = []
        self._ids = iter(range(1, 10_000_000))

    def start(
        self,
        name: str,
        kind: str,  # noqa: ARG002 (as the others: the interface)
        attributes: Callable[[], Any],  # noqa: ARG002
        parent: Context,
        start_ns: int | None = None,  # noqa: ARG002
    ) -> Span:
        outer = get_current_span(parent).get_span_context()
        span_id = next(self._ids)
        trace_id = outer.trace_id if outer.is_valid else span_id
        flags = TraceFlags(TraceFlags.SAMPLED)
        return OpenSpan(SpanContext(trace_id, span_id, is_remote=False, trace_flags=flags), name, outer)

    def end(self, span: Any, complete: Callable[[], OperationRecord]) -> None:
        record = complete()
        context = span.get_span_context()
        if tool_windows.windows.waiting:
            inferred_tools.note_end(context.span_id)
        self.ended.append(Ended(span.name, context.span_id, span.parent.span_id, context.trace_id, record))

    def measure(self, complete: Callable[[], OperationRecord]) -> None:
        self.measured.append(complete())

    def watch(self, figures: Figures) -> None:
        self.figures.append(figures)

    def log(self, record: LogRecord) -> None:
        self.logs.append(record)

    def is_exporting(self) -> bool:
        return False

    def trees(self) -> list[str]:
        """Return each trace as nested names, such as ``a(b c(d))``; children in the order of their start."""
        roots = sorted((each for each in self.ended if not each.parent_id), key=lambda each: each.span_id)
        return [self._tree(root) for root in roots]

    def of(self, name: str) -> Ended:
        """Return the only one of a name."""
        (found,) = [each for each in self.ended if each.name == name]
        return found

    def inferred(self) -> list[str]:
        """Return the ids of the calls whose tools were inferred."""
        attributes = [each.record.attributes for each in self.ended]
        return [each.get("gen_ai.tool.call.id", "") for each in attributes if "obs.tool.inferred" in each]

    def lost(self) -> list[str]:
        """Return the names of those whose parent was never ended."""
        ids = {0, *(each.span_id for each in self.ended)}
        return [each.name for each in self.ended if each.parent_id not in ids]

    def _tree(self, root: Ended) -> str:
        children = sorted(
            (each for each in self.ended if each.parent_id == root.span_id), key=lambda each: each.span_id
        )
        inner = " ".join(self._tree(child) for child in children)
        return f"{root.name}({inner})" if inner else root.name


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSink]:
    to = FakeSink()
    monkeypatch.setattr(sink._chosen, "sink", to)
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    content.forget()
    open_recordings.forget()
    yield to
    open_recordings.forget()
    content.forget()


@pytest.fixture
def none_waits(fake: FakeSink) -> Iterator[None]:
    """Begin and end without tools that are waited for, and with all spans in the trees."""
    tool_windows.windows.forget()
    # The ids of spans and calls are the same in each test.
    reported_tools._reported_calls.clear()
    reported_tools._early_reports.clear()
    yield
    assert fake.lost() == []
    tool_windows.windows.forget()
