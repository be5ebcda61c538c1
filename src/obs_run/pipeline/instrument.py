"""What a metric is, as a row of a table: how OpenTelemetry describes it, and what it takes of a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from obs_run.core import semconv

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from obs_run.core.sink import OperationRecord

    Read = Callable[[OperationRecord], float | None]

Kind = Literal["counter", "histogram", "gauge", "updowncounter"]
Generation = Literal["new", "old", "both"]

COMMON_LABELS = (
    semconv.OPERATION_NAME,
    semconv.PROVIDER_NAME,
    semconv.REQUEST_MODEL,
    semconv.RESPONSE_MODEL,
    semconv.SERVER_ADDRESS,
    semconv.SERVER_PORT,
    semconv.ERROR_TYPE,
)
OLD_LABELS = (*COMMON_LABELS, semconv.SYSTEM, semconv.AGENT_NAME)
"""What dashboards that ask for the old names want besides."""
SAME_LABELS = {semconv.SYSTEM: semconv.PROVIDER_NAME}
"""Labels that are old names of attributes."""


class Value(NamedTuple):
    """A value that an instrument takes of a record, and the label that tells it from others of the same instrument."""

    read: Read
    """Returns None where there is nothing to measure."""
    extra_label: tuple[str, str] | None = None


class Instrument(NamedTuple):
    """One row: a metric as OpenTelemetry describes it, what it is recorded for, and what it takes of a record."""

    name: str
    kind: Kind
    unit: str
    description: str
    operations: Mapping[str, Generation]
    """The kinds of records (``OperationRecord.kind``), and whether the new names, the old ones or both have it."""
    values: tuple[Value, ...] = ()
    """Empty where no record holds the value, and ``Measurements`` has a method for it."""
    labels: tuple[str, ...] = COMMON_LABELS
    """The attributes of a record that are labels."""
    buckets: tuple[float, ...] | None = None
    observed_of: str | None = None
    """What the values are kept of where they happen, for those that are read from ``sink.ObservedMetrics``."""


def both(*kinds: str) -> dict[str, Generation]:
    """Return kinds of records that are measured under the new names and the old ones."""
    return dict.fromkeys(kinds, "both")


def new(*kinds: str) -> dict[str, Generation]:
    """Return kinds of records that are measured under the new names alone."""
    return dict.fromkeys(kinds, "new")


def old(*kinds: str) -> dict[str, Generation]:
    """Return kinds of records that are measured under the old names alone."""
    return dict.fromkeys(kinds, "old")


def attribute(name: str) -> Read:
    """Return what reads an attribute."""

    def read(record: OperationRecord) -> float | None:
        return record.attributes.get(name)

    return read


def positive(name: str) -> Read:
    """Return what reads a count; a counter to which nothing is added would only show an empty series."""

    def read(record: OperationRecord) -> float | None:
        count = record.attributes.get(name)
        return count if count and count > 0 else None

    return read
