"""Records as bytes, and back: ``marshal``, which takes plain values as they are and is made for one version of Python.

What is read comes from a process of the same user, and may be wrong all the same: whoever uses it is guarded.
"""

from __future__ import annotations

from marshal import dumps as _dumps
from marshal import loads as _loads
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run._version import __version__
from obs_run.base import guard
from obs_run.core import semconv
from obs_run.core.sink import (
    ErrorRecord,
    LogRecord,
    OperationRecord,
    Readings,
    ResourceRecord,
    Scope,
    SpanEvent,
    SpanLink,
    SpanRecord,
    Timing,
)

if TYPE_CHECKING:
    from collections.abc import Callable

_NO_REFERENCES = 2
"""The version of marshal's format without references between values, which cost time and are of no use."""
_DEEPEST = 32
_PLAIN = frozenset({str, int, float, bool, type(None), bytes})

OURS = Scope("obs_run", __version__, semconv.SCHEMA_URL)
"""The scope of spans of ours."""

Runs = tuple[tuple[int, str | None], ...]


class Opening(NamedTuple):
    """What a buffer begins with: the process that writes it."""

    resource: dict[str, Any]
    """The attributes of its resource."""
    run: SpanRecord | None = None
    """The run span that goes on, if it is this process's to export."""


class Run(NamedTuple):
    """The run span of the process, which begins or goes on in another trace."""

    span: SpanRecord


class Begun(NamedTuple):
    """A span that has begun, for the case that nobody ends it."""

    span: SpanRecord


class Ended(NamedTuple):
    """A span that has ended, and the operation that it stands for."""

    span: SpanRecord
    operation: OperationRecord | None = None
    is_told: bool = False
    """As ``pipeline.items.SpanItem`` has it, as well as the next."""
    runs: Runs = ()


class OwnBegun(NamedTuple):
    """A span of ours that has begun, flat, because each costs the agent time."""

    name: str
    kind: str
    trace_id: int
    span_id: int
    start_ns: int
    parent_id: int
    """0 where it has no parent."""
    is_parent_remote: bool
    trace_state: str

    def span(self) -> SpanRecord:
        """Return it as the record of a span."""
        state = self.trace_state
        parent = None
        if self.parent_id:
            parent = SpanLink(self.trace_id, self.parent_id, 1, self.is_parent_remote, state)
        return SpanRecord(
            self.name,
            self.kind,
            self.trace_id,
            self.span_id,
            self.start_ns,
            0,
            parent,
            scope=OURS,
            trace_state=state,
        )


class SpanChanges(NamedTuple):
    """What a span of ours has besides its operation."""

    name: str
    attributes: dict[str, Any]
    events: tuple[Any, ...]
    links: tuple[Any, ...]
    has_failed: bool | None
    description: str | None


class OwnEnded(NamedTuple):
    """A span of ours that has ended: what was not known as it began."""

    span_id: int
    end_ns: int
    changes: SpanChanges | None
    """Where the agent set anything on it, or it has failed."""
    operation: OperationRecord


class Measured(NamedTuple):
    """An operation without a span."""

    operation: OperationRecord


class Logged(NamedTuple):
    """A log record."""

    record: LogRecord


class Lost(NamedTuple):
    """How many records found no room."""

    number: int


class Left(NamedTuple):
    """The process has come to its end, and said so; its run span is complete where it has one."""

    run: SpanRecord | None


class Metrics(NamedTuple):
    """What the instruments of the agent hold, as ``sdk.metric_records`` has it."""

    collected: Any


class Observed(NamedTuple):
    """What is read of pools, caches and breakers."""

    readings: Readings


class Held(NamedTuple):
    """The secrets that the process holds itself, which are to be taken out wherever they turn up."""

    environ: dict[str, str]
    """The variables that may be, or hold, secrets."""
    values: list[Any]
    """The keys of its clients, as ``base.held_values.described`` has them."""


Record = (
    Opening | Run | Begun | Ended | OwnBegun | OwnEnded | Measured | Logged | Lost | Left | Metrics | Observed | Held
)
_KINDS: tuple[type, ...] = (
    Opening, Run, Begun, Ended, OwnBegun, OwnEnded, Measured, Logged, Lost, Left, Metrics, Observed,
    Held,
)  # fmt: skip
_NUMBERS = {kind: number for number, kind in enumerate(_KINDS)}


class UnreadableError(ValueError):
    """Bytes that are no record."""


_OWN_BEGUN, _OWN_ENDED, _LOGGED = _NUMBERS[OwnBegun], _NUMBERS[OwnEnded], _NUMBERS[Logged]


def encode(record: Record) -> bytes:
    """Return a record as bytes."""
    return _encoded((_NUMBERS[type(record)], *map(_taken_apart, record)))


def encode_log(record: LogRecord) -> bytes:
    """Return the bytes of a ``Logged``: most records have nothing but plain fields, and each costs the agent time."""
    if type(record.scope) is str and record.resource is None:
        return _encoded((_LOGGED, _log_values(record)))
    return encode(Logged(record))


def encode_begun(*fields: Any) -> bytes:
    """Return the bytes of the fields of an ``OwnBegun``, which are plain."""
    return _encoded((_OWN_BEGUN, *fields))


