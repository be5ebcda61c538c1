"""The table of instruments against the conventions, and what is recorded of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource

from obs_run.core import operations, semconv
from obs_run.core.operations import (
    AgentRun,
    DatabaseCall,
    Embedding,
    Inference,
    Operation,
    RemoteAgentRun,
    Retrieval,
    ToolCall,
    Usage,
    Workflow,
)
from obs_run.core.sink import OperationRecord, Timing
from obs_run.pipeline import instruments
from obs_run.pipeline.instrument import Instrument, Value
from obs_run.pipeline.measurements import Measurements
from tests.semconv import exceptions
from tests.semconv.conventions import METRICS, TAGGED_METRICS
from tests.unit.records import record_of

if TYPE_CHECKING:
    from collections.abc import Iterator

for _name in operations.__all__:
    # Each is imported when it is first asked for, and no subclass before.
    getattr(operations, _name)
ROWS = {row.name: row for row in instruments.TABLE}
NOT_YET = {
    "FetchedResponse",
    "GenAiOperation",
    "Memory",
}
"""Kinds of records that the table is ready for, and that core does not make yet."""
WITHOUT_SPAN = {
    "LoggedCount",
    "LoggedDuration",
    "LoggedValue",
    "McpServerSession",
    "McpSession",
    "ReceivedMessages",
    "SentMessages",
}
"""Kinds of records that are measured only."""
NO_DURATION = {
    "ExecutedTool": "only the service that ran the tool knows how long that took",
    "Handoff": "no convention knows it",
    "LoggedRequest": "how long it took has no metric unless a rule makes one",
    "LoggedWork": "how long it took has no metric unless a rule makes one",
    "MessageOperation": "what messaging operations have in common",
    "ReceivedMessages": "it is a number of messages",
    "SentMessages": "it is a number of messages",
    "Plan": "the conventions have a span for it and no metric",
    "PoolAcquire": "the pool measures it",
    "Step": "no convention knows it",
    "_Run": "what runs of agents and workflows have in common",
}
"""Kinds of records that no duration is for, with the reason."""
OTHER_SENTENCES: dict[str, str] = {}
"""Descriptions that differ from the tagged conventions, with the reason."""


def classes(base: type[Operation] = Operation) -> Iterator[type[Operation]]:
    yield base
    for each in base.__subclasses__():
        # Instrumentors have operations of their own, whose records are of the kind that they are derived from.
        if each.__module__.startswith(operations.__name__):
            yield from classes(each)


def measured(*records: OperationRecord) -> dict[str, Any]:
    """Return the metrics that come of the records, by name."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], resource=Resource({}), shutdown_on_exit=False)
    measurements = Measurements(provider.get_meter("a"), ours=provider)
    for record in records:
        measurements.record(record)
    return collected(reader)


def collected(reader: InMemoryMetricReader) -> dict[str, Any]:
    data = reader.get_metrics_data()
    scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
    return {metric.name: metric for scope in scopes for metric in scope.metrics}


def labels(metric: Any) -> list[dict[str, Any]]:
    return [dict(point.attributes) for point in metric.data.data_points]


def test_a_name_has_one_row() -> None:
    assert len(ROWS) == len(instruments.TABLE)


@pytest.mark.parametrize("row", instruments.TABLE, ids=lambda row: row.name)
def test_a_row_is_as_the_conventions_have_it(row: Instrument) -> None:
    assert row.unit
    assert row.description.endswith(".")
    assert (row.buckets is not None) == (row.kind == "histogram")
    if row.name in exceptions.METRICS:
        assert row.name.startswith("obs.") or row is instruments.OLD_COST
        return
    rule = METRICS[row.name]
    assert (row.kind, row.unit) == (rule.instrument, rule.unit)
    assert row.buckets is not None or rule.buckets is None
    assert rule.buckets is None or row.buckets == pytest.approx(rule.buckets)
    extra = {value.extra_label[0] for value in row.values if value.extra_label is not None}
    assert {*row.labels, *extra} - {*exceptions.LABELS.get(row.name, ())} <= set(rule.labels)
    assert {*row.labels, *extra} >= set(rule.required)


@pytest.mark.parametrize("name", TAGGED_METRICS)
def test_the_tagged_conventions_are_in_the_table(name: str) -> None:
    if name in exceptions.NOT_MEASURED:
        assert name not in ROWS
        return
    row, rule = ROWS[name], TAGGED_METRICS[name]
    assert (row.kind, row.unit) == (rule["instrument"], rule["unit"])
    if name not in OTHER_SENTENCES:
        assert row.description == rule["brief"]


