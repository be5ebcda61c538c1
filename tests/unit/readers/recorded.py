"""What the tests of the readers read: four traces, one of log lines alone, log lines outside traces, metric points."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event
from opentelemetry.trace import Link, SpanKind

from obs_run.store.exporters import StoreLogExporter, StoreMetricExporter, StoreSpanExporter
from tests.unit.store import making

if TYPE_CHECKING:
    from pathlib import Path

MANY = 1 << 30
OTHER = Resource({"service.name": "other", "service.version": "2.0", "process.pid": 200})


def chat(model: str, tokens: int, cost: float, **more: Any) -> dict[str, Any]:
    """Return the attributes of a model call."""
    return {
        "gen_ai.operation.name": "chat", "gen_ai.request.model": model, "gen_ai.usage.input_tokens": tokens,
        "gen_ai.usage.output_tokens": 2, "obs.cost.total": cost, **more,
    }  # fmt: skip


def spans() -> list[Any]:
    said = json.dumps([{"role": "user", "parts": [{"type": "text", "content": 'Say "hi"\nto Zoë'}]}])
    agent = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner", "gen_ai.conversation.id": "c-1",
             "gen_ai.usage.input_tokens": 100}  # fmt: skip
    tool = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search", "flag": True, "ratio": 0.5,
            "stops": ["end", "max"], "raw": b"\x00\xff", "nested": {"a": [1, {"b": None}]}}  # fmt: skip
    failed = Event("exception", {"exception.type": "TimeoutError"}, making.AT + 5)
    model_call = chat("gpt-x", 90, 0.5, **{"gen_ai.input.messages": said, "user.id": "u 7", "n": 12})
    return [
        making.span("run", 0, 100, trace=1, attributes=agent),
        making.span("chat gpt-x", 10, 20, trace=1, id=2, parent=1, kind=SpanKind.CLIENT, attributes=model_call),
        making.span("execute_tool search", 40, 20, trace=1, id=3, parent=1, attributes=tool, error="took too long",
                    events=(failed,), links=(Link(making.context(9, 8), {"why": "retry"}),)),
        making.span("run", 60_000, 100, trace=2),
        making.span("chat gpt-y", 60_010, 20, trace=2, id=2, parent=1, attributes=chat("gpt-y", 5, 0.25)),
        making.span("chat gpt-x", 60_050, trace=2, id=3, parent=1, attributes=chat("gpt-x", 1, 0.1), resource=OTHER),
        making.span("serve", 120_000, 50, trace=3, resource=OTHER, kind=SpanKind.SERVER,
                    attributes={"obs.span.unfinished": True}),
    ]  # fmt: skip


def logs() -> list[Any]:
    return [
        making.log("looked up Lisbon", 15, trace=1, span=2, attributes={"city": "Lisbon"}),
        making.log({"a": [1, "it's 100%"]}, 60_020, trace=2, span=2),
        making.log("alone", 130_000, trace=4, span=1, severity=SeverityNumber.ERROR),
        making.log("outside", 140_000, trace=0, span=0, severity=SeverityNumber.WARN, attributes={"user.id": "u 7"}),
    ]


def metrics() -> Any:
    reader = InMemoryMetricReader()
    view = View(instrument_name="sizes", aggregation=ExponentialBucketHistogramAggregation())
    provider = MeterProvider([reader], making.AGENT, views=[view])
    meter = provider.get_meter("probe", "1")
    meter.create_counter("calls", "{call}", "Calls.").add(3, {"model": "gpt-x"})
    meter.create_up_down_counter("open").add(-1)
    meter.create_gauge("depth").set(0.5)
    meter.create_histogram("seconds", "s").record(1.5, {"model": "gpt-x"})
    meter.create_histogram("sizes", "By").record(900)
    data = reader.get_metrics_data()
    provider.shutdown()
    return data


def fill(path: Path) -> None:
    """Write all of it to a store."""
    exporters = StoreSpanExporter(path, MANY), StoreLogExporter(path, MANY), StoreMetricExporter(path, MANY)
    exporters[0].export(spans())
    exporters[1].export(logs())
    exporters[2].export(metrics())
    exporters[0].shutdown()
