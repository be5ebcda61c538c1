"""Where core hands over what it recorded; whoever puts the process together says who takes it.

What passes is plain data, complete at that moment: texts, numbers, bools, None, and tuples, lists and dicts of them. It
could as well be written into memory that another process reads. Of OpenTelemetry only contexts and spans pass.
"""

# No `from __future__ import annotations`: see settings.py.
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

Attributes = dict[str, Any]


class Timing(NamedTuple):
    """How long an operation took, in seconds; the chunk durations are None where nothing was streamed."""

    duration: float
    first_chunk: float | None = None
    chunk_gap: float | None = None
    end_ns: int | None = None
    """When it ended, nanoseconds since 1970, if that was not just now."""


class ErrorRecord(NamedTuple):
    """What an operation failed of."""

    error_type: str | None
    """The value of ``error.type``."""
    message: str
    exception_type: str | None = None
    """The exception's own name, None where the failure was told and not raised."""
    stack: str | None = None


class OperationRecord(NamedTuple):
    """An operation that is over."""

    kind: str
    """The name of its class in ``core.operations``."""
    attributes: Attributes
    """What is known of it by attribute names, content left out."""
    content: Attributes
    """Its content by attribute names; empty unless content is wanted."""
    timing: Timing
    pricing: Attributes
    """What only its price needs: tokens by how they were cached, ``context`` with what changes the price."""
    error: ErrorRecord | None = None
    content_size: int = 0
    """Roughly how many bytes of memory the content holds."""
    runs: tuple[tuple[int, str | None], ...] = ()
    """The runs that a model call is a part of, the innermost first: span id, and the run's tool that it is made in."""
    agent_name: str | None = None
    """The agent that made a model call inside of a run."""
    run: int | None = None
    """The span id of what is a run itself."""


class Scope(NamedTuple):
    """An instrumentation scope that has more than a name."""

    name: str
    version: str | None = None
    schema_url: str | None = None
    attributes: Attributes | None = None


class ResourceRecord(NamedTuple):
    """A resource that is not this process's own."""

    attributes: Attributes
    schema_url: str = ""


class SpanLink(NamedTuple):
    """What a span refers to: another span, by its ids."""

    trace_id: int
    span_id: int
    flags: int = 1
    is_remote: bool = False
    trace_state: str = ""
    attributes: Attributes | None = None


class SpanEvent(NamedTuple):
    """Something that happened at a moment of a span."""

    name: str
    attributes: Attributes
    time_ns: int


class SpanRecord(NamedTuple):
    """A span, whoever made it; ``end_ns`` is 0 while it goes on."""

    name: str
    kind: str
    """The name of a member of OpenTelemetry's ``SpanKind``."""
    trace_id: int
    span_id: int
    start_ns: int
    end_ns: int
    parent: SpanLink | None = None
    attributes: Attributes = {}  # noqa: RUF012 (a named tuple's, that nobody changes)
    events: tuple[SpanEvent, ...] = ()
    links: tuple[SpanLink, ...] = ()
    has_failed: bool | None = None
    """None where its status is unset."""
    description: str | None = None
    """What the status says."""
    scope: str | Scope = "obs_run"
    resource: ResourceRecord | None = None
    """Whose it is, where that is not this process as we describe it."""
    flags: int = 1
    trace_state: str = ""


class LogRecord:
    """A log record or event, whoever made it."""

    __slots__ = (
        "attributes",
        "body",
        "event_name",
        "flags",
        "observed_ns",
        "resource",
        "scope",
        "severity",
        "severity_text",
        "span_id",
        "time_ns",
        "trace_id",
    )

    def __init__(
        self,
        *,
        time_ns: int,
        severity: int | None,
        severity_text: str | None,
        body: Any,
        attributes: Attributes,
        trace: tuple[int, int, int],
        scope: str | Scope,
        event_name: str | None = None,
        observed_ns: int | None = None,
        resource: ResourceRecord | None = None,
    ) -> None:
        self.time_ns = time_ns
        self.observed_ns = time_ns if observed_ns is None else observed_ns
        self.severity = severity
        self.severity_text = severity_text
        self.body = body
        self.attributes = attributes
        self.trace_id, self.span_id, self.flags = trace
        self.scope = scope
        self.event_name = event_name
        self.resource = resource
        """Whose it is, where that is not this process as we describe it."""


class Readings(NamedTuple):
    """What there is to read at a moment: each with its metric and its attributes."""

    counts: list[tuple[str, float, Mapping[str, Any]]]
    """The sums since the process began."""
    observations: list[tuple[str, float, Mapping[str, Any]]]
    """How much there is now."""
    durations: list[tuple[str, list[float], Mapping[str, Any]]]
    """The seconds that things took since the last time."""


class ObservedMetrics(Protocol):
    """What is counted where it happens, and read by metric when metrics are collected: see the module in ``core``."""

    def read_counts(self, metric: str) -> Iterable[tuple[float, Mapping[str, Any]]]:
        """Return the sums since the process began, with their attributes."""

    def read_observations(self, metric: str) -> Iterable[tuple[float, Mapping[str, Any]]]:
        """Return how much there is now, with its attributes."""

    def take_durations(self, metric: str) -> Iterable[tuple[Iterable[float], Mapping[str, Any]]]:
        """Return the seconds that things took since the last time, with their attributes."""

    def read_all(self) -> Readings:
        """Return all of these, for whoever does not know the metrics by name."""


class Sink(Protocol):
    """Takes what core records, from any thread, and never blocks or raises."""

    def start(
        self,
        name: str,
        kind: str,
        attributes: Callable[[], Attributes],
        parent: "Context",
        start_ns: int | None = None,
    ) -> "Span":
        """Begin the record of an operation below ``parent``; ``attributes`` is called only if they are read now.

        ``start_ns`` is when it began, nanoseconds since 1970, if that was not just now.
        """

    def end(self, span: "Span", complete: Callable[[], OperationRecord]) -> None:
        """End what ``start`` returned; ``complete`` makes the record, and is called at once where anybody takes it."""

    def measure(self, complete: Callable[[], OperationRecord]) -> None:
        """Measure what has no span of its own; ``complete`` is called at once where anybody measures."""

    def watch(self, observed: ObservedMetrics) -> None:
        """Read ``observed`` whenever metrics are collected."""

    def log(self, record: LogRecord) -> None:
        """Take a log record."""

    def is_exporting(self) -> bool:
        """Whether the caller is at work for the sink itself, whose own doings are not recorded."""


class _Chosen:
    """The sink of this process, made when the first record comes."""

    def __init__(self) -> None:
        self.sink: Sink | None = None
        self.make: Callable[[], Sink] | None = None


_chosen = _Chosen()


def install(make: Callable[[], Sink]) -> None:
    """Have ``make`` called for the process's sink when something is recorded; the last one installed counts."""
    _chosen.make, _chosen.sink = make, None


def current() -> Sink | None:
    """Return the process's sink; None where nobody takes what is recorded."""
    if _chosen.sink is None and _chosen.make is not None:
        _chosen.sink = _chosen.make()
    return _chosen.sink