def encode_ended(span_id: int, end_ns: int, changes: SpanChanges | None, operation: OperationRecord) -> bytes:
    """Return the bytes of an ``OwnEnded``."""
    error, timing = operation.error, operation.timing
    flat = (*operation[:3], (*timing,), operation[4], None if error is None else (*error,), *operation[6:])
    return _encoded((_OWN_ENDED, span_id, end_ns, None if changes is None else _tuple(changes), flat))


def decode(payload: bytes) -> Record:
    """Return the record that ``encode`` made bytes of; ``UnreadableError`` where it did not."""
    try:
        number, *fields = _loads(payload)  # noqa: S302 (of this user, and looked at: see above)
        kind = _KINDS[number]
        given = [_put_together(make, field) for make, field in zip(_FIELDS[kind], fields, strict=True)]
        record: Record = kind(*given)
    except Exception as error:  # noqa: BLE001 (of bytes that are anything)
        raise UnreadableError(guard.shown(error)) from None
    return record


def _encoded(value: Any) -> bytes:
    try:
        return _dumps(value, _NO_REFERENCES)
    except ValueError as error:
        guard.pass_on_thrown_in(error)
        # A subclass of a plain type, or an object of the agent's.
        return _dumps(_plain(value), _NO_REFERENCES)


def _taken_apart(value: Any) -> Any:
    """Return a field in plain tuples: marshal refuses subclasses, which named tuples are."""
    take: Callable[[Any], Any] | None = _APART.get(type(value))
    return value if take is None else take(value)


def _tuple(value: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple([_taken_apart(field) for field in value])


def _log_fields(record: LogRecord) -> tuple[Any, ...]:
    return tuple([_taken_apart(getattr(record, name)) for name in _LOG_FIELDS])


_LOG_FIELDS = (
    "time_ns", "severity", "severity_text", "body", "attributes", "trace_id", "span_id", "flags", "scope",
    "event_name", "observed_ns", "resource",
)  # fmt: skip
_log_values = attrgetter(*_LOG_FIELDS)
_NAMED_TUPLES = (
    ErrorRecord,
    OperationRecord,
    Readings,
    ResourceRecord,
    Scope,
    SpanEvent,
    SpanLink,
    SpanRecord,
    Timing,
)
_APART: dict[type, Callable[[Any], Any]] = {**dict.fromkeys((tuple, *_NAMED_TUPLES), _tuple), LogRecord: _log_fields}


def _put_together(make: Any, value: Any) -> Any:
    return value if make is None or value is None else make(value)


def _scope(value: Any) -> Scope | str:
    return value if isinstance(value, str) else Scope(*value)


def _link(value: Any) -> SpanLink:
    return SpanLink(*value)


def _resource(value: Any) -> ResourceRecord:
    return ResourceRecord(*value)


def _readings(value: Any) -> Readings:
    return Readings(*value)


def _span(value: Any) -> SpanRecord:
    record = SpanRecord(*value)
    return record._replace(
        parent=_put_together(_link, record.parent),
        events=tuple([SpanEvent(*event) for event in record.events]),
        links=tuple(map(_link, record.links)),
        scope=_scope(record.scope),
        resource=_put_together(_resource, record.resource),
    )


def _changes(value: Any) -> SpanChanges:
    changes = SpanChanges(*value)
    events = tuple([SpanEvent(*event) for event in changes.events])
    return changes._replace(events=events, links=tuple(map(_link, changes.links)))


def _operation(value: Any) -> OperationRecord:
    record = OperationRecord(*value)
    error = record.error
    return record._replace(timing=Timing(*record.timing), error=None if error is None else ErrorRecord(*error))


def _log(value: Any) -> LogRecord:
    fields = dict(zip(_LOG_FIELDS, value, strict=True))
    trace = fields.pop("trace_id"), fields.pop("span_id"), fields.pop("flags")
    fields["scope"] = _scope(fields["scope"])
    fields["resource"] = _put_together(_resource, fields["resource"])
    return LogRecord(trace=trace, **fields)


_FIELDS: dict[type, tuple[Any, ...]] = {
    Opening: (None, _span),
    Run: (_span,),
    Begun: (_span,),
    Ended: (_span, _operation, None, None),
    OwnBegun: (None,) * len(OwnBegun._fields),
    OwnEnded: (None, None, _changes, _operation),
    Measured: (_operation,),
    Logged: (_log,),
    Lost: (None,),
    Left: (_span,),
    Metrics: (None,),
    Observed: (_readings,),
    Held: (None, None),
}


def _plain(value: Any, depth: int = _DEEPEST) -> Any:
    """Return any value as one that marshal takes."""
    if type(value) in _PLAIN:
        return value
    if not depth:
        return None
    for kind, copy in _COPIES.items():
        if isinstance(value, kind):
            return copy(value)
    if isinstance(value, dict):
        return {_plain(key, depth - 1): _plain(item, depth - 1) for key, item in value.items()}
    if not isinstance(value, (list, tuple, set, frozenset)):
        return guard.shown(value)
    items = [_plain(item, depth - 1) for item in value]
    return tuple(items) if isinstance(value, tuple) else items


# By the base's own methods, because subclasses may have broken ones.
_COPIES: dict[type, Callable[[Any], Any]] = {
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
    bytes: bytes,
    bytearray: bytes,
    memoryview: bytes,
}
