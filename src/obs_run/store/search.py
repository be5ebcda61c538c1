"""What is searched for, as conditions of SQL; the same questions as :mod:`obs_run.telemetry.matching` asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from obs_run.telemetry.matching import FIELDS, is_value, spellings
from obs_run.telemetry.values import decode, encode

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

    from obs_run.telemetry.reader import LogSearch, PointSearch, Search

_STATUSES = {
    "error": "errors > 0",
    "unfinished": "unfinished > 0",
    "ok": "errors = 0 AND unfinished = 0",
}
_INDEXED = frozenset({"agent", "conversation", "model", "tool"})
_FEW = 5000
_SPAN_TEXTS = ("name", "status_text", "attributes", "events")
_LOG_TEXTS = ("event_name", "body", "attributes")


class Condition(NamedTuple):
    """What follows WHERE, and the values for its question marks."""

    text: str
    values: list[Any]


def prepare(connection: sqlite3.Connection) -> None:
    """Have the connection know the functions that conditions use."""
    connection.create_function("has_value", 3, _has_value, deterministic=True)


class Conditions:
    """Collects conditions; the functions below fill it."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._values: list[Any] = []

    def add(self, text: str, *values: Any) -> None:
        """Add a condition with the values for its question marks."""
        self._texts.append(text)
        self._values += values

    def add_bounds(self, column: str, since_ns: int | None, until_ns: int | None) -> None:
        """Add that a time is within bounds."""
        if since_ns is not None:
            self.add(f"{column} >= ?", since_ns)
        if until_ns is not None:
            self.add(f"{column} < ?", until_ns)

    def all(self) -> Condition:
        """Return all that was added."""
        return Condition(" AND ".join(self._texts) or "true", self._values)


def of_traces(connection: sqlite3.Connection, search: Search) -> Condition:
    """Return what a row of ``traces`` has to be."""
    wanted = Conditions()
    service, status = search.get("service"), search.get("status")
    if not search.get("without_spans"):
        wanted.add("spans > 0")
    if service is not None:
        wanted.add("instr(services, ?)", f"|{service.replace('|', '/')}|")
    wanted.add_bounds("start_ns", search.get("since_ns"), search.get("until_ns"))
    if search.get("errors"):
        wanted.add(_STATUSES["error"])
    if status is not None:
        wanted.add(_STATUSES[status])
    for name in FIELDS:
        value = search.get(name)
        if value is not None:
            wanted.add(_has_field(connection, name, value), value)
    attributes, text = search.get("attributes"), search.get("text")
    if attributes:
        held = _holds_all(connection, attributes)
        wanted.add(_of_a_span(held.text), *held.values)
    if text:
        in_span, in_log = _has_text(_SPAN_TEXTS, text), _has_text(_LOG_TEXTS, text)
        in_logs = f"logs > 0 AND EXISTS (SELECT 1 FROM logs WHERE logs.trace_id = traces.trace_id AND {in_log.text})"  # noqa: S608 (our own names)
        wanted.add(f"({_of_a_span(in_span.text)} OR {in_logs})", *in_span.values, *in_log.values)
    return wanted.all()


def of_logs(connection: sqlite3.Connection, search: LogSearch) -> Condition:
    """Return what a row of ``logs`` has to be."""
    wanted = Conditions()
    if search.get("service") is not None:
        wanted.add("service = ?", search.get("service"))
    if search.get("severity") is not None:
        wanted.add("severity >= ?", search.get("severity"))
    wanted.add_bounds("time_ns", search.get("since_ns"), search.get("until_ns"))
    if search.get("is_outside_traces"):
        wanted.add("trace_id IS NULL")
    attributes, text = search.get("attributes"), search.get("text")
    if attributes:
        held = _holds_all(connection, attributes)
        wanted.add(held.text, *held.values)
    if text:
        found = _has_text(_LOG_TEXTS, text)
        wanted.add(found.text, *found.values)
    return wanted.all()


def of_points(search: PointSearch) -> Condition:
    """Return what a row of ``points`` has to be."""
    wanted = Conditions()
    for name in ("name", "service"):
        value = search.get(name)
        if value is not None:
            wanted.add(f"{name} = ?", value)
    wanted.add_bounds("time_ns", search.get("since_ns"), search.get("until_ns"))
    return wanted.all()


def _has_field(connection: sqlite3.Connection, name: str, value: object) -> str:
    """Return that one of a trace's spans has a value, in the way that is quick for one that few, or many, have."""
    if name not in _INDEXED:
        return _of_a_span(f"{name} = ?")
    few = f"SELECT count(*) FROM (SELECT 1 FROM spans WHERE {name} = ? LIMIT {_FEW})"  # noqa: S608 (our own names)
    if connection.execute(few, (value,)).fetchone()[0] < _FEW:
        return f"trace_id IN (SELECT trace_id FROM spans WHERE {name} = ?)"  # noqa: S608 (as above)
    return _of_a_span(f"{name} = ?")


def _of_a_span(text: str) -> str:
    return f"EXISTS (SELECT 1 FROM spans WHERE spans.trace_id = traces.trace_id AND {text})"  # noqa: S608 (our own names)


def _has_text(columns: Sequence[str], text: str) -> Condition:
    escaped = [_pattern(spelling) for spelling in spellings(text)]
    pairs = [(column, pattern) for column in columns for pattern in escaped]
    either = " OR ".join(f"{column} LIKE ? ESCAPE '!'" for column, _ in pairs)
    return Condition(f"({either})", [pattern for _, pattern in pairs])


def _pattern(text: str) -> str:
    return f"%{_escaped(text)}%"


def _escaped(text: str) -> str:
    for special in "!%_":
        text = text.replace(special, f"!{special}")
    return text


def _holds_all(connection: sqlite3.Connection, attributes: Mapping[str, str]) -> Condition:
    """Return that each attribute is one of the row itself, or of its resource."""
    wanted = Conditions()
    for key, text in attributes.items():
        # Looking at the JSON as a text is cheap, LIKE more so than instr(), and leaves few rows to be read as JSON.
        quick = f"%{_key_piece(key)}%{_value_piece(text)}%"
        resources = _resources(connection, key, text)
        places = ", ".join("?" * len(resources))
        wanted.add(
            f"((attributes LIKE ? ESCAPE '!' AND has_value(attributes, ?, ?)) OR resource_id IN ({places}))",
            *(quick, key, text, *resources),
        )
    return wanted.all()


def _key_piece(key: str) -> str:
    return _escaped(f"{encode(key)}:") if key.isascii() else ""


def _value_piece(text: str) -> str:
    """Return what the JSON of every value that is meant has in it; nothing where it may be written in several ways."""
    is_one_way = text.isascii() and not text.startswith(("{", "[")) and not _is_number(text)
    return _escaped(encode(text)[1:-1]) if is_one_way else ""


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _resources(connection: sqlite3.Connection, key: str, text: str) -> list[int]:
    rows = connection.execute("SELECT id, attributes FROM resources")
    return [number for number, attributes in rows if _has_value(attributes, key, text)]


def _has_value(attributes: Any, key: str, text: str) -> bool:
    try:
        found = decode(attributes)
    except (TypeError, ValueError, RecursionError):
        return False
    return isinstance(found, dict) and key in found and is_value(found[key], text)
