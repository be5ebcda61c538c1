"""Metrics of operations, recorded on the export thread, under the newest names, the old ones, or both.

Source: GenAI metric conventions as in ``core.semconv``; units are seconds, tokens and US dollars.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obs_run import settings
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
    from opentelemetry.metrics import Meter

_MODALITIES = ("text", "image", "audio")
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


class Measurements:
    """The instruments, each made when first used."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._made: dict[str, Any] = {}
        names = settings.get("OBS_METRIC_NAMES")
        self._new = names in ("new", "both")
        self._old = names in ("old", "both")

    def record(self, operation: Operation, timing: Timing) -> None:
        """Record one operation that has ended."""
        values = operation.__dict__
        labels = {name: value for key, name in _LABELS.items() if (value := values.get(key)) is not None}
        if isinstance(operation, Inference):
            self._inference(operation, timing, labels)
        elif isinstance(operation, ToolCall):
            tool = {semconv.TOOL_NAME: operation.tool_name} if operation.tool_name else {}
            self._seconds(semconv.METRIC_TOOL_DURATION, timing.duration, {**labels, **tool})
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
        labels = {name: told[name] for name in _DATABASE_LABELS if name in told}
        self._seconds(semconv.METRIC_DB_DURATION, timing.duration, labels, semconv.DB_DURATION_BUCKETS)

    def cost(self, dollars: float | None, operation: ModelCall) -> None:
        """Count what a call cost, or that its price is not known."""
        values = operation.__dict__
        labels = {name: value for key, name in _LABELS.items() if (value := values.get(key)) is not None}
        if dollars is None:
            self._count(semconv.METRIC_COST_UNKNOWN, 1, labels, "{call}")
        else:
            self._count(semconv.METRIC_COST, dollars, labels, "{USD}")

    def dropped(self, count: int) -> None:
        """Count spans and log records that found the queue full."""
        self._count(semconv.METRIC_DROPPED, count, {}, "{item}")

    def _inference(self, operation: Inference, timing: Timing, labels: dict[str, Any]) -> None:
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

    def _inference_tokens(self, usage: Usage, labels: dict[str, Any]) -> None:
        for direction, total, per_call, counter in (
            ("input", usage.input_tokens, semconv.METRIC_INPUT_PER_CALL, semconv.METRIC_INPUT_TOKENS),
            ("output", usage.output_tokens, semconv.METRIC_OUTPUT_PER_CALL, semconv.METRIC_OUTPUT_TOKENS),
        ):
            if total is None:
                continue
            self._histogram(per_call, "{token}", semconv.TOKEN_BUCKETS).record(total, labels)
            for modality, count in _by_modality(usage, direction, total):
                self._count(counter, count, {**labels, semconv.TOKEN_MODALITY: modality}, "{token}")
        for counter, part in (
            (semconv.METRIC_CACHE_READ_TOKENS, usage.cache_read_tokens),
            (semconv.METRIC_CACHE_WRITE_TOKENS, usage.cache_write_tokens),
            (semconv.METRIC_REASONING_TOKENS, usage.reasoning_tokens),
        ):
            if part:
                self._count(counter, part, {**labels, semconv.TOKEN_MODALITY: "unknown"}, "{token}")

    def _tokens(self, operation: ModelCall, usage: Usage, labels: dict[str, Any]) -> None:
        if not self._old and isinstance(operation, Inference):
            return
        for kind, count in (("input", usage.input_tokens), ("output", usage.output_tokens)):
            if count is not None:
                tokens = self._histogram(semconv.METRIC_OLD_TOKENS, "{token}", semconv.TOKEN_BUCKETS)
                tokens.record(count, {**labels, semconv.TOKEN_TYPE: kind})

    def _seconds(
        self,
        name: str,
        seconds: float,
        labels: dict[str, Any],
        buckets: tuple[float, ...] = semconv.DURATION_BUCKETS,
    ) -> None:
        self._histogram(name, "s", buckets).record(seconds, labels)

    def _histogram(self, name: str, unit: str, buckets: tuple[float, ...]) -> Any:
        if name not in self._made:
            self._made[name] = self._meter.create_histogram(
                name, unit, explicit_bucket_boundaries_advisory=list(buckets)
            )
        return self._made[name]

    def _count(self, name: str, amount: float, labels: dict[str, Any], unit: str) -> None:
        if name not in self._made:
            self._made[name] = self._meter.create_counter(name, unit)
        self._made[name].add(amount, labels)


def _by_modality(usage: Usage, direction: str, total: int) -> list[tuple[str, int]]:
    """Return the tokens by modality; what the provider did not break down is "unknown"."""
    known = [
        (modality, count)
        for modality in _MODALITIES
        if (count := getattr(usage, f"{modality}_{direction}_tokens")) is not None
    ]
    rest = total - sum(count for _, count in known)
    return [(modality, count) for modality, count in (*known, ("unknown", rest)) if count > 0]
