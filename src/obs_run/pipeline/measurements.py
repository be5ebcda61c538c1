"""Metrics of operations, recorded on the export thread as the table of instruments says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from obs_run import settings
from obs_run.base import guard
from obs_run.core import semconv
from obs_run.pipeline import instruments, run_instruments
from obs_run.pipeline.instrument import SAME_LABELS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from opentelemetry.metrics import Meter
    from opentelemetry.sdk.metrics import MeterProvider

    from obs_run.core.sink import ObservedMetrics, OperationRecord
    from obs_run.pipeline.instrument import Instrument, Read, Value
    from obs_run.pipeline.run_totals import Sum

    Column = tuple[Instrument, tuple[str, str] | None]
    """What takes a value, and under which label beside those of its group."""
    Recorder = Callable[[float], None]

Loss = TypeVar("Loss", bound="tuple[str, str | None, str | None]")

_MOST_SERIES = 4096
_METHODS = {
    "counter": ("create_counter", "add"),
    "histogram": ("create_histogram", "record"),
    "gauge": ("create_gauge", "set"),
    "updowncounter": ("create_up_down_counter", "add"),
}
"""How a meter makes an instrument of each kind, and how that takes a value."""


class _Labels:
    """One set of labels, and what records each column's values under it, made when there is a first value."""

    __slots__ = ("attributes", "recorders")

    def __init__(self, attributes: dict[str, Any], columns: int) -> None:
        self.attributes = attributes
        self.recorders: list[Recorder | None] = [None] * columns


class _Group:
    """The values of one kind of records that are measured under the same labels: a column for each."""

    __slots__ = ("columns", "label_names", "labels", "readers", "sources")

    def __init__(self, label_names: tuple[str, ...], columns: Sequence[Column], readers: Sequence[Read] = ()) -> None:
        self.label_names = label_names
        self.sources = tuple(SAME_LABELS.get(name, name) for name in label_names)
        self.columns = columns
        self.readers = readers
        self.labels: dict[tuple[Any, ...], _Labels] = {}

    def labels_of(self, attributes: Mapping[str, Any]) -> _Labels:
        """Return the labels that are among ``attributes``."""
        key = tuple([attributes.get(name) for name in self.sources])
        labels = self.labels.get(key)
        if labels is None:
            present = {name: value for name, value in zip(self.label_names, key, strict=True) if value is not None}
            labels = self.labels[key] = _Labels(present, len(self.columns))
        return labels