def test_the_kinds_of_the_table_are_classes_of_core() -> None:
    kinds = {kind for row in instruments.TABLE for kind in row.operations}
    assert kinds - {each.__name__ for each in classes()} - NOT_YET - WITHOUT_SPAN == set()


@pytest.mark.parametrize("names", ["new", "old", "both"])
@pytest.mark.parametrize("kind", sorted({each.__name__ for each in classes()} - set(NO_DURATION)))
def test_every_operation_has_a_duration(kind: str, names: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_METRIC_NAMES", names)
    attributes = {semconv.DB_SYSTEM_NAME: "chroma"} if kind == "DatabaseCall" else {}
    metrics = measured(OperationRecord(kind, attributes, {}, Timing(0.5), {}))
    durations = [name for name in metrics if name.endswith(".duration")]
    assert durations
    assert all(metrics[name].data.data_points[0].sum == 0.5 for name in durations)


@pytest.mark.parametrize(("cached", "result"), [(0, "miss"), (7, "hit")])
def test_a_prompt_is_looked_up_in_the_cache_of_its_provider(cached: int, result: str) -> None:
    usage = Usage(input_tokens=10, output_tokens=1, cache_read_tokens=cached)
    metric = measured(record_of(Inference("chat", request_model="m", usage=usage)))["obs.client.prompt_cache.lookups"]
    assert [(each["obs.cache.result"], each["gen_ai.request.model"]) for each in labels(metric)] == [(result, "m")]
    assert metric.data.data_points[0].value == 1


def test_a_provider_that_tells_nothing_of_a_cache_has_no_lookups() -> None:
    metrics = measured(record_of(Inference("chat", request_model="m", usage=Usage(input_tokens=10, output_tokens=1))))
    assert "obs.client.prompt_cache.lookups" not in metrics


OLD_OPERATIONS = (
    Inference("chat", request_model="m"),
    Embedding("embeddings"),
    ToolCall(tool_name="weather"),
    AgentRun(agent_name="a"),
    RemoteAgentRun(agent_name="a"),
)


@pytest.mark.parametrize("operation", OLD_OPERATIONS, ids=lambda operation: type(operation).__name__)
def test_the_old_duration_is_that_of_all_that_the_older_conventions_had(
    operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OBS_METRIC_NAMES", "old")
    [found] = labels(measured(record_of(operation))[semconv.METRIC_OPERATION_DURATION])
    assert found[semconv.OPERATION_NAME] == operation.name
    assert semconv.TOOL_NAME not in found


@pytest.mark.parametrize("operation", [Inference("chat"), ToolCall(), AgentRun()], ids=lambda each: each.name)
def test_what_has_a_new_duration_has_no_old_one_under_the_new_names(
    operation: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OBS_METRIC_NAMES", "new")
    assert semconv.METRIC_OPERATION_DURATION not in measured(record_of(operation))


def test_what_a_metric_is_about_is_a_label() -> None:
    metrics = measured(
        record_of(ToolCall(tool_name="weather", error_type="timeout")),
        record_of(AgentRun(agent_name="planner")),
        record_of(Workflow(workflow_name="trip")),
    )
    [tool] = labels(metrics[semconv.METRIC_TOOL_DURATION])
    [agent] = labels(metrics[semconv.METRIC_AGENT_DURATION])
    [workflow] = labels(metrics[semconv.METRIC_WORKFLOW_DURATION])
    assert tool == {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "weather", "error.type": "timeout"}
    assert agent == {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner"}
    assert workflow == {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "trip"}


def test_a_search_is_a_databases_only_where_there_is_one() -> None:
    stored = Retrieval(system="chroma", database_operation="query", collection="docs", query_text="secret")
    [found] = labels(measured(record_of(stored))[semconv.METRIC_DB_DURATION])
    assert found == {"db.system.name": "chroma", "db.operation.name": "query", "db.collection.name": "docs"}
    assert semconv.METRIC_DB_DURATION not in measured(record_of(Retrieval(data_source="web")))
    written = measured(record_of(DatabaseCall("upsert", system="chroma")))
    assert set(written) == {semconv.METRIC_DB_DURATION}


def test_mcp_is_measured_on_both_sides() -> None:
    attributes = {
        "mcp.method.name": "tools/call",
        "gen_ai.tool.name": "weather",
        "network.transport": "pipe",
        "mcp.session.id": "1",
        "server.address": "localhost",
    }
    client = measured(OperationRecord("McpCall", attributes, {}, Timing(0.5), {}))
    server = measured(OperationRecord("McpServerCall", attributes, {}, Timing(0.5), {}))
    assert set(client) == {"mcp.client.operation.duration"}
    assert set(server) == {"mcp.server.operation.duration"}
    [of_client], [of_server] = labels(*client.values()), labels(*server.values())
    assert "mcp.session.id" not in of_client
    assert of_client == {**of_server, "server.address": "localhost"}


def test_messages_are_measured_without_the_names_of_their_inboxes() -> None:
    attributes = {
        "messaging.system": "nats",
        "messaging.operation.name": "send",
        "messaging.destination.name": "_INBOX.7",
        "messaging.destination.template": "_INBOX",
    }
    sent = measured(OperationRecord("MessageSend", attributes, {}, Timing(0.5), {}))
    worked_on = measured(OperationRecord("MessageProcess", attributes, {}, Timing(0.5), {}))
    assert set(sent) == {"messaging.client.operation.duration", "messaging.client.sent.messages"}
    assert set(worked_on) == {"messaging.process.duration", "messaging.client.consumed.messages"}
    [[found], [of_count]] = [labels(metric) for metric in sent.values()]
    assert of_count == found
    assert found == {name: text for name, text in attributes.items() if name != "messaging.destination.name"}


def test_tokens_are_counted_by_modality() -> None:
    usage = Usage(100, 0, cache_read_tokens=40, reasoning_tokens=0, text_input_tokens=60, audio_input_tokens=30)
    metrics = measured(record_of(Inference("chat", usage=usage)))

    def by_modality(name: str) -> dict[str, float]:
        return {point.attributes["gen_ai.token.modality"]: point.value for point in metrics[name].data.data_points}

    assert by_modality(semconv.METRIC_INPUT_TOKENS) == {"text": 60, "audio": 30, "unknown": 10}
    assert by_modality(semconv.METRIC_CACHE_READ_TOKENS) == {"unknown": 40}
    assert semconv.METRIC_REASONING_TOKENS not in metrics
    assert semconv.METRIC_OUTPUT_TOKENS not in metrics, "nothing was added"
    assert metrics[semconv.METRIC_OUTPUT_PER_CALL].data.data_points[0].count == 1, "a call with none is a call"


def test_losses_are_counted_by_reason_signal_and_destination() -> None:
    reader = InMemoryMetricReader()
    measurements = Measurements(MeterProvider([reader], shutdown_on_exit=False).get_meter("a"))
    measurements.count_lost({("queue_full", "traces", None): 2, ("refused", "logs", "otlp"): 3})
    measurements.count_lost({("queue_full", "traces", ""): 5})
    lost = collected(reader)[semconv.METRIC_DROPPED]
    values = {point.attributes["error.type"]: point.value for point in lost.data.data_points}
    assert values == {"queue_full": 7, "refused": 3}
    assert {"error.type": "refused", "obs.export.signal": "logs", "obs.export.destination": "otlp"} in labels(lost)
    assert {"error.type": "queue_full", "obs.export.signal": "traces"} in labels(lost)


@pytest.mark.parametrize(
    ("kind", "data", "value"),
    [("counter", "Sum", 3), ("gauge", "Gauge", 2), ("updowncounter", "Sum", 3), ("histogram", "Histogram", 3)],
)
@pytest.mark.parametrize("bypass", [True, False], ids=["bypassing", "through the SDK"])
def test_a_metric_is_one_row(
    kind: Any,
    data: str,
    value: float,
    bypass: bool,  # noqa: FBT001 (a case)
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    row = Instrument("queue.length", kind, "{x}", "A row.", {"ToolCall": "both"}, (Value(lambda r: r.attributes["x"]),))
    monkeypatch.setattr(instruments, "TABLE", (row,))
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], resource=Resource({}), shutdown_on_exit=False)
    measurements = Measurements(provider.get_meter("a"), ours=provider if bypass else None)
    for number in (0, 1, 2):
        measurements.record(record_of(ToolCall(extra={"x": number})))
    metric = collected(reader)["queue.length"]
    [point] = metric.data.data_points
    assert (metric.unit, metric.description, type(metric.data).__name__) == ("{x}", "A row.", data)
    assert getattr(point, "value", None) == value or point.sum == value
