"""Metrics of operations, recorded on the export thread, under the newest names, the old ones, or both.

Source: GenAI metric conventions as in ``core.semconv``; units are seconds, tokens and US dollars.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run import settings
from obs_run.base import guard
from obs_run.core import semconv
from obs_run.core.operations import (
    AgentRun,
    DatabaseCall,
    Inference,
    ModelCall,
    Operation,
    RemoteAgentRun,
    Retrieval,
    ToolCall,
    Usage,
    Workflow,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.metrics import Meter
    from opentelemetry.sdk.metrics import MeterProvider

_MODALITIES = ("text", "image", "audio")
_MOST_SERIES = 4096
_LABELS = {
    "name": semconv.OPERATION_NAME,
    "provider": semconv.PROVIDER_NAME,
    "request_model": semconv.REQUEST_MODEL,
    "response_model": semconv.RESPONSE_MODEL,
    "server_address": semconv.SERVER_ADDRESS,
    "server_port": semconv.SERVER_PORT,
    "error_type": semconv.ERROR_TYPE,
}


_DATABASE_LABELS = (
    semconv.DB_SYSTEM_NAME,
    semconv.DB_OPERATION_NAME,
    semconv.DB_COLLECTION_NAME,
    semconv.DB_NAMESPACE,
    semconv.SERVER_ADDRESS,
    semconv.SERVER_PORT,
    semconv.ERROR_TYPE,
)


class Timing:
    """How long an operation took, in seconds; the chunk figures are None where nothing was streamed."""

    __slots__ = ("chunk_gap", "duration", "first_chunk")

    def __init__(self, duration: float, first_chunk: float | None = None, chunk_gap: float | None = None) -> None:
        self.duration = duration
        self.first_chunk = first_chunk
        self.chunk_gap = chunk_gap


class _Labels:
    """The labels of operations of one kind, and what takes the values of each metric that has them."""

    __slots__ = ("attributes", "takers")

    def __init__(self, attributes: dict[str, Any]) -> None:
        self.attributes = attributes
        self.takers: dict[tuple[str, str | None], Callable[[float], None]] = {}


class Measurements:
    """The instruments, each made when first used; ``ours`` is the provider behind the meter if we made it."""

    def __init__(self, meter: Meter, ours: MeterProvider | None = None) -> None:
        self._meter = meter
        self._made: dict[str, Any] = {}
        self._labels: dict[tuple[Any, ...], _Labels] = {}
        self._series = 0
        names = settings.get("OBS_METRIC_NAMES")
        self._new = names in ("new", "both")
        self._old = names in ("old", "both")
        self._straight = ours is not None and bool(guard.call("metric series", _may_go_straight, ours, default=False))

    def record(self, operation: Operation, timing: Timing) -> None:
        """Record one operation that has ended."""
        labels = self._labels_of(operation)
        if isinstance(operation, Inference):
            self._inference(operation, timing, labels)
        elif isinstance(operation, ToolCall):
            tool = (semconv.TOOL_NAME, operation.tool_name) if operation.tool_name else None
            self._take(semconv.METRIC_TOOL_DURATION, timing.duration, labels, tool, "s", semconv.DURATION_BUCKETS)
        elif isinstance(operation, (AgentRun, RemoteAgentRun)):
            self._seconds(semconv.METRIC_AGENT_DURATION, timing.duration, labels, semconv.AGENT_DURATION_BUCKETS)
        elif isinstance(operation, Workflow):
            self._seconds(semconv.METRIC_WORKFLOW_DURATION, timing.duration, labels, semconv.WORKFLOW_DURATION_BUCKETS)
        elif not isinstance(operation, DatabaseCall):
            self._seconds(semconv.METRIC_OPERATION_DURATION, timing.duration, labels)
        if isinstance(operation, (Retrieval, DatabaseCall)) and operation.system is not None:
            self._database(operation, timing)
        if isinstance(operation, ModelCall) and operation.usage is not None:
            self._tokens(operation, operation.usage, labels)

    def _database(self, operation: Retrieval | DatabaseCall, timing: Timing) -> None:
        told = operation.attributes()
        labels = self._labels_for(tuple([(name, told[name]) for name in _DATABASE_LABELS if name in told]), dict)
        self._seconds(semconv.METRIC_DB_DURATION, timing.duration, labels, semconv.DB_DURATION_BUCKETS)

    def cost(self, dollars: float | None, operation: ModelCall) -> None:
        """Count what a call cost, or that its price is not known."""
        labels = self._labels_of(operation)
        if dollars is None:
            self._take(semconv.METRIC_COST_UNKNOWN, 1, labels, unit="{call}")
        else:
            self._take(semconv.METRIC_COST, dollars, labels, unit="{USD}")

    def dropped(self, count: int) -> None:
        """Count spans and log records that found the queue full."""
        self._instrument(semconv.METRIC_DROPPED, "{item}").add(count, {})

    def _inference(self, operation: Inference, timing: Timing, labels: _Labels) -> None:
        figures = (
            (semconv.METRIC_DURATION, semconv.METRIC_OPERATION_DURATION, timing.duration),
            (semconv.METRIC_FIRST_CHUNK, semconv.METRIC_OLD_FIRST_CHUNK, timing.first_chunk),
            (semconv.METRIC_CHUNK_GAP, semconv.METRIC_OLD_CHUNK_GAP, timing.chunk_gap),
        )
        for new, old, seconds in figures:
            if seconds is not None and self._new:
                self._seconds(new, seconds, labels)
            if seconds is not None and self._old:
                self._seconds(old, seconds, labels)
        if self._new and operation.usage is not None:
            self._inference_tokens(operation.usage, labels)

    def _inference_tokens(self, usage: Usage, labels: _Labels) -> None:
        for direction, total, per_call, counter in (
            ("input", usage.input_tokens, semconv.METRIC_INPUT_PER_CALL, semconv.METRIC_INPUT_TOKENS),
            ("output", usage.output_tokens, semconv.METRIC_OUTPUT_PER_CALL, semconv.METRIC_OUTPUT_TOKENS),
        ):
            if total is None:
                continue
            self._take(per_call, total, labels, None, "{token}", semconv.TOKEN_BUCKETS)
            for modality, count in _by_modality(usage, direction, total):
                self._take(counter, count, labels, (semconv.TOKEN_MODALITY, modality))
        for counter, part in (
            (semconv.METRIC_CACHE_READ_TOKENS, usage.cache_read_tokens),
            (semconv.METRIC_CACHE_WRITE_TOKENS, usage.cache_write_tokens),
            (semconv.METRIC_REASONING_TOKENS, usage.reasoning_tokens),
        ):
            if part:
                self._take(counter, part, labels, (semconv.TOKEN_MODALITY, "unknown"))

    def _tokens(self, operation: ModelCall, usage: Usage, labels: _Labels) -> None:
        if not self._old and isinstance(operation, Inference):
            return
        for kind, count in (("input", usage.input_tokens), ("output", usage.output_tokens)):
            if count is not None:
                name, label = semconv.METRIC_OLD_TOKENS, (semconv.TOKEN_TYPE, kind)
                self._take(name, count, labels, label, "{token}", semconv.TOKEN_BUCKETS)

    def _seconds(
        self, name: str, seconds: float, labels: _Labels, buckets: tuple[float, ...] = semconv.DURATION_BUCKETS
    ) -> None:
        self._take(name, seconds, labels, None, "s", buckets)

    def _labels_of(self, operation: Operation) -> _Labels:
        values = operation.__dict__
        return self._labels_for(tuple([values.get(field) for field in _LABELS]), _named)

    def _labels_for(self, key: tuple[Any, ...], attributes: Callable[[Any], dict[str, Any]]) -> _Labels:
        if self._series > _MOST_SERIES:
            self._labels.clear()
            self._series = 0
        labels = self._labels.get(key)
        if labels is None:
            labels = self._labels[key] = _Labels(attributes(key))
        return labels

    def _take(
        self,
        name: str,
        value: float,
        labels: _Labels,
        further: tuple[str, str] | None = None,
        unit: str = "{token}",
        buckets: tuple[float, ...] | None = None,
    ) -> None:
        """Measure ``value`` under the labels and one further label; with buckets it is a histogram's."""
        key = name, None if further is None else further[1]
        taker = labels.takers.get(key)
        if taker is None:
            attributes = labels.attributes if further is None else {**labels.attributes, further[0]: further[1]}
            taker = labels.takers[key] = self._taker(self._instrument(name, unit, buckets), attributes)
            self._series += 1
        taker(value)

    def _taker(self, instrument: Any, attributes: dict[str, Any]) -> Callable[[float], None]:
        if self._straight:
            from obs_run.pipeline.series import Series

            return Series(instrument, attributes).take
        measure = getattr(instrument, "record", None) or instrument.add
        return lambda value: measure(value, attributes)

    def _instrument(self, name: str, unit: str, buckets: tuple[float, ...] | None = None) -> Any:
        if name not in self._made:
            self._made[name] = (
                self._meter.create_counter(name, unit)
                if buckets is None
                else self._meter.create_histogram(name, unit, explicit_bucket_boundaries_advisory=list(buckets))
            )
        return self._made[name]


def _named(values: tuple[Any, ...]) -> dict[str, Any]:
    return {name: value for name, value in zip(_LABELS.values(), values, strict=True) if value is not None}


def _may_go_straight(provider: MeterProvider) -> bool:
    from obs_run.pipeline import series

    return series.applies_to(provider)


def _by_modality(usage: Usage, direction: str, total: int) -> list[tuple[str, int]]:
    """Return the tokens by modality; what the provider did not break down is "unknown"."""
    known = [
        (modality, count)
        for modality in _MODALITIES
        if (count := getattr(usage, f"{modality}_{direction}_tokens")) is not None
    ]
    rest = total - sum(count for _, count in known)
    return [(modality, count) for modality, count in (*known, ("unknown", rest)) if count > 0]