class Measurements:
    """The instruments, each made when first used; ``ours`` is the provider behind the meter if we made it."""

    def __init__(self, meter: Meter, ours: MeterProvider | None = None) -> None:
        self._meter = meter
        self._instruments: dict[str, tuple[Any, Callable[[float, dict[str, Any]], None]]] = {}
        self._groups: dict[str, tuple[_Group, ...]] = {}
        self._cost = _Group(instruments.COST.labels, [(instruments.COST, None), (instruments.UNKNOWN_COST, None)])
        self._old_cost = _Group(instruments.OLD_COST.labels, [(instruments.OLD_COST, None)])
        self._agent = _Group(
            run_instruments.AGENT_TOKENS.labels,
            [
                (run_instruments.AGENT_TOKENS, (semconv.TOKEN_TYPE, "input")),
                (run_instruments.AGENT_TOKENS, (semconv.TOKEN_TYPE, "output")),
                (run_instruments.AGENT_COST, None),
            ],
        )
        self._lost = _Group(instruments.LOST.labels, [(instruments.LOST, None)])
        self._repeated = _Group(instruments.REPEATED.labels, [(instruments.REPEATED, None)])
        self._series = 0
        names = settings.get("OBS_METRIC_NAMES")
        self._generations = {"new", "old", "both"} if names == "both" else {names, "both"}
        self._is_new = names == "new"
        self._bypass_sdk = ours is not None and bool(guard.call("metric series", _may_bypass_sdk, ours, default=False))

    def record(self, record: OperationRecord) -> None:
        """Record one operation that has ended."""
        groups = self._groups.get(record.kind)
        if groups is None:
            groups = self._groups[record.kind] = self._resolve(record.kind)
        if self._series > _MOST_SERIES:
            self._forget_series()
        attributes = _with_agent(record)
        for group in groups:
            labels = group.labels_of(attributes)
            recorders = labels.recorders
            for column, read in enumerate(group.readers):
                value = read(record)
                if value is not None:
                    recorder = recorders[column] or self._add_recorder(group, labels, column)
                    recorder(value)

    def cost(self, dollars: float | None, record: OperationRecord) -> None:
        """Count what a call cost, or that its price is not known."""
        if dollars is None:
            self._add(self._cost, 1, record.attributes, column=1)
        else:
            self._add(self._cost, dollars, record.attributes)

    def own_cost(self, dollars: float, record: OperationRecord) -> None:
        """Measure what a call cost that nobody else measures, under the name that OpenLIT has for it."""
        if "old" in self._generations:
            self._add(self._old_cost, dollars, _with_agent(record))

    def part_of_run(self, run: OperationRecord, tool_name: str | None, part: Sum) -> None:
        """Measure what the calls of a run's agent used and cost, those in one of its tools or those in none."""
        labels = {semconv.AGENT_NAME: run.attributes.get(semconv.AGENT_NAME), semconv.TOOL_NAME: tool_name}
        dollars = None if part.cost is None else float(part.cost)
        for column, value in enumerate((part.input_tokens, part.output_tokens, dollars)):
            if value:
                self._add(self._agent, value, labels, column)

    def count_lost(self, counts: Mapping[Loss, int]) -> None:
        """Count telemetry that was lost, by reason, signal and destination; what is empty or None is no label."""
        for key, count in counts.items():
            labels = {name: text for name, text in zip(self._lost.label_names, key, strict=True) if text}
            self._add(self._lost, count, labels)

    def count_repeated(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Count telemetry that may have arrived twice, by signal and destination."""
        for key, count in counts.items():
            self._add(self._repeated, count, dict(zip(self._repeated.label_names, key, strict=True)))

    def watch(self, observed: ObservedMetrics) -> None:
        """Have ``observed`` read whenever somebody collects metrics."""
        from obs_run.pipeline import observed_instruments

        observed_instruments.observe(self._meter, observed, self._recorder)

    def _add(self, group: _Group, value: float, attributes: Mapping[str, Any], column: int = 0) -> None:
        if self._series > _MOST_SERIES:
            self._forget_series()
        labels = group.labels_of(attributes)
        recorder = labels.recorders[column] or self._add_recorder(group, labels, column)
        recorder(value)

    def _resolve(self, kind: str) -> tuple[_Group, ...]:
        """Return the rows of the table for records of a kind, by their labels."""
        by_labels: dict[tuple[str, ...], list[tuple[Instrument, Value]]] = {}
        for row in instruments.TABLE:
            if row.values and row.operations.get(kind) in self._generations:
                labels = tuple(name for name in row.labels if not (self._is_new and name in SAME_LABELS))
                by_labels.setdefault(labels, []).extend((row, value) for value in row.values)
        groups = []
        for label_names, pairs in by_labels.items():
            columns = [(row, value.extra_label) for row, value in pairs]
            groups.append(_Group(label_names, columns, [value.read for _, value in pairs]))
        return tuple(groups)

    def _forget_series(self) -> None:
        """Let go of all series, of which an agent may make ever more; the SDK keeps and limits its own."""
        self._series = 0
        for group in (
            self._cost,
            self._old_cost,
            self._agent,
            self._lost,
            self._repeated,
            *(each for groups in self._groups.values() for each in groups),
        ):
            group.labels.clear()

    def _add_recorder(self, group: _Group, labels: _Labels, column: int) -> Recorder:
        row, extra_label = group.columns[column]
        attributes = labels.attributes
        if extra_label is not None:
            attributes = {**attributes, extra_label[0]: extra_label[1]}
        recorder = labels.recorders[column] = self._recorder(row, attributes)
        self._series += 1
        return recorder

    def _recorder(self, row: Instrument, attributes: dict[str, Any]) -> Recorder:
        instrument, measure = self._instrument(row)
        if self._bypass_sdk:
            from obs_run.pipeline.series import Series

            return Series(instrument, measure, attributes).record
        return lambda value: measure(value, attributes)

    def _instrument(self, row: Instrument) -> tuple[Any, Callable[[float, dict[str, Any]], None]]:
        """Return the row's instrument and its method that takes a value."""
        if row.name not in self._instruments:
            create, measure = _METHODS[row.kind]
            options: dict[str, Any] = {"unit": row.unit, "description": row.description}
            if row.buckets is not None:
                options["explicit_bucket_boundaries_advisory"] = list(row.buckets)
            instrument = getattr(self._meter, create)(row.name, **options)
            self._instruments[row.name] = instrument, getattr(instrument, measure)
        return self._instruments[row.name]


def _with_agent(record: OperationRecord) -> Mapping[str, Any]:
    """Return the attributes of a record with the agent that a model call was made by, which its span does not have."""
    if record.agent_name is None:
        return record.attributes
    return {semconv.AGENT_NAME: record.agent_name, **record.attributes}


def _may_bypass_sdk(provider: MeterProvider) -> bool:
    from obs_run.pipeline import series

    return series.applies_to(provider)
