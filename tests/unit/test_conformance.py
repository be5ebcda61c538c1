"""The check of conventions finds what is wrong, one fault at a time, and nothing in what is right."""

from __future__ import annotations

import json
import os
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from obs_instrumentors import TABLE

from obs_run.core import operations
from obs_run.core.operations import Operation
from tests.launch.environments import ROOT
from tests.semconv import conformance, exceptions, samples, span_types
from tests.semconv.conventions import ATTRIBUTES, METRICS
from tests.unit.agents import PROBE

if TYPE_CHECKING:
    from tests.unit.agents import Run

RIGHT: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "m",
    "gen_ai.request.temperature": 0.5,
    "gen_ai.request.stream": True,
    "gen_ai.response.time_to_first_chunk": 0.1,
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.usage.input_tokens": 9,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.usage.output_tokens": 5,
    "server.address": "localhost",
    "server.port": 80,
    "obs.response.tool_calls": ("weather",),
    "gen_ai.input.messages": json.dumps([{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]),
}
MCP = {"mcp.method.name": "tools/call", "gen_ai.tool.name": "weather", "gen_ai.operation.name": "execute_tool"}
SENT = {
    "messaging.system": "nats",
    "messaging.operation.name": "send",
    "messaging.operation.type": "send",
    "messaging.destination.name": "towns",
}
STEP = {"gen_ai.operation.name": "step", "obs.step.name": "search"}
STORED = {"db.system.name": "chromadb", "db.operation.name": "upsert", "db.collection.name": "docs"}


def span(name: str = "chat m", kind: str = "CLIENT", status: str = "UNSET", **told: Any) -> Any:
    given = told.pop("given", RIGHT)
    attributes = {**given, **{key.replace("__", "."): value for key, value in told.items()}}
    return SimpleNamespace(
        name=name,
        kind=SimpleNamespace(name=kind),
        status=SimpleNamespace(status_code=SimpleNamespace(name=status)),
        attributes={key: value for key, value in attributes.items() if value is not None},
        events=(),
    )


def event(name: str = "gen_ai.client.inference.operation.details", severity: int = 5, **told: Any) -> Any:
    said = [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]
    attributes = {**RIGHT, "gen_ai.input.messages": said, **{key.replace("__", "."): told[key] for key in told}}
    return SimpleNamespace(
        event_name=name,
        severity_number=SimpleNamespace(value=severity),
        trace_id=1,
        span_id=1,
        attributes=attributes,
    )


class Histogram(SimpleNamespace):
    """As the SDK calls it."""


class Sum(SimpleNamespace):
    """As the SDK calls it."""


def metric(name: str = "gen_ai.client.inference.duration", **told: Any) -> Any:
    rule = METRICS.get(name, METRICS["gen_ai.client.inference.duration"])
    labels = told.pop("labels", {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai"})
    point = SimpleNamespace(attributes=labels, explicit_bounds=told.pop("buckets", rule.buckets))
    made = SimpleNamespace(name=name, unit=rule.unit, data=Histogram(data_points=[point]))
    made.__dict__.update(told)
    scope = SimpleNamespace(metrics=[made])
    return SimpleNamespace(resource_metrics=[SimpleNamespace(scope_metrics=[scope])])


def test_right_telemetry_has_no_findings() -> None:
    stored = span("upsert docs", given=STORED)
    failed = span(status="ERROR", error__type="timeout")
    others = [
        span("step search", "INTERNAL", given=STEP),
        span("tools/call weather", "SERVER", given=MCP),
        span("send towns", "PRODUCER", given=SENT),
    ]
    assert conformance.findings([span(), stored, failed, *others], [event()], [metric()]) == []


WRONG_SPANS = {
    "unknown name": span(gen_ai__request__colour="red"),
    "own name that is not declared": span(obs__colour="red"),
    "deprecated name": span(gen_ai__system="openai"),
    "wrong type": span(gen_ai__usage__input_tokens=9.0),
    "int for a double": span(gen_ai__request__temperature=1),
    "empty": span(gen_ai__response__id=""),
    "unknown provider": span(gen_ai__provider__name="acme"),
    "unknown operation": span("dance m", gen_ai__operation__name="dance"),
    "value outside of a closed enumeration": span(gen_ai__output__type="xml"),
    "no provider": span(gen_ai__provider__name=None),
    "wrong name": span("completion m"),
    "wrong kind": span(kind="SERVER"),
    "address without port": span(server__port=None),
    "not streaming, and says so": span(gen_ai__request__stream=False, gen_ai__response__time_to_first_chunk=None),
    "first chunk without stream": span(gen_ai__request__stream=None),
    "one choice": span(gen_ai__request__choice__count=1),
    "more cached than all": span(gen_ai__usage__cache_read__input_tokens=10),
    "more reasoning than all": span(gen_ai__usage__reasoning__output_tokens=6),
    "error without type": span(status="ERROR"),
    "type without error": span(error__type="timeout"),
    "usage of a tool": span(
        "execute_tool t", "INTERNAL", gen_ai__operation__name="execute_tool", gen_ai__tool__name="t"
    ),
    "message without role": span(gen_ai__input__messages='[{"parts": []}]'),
    "part of an unlisted type": span(gen_ai__input__messages='[{"role": "user", "parts": [{"type": "smell"}]}]'),
    "content that is no JSON text": span(gen_ai__input__messages=[{"role": "user", "parts": []}]),
    "database without operation": span("upsert docs", given=STORED, db__operation__name=None),
    "database with another name": span("write docs", given=STORED),
    "batch of one": span("upsert docs", given=STORED, db__operation__batch__size=1),
    "memory without content": span(
        "search_memory", given={"gen_ai.operation.name": "search_memory", "gen_ai.memory.records": '[{"id": "1"}]'}
    ),
    "step with another name": span("step", "INTERNAL", given=STEP),
    "hand-off to nobody": span("handoff", "INTERNAL", given={"gen_ai.operation.name": "handoff"}),
    "method that MCP does not have": span("tools/fly", given={"mcp.method.name": "tools/fly"}),
    "MCP with another name": span("tools/call", given=MCP),
    "MCP of another kind": span("tools/call weather", "INTERNAL", given=MCP),
    "MCP call of a tool that does not say so": span("tools/call weather", given=MCP, gen_ai__operation__name=None),
    "MCP of the usual version": span("tools/call weather", given=MCP, jsonrpc__protocol__version="2.0"),
    "MCP error without status": span("tools/call weather", given=MCP, error__type="tool_error"),
    "message without system": span("send towns", "PRODUCER", given=SENT, messaging__system=None),
    "message with another name": span("towns send", "PRODUCER", given=SENT),
    "message of another kind": span("send towns", "CLIENT", given=SENT),
    "message of no type": span("send towns", "PRODUCER", given=SENT, messaging__operation__type="throw"),
}
WRONG_EVENTS = {
    "unknown": event("gen_ai.something"),
    "severity": event(severity=9),
    "content as text": event(gen_ai__input__messages="[]"),
    "not of an inference": event(gen_ai__operation__name="embeddings"),
}
WRONG_METRICS = {
    "unknown": metric("gen_ai.client.colour"),
    "unit": metric(unit="ms"),
    "instrument": metric(data=Sum(data_points=[], is_monotonic=True)),
    "no operation": metric(labels={"gen_ai.provider.name": "openai"}),
    "unknown label": metric(labels={"gen_ai.operation.name": "chat", "gen_ai.response.id": "1"}),
    "buckets": metric(buckets=[1.0, 2.0]),
}


@pytest.mark.parametrize("fault", WRONG_SPANS)
def test_wrong_span_is_found(fault: str) -> None:
    assert len(conformance.findings([WRONG_SPANS[fault]], [], [])) == 1


@pytest.mark.parametrize("fault", WRONG_EVENTS)
def test_wrong_event_is_found(fault: str) -> None:
    assert len(conformance.findings([], [WRONG_EVENTS[fault]], [])) == 1


@pytest.mark.parametrize("fault", WRONG_METRICS)
def test_wrong_metric_is_found(fault: str) -> None:
    assert len(conformance.findings([], [], [WRONG_METRICS[fault]])) == 1


def test_every_declared_operation_is_predefined_or_listed() -> None:
    known = {
        *ATTRIBUTES["gen_ai.operation.name"]["members"],
        *exceptions.OPERATIONS,
        "caches",
        "circuit breakers",
        "database calls",
        "handshakes",
        "jobs of APScheduler",
        "jobs of arq",
        "limiters",
        "messages of Kafka",
        "messages of MCP",
        "messages of NATS",
        "messages of Redis",
        "messages of ZMQ",
        "messages of connections",
        "pools of connections",
        "requests",
        "requests of A2A",
        "retries",
        "routes of requests",
        "tasks of celery",
    }
    modules = [import_module(name) for name in dict.fromkeys(TABLE.values())]
    declared = {name for module in modules for each in module.INSTRUMENTORS for name in each.operations}
    assert declared - known == set()


RECORD_EACH_OPERATION = """
import telemetry_probe
from obs_run.core import recorder
from tests.semconv import samples

for operation in samples.operations():
    recorder.start(operation).end()
telemetry_probe.show()
"""


def test_every_operation_is_recorded_by_the_conventions(agent: Run) -> None:
    mode = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}
    ran = agent(RECORD_EACH_OPERATION, PYTHONPATH=os.pathsep.join((str(PROBE), str(ROOT))), **mode)
    told = ran.seen["spans"]
    recorded = [span(each["name"], each["kind"], each["status"], given=each["attributes"]) for each in told]
    expected = samples.operations()
    assert [each.name for each in recorded] == [operation.span_name() for operation in expected]
    assert conformance.findings(recorded, [], []) == []
    for operation, each in zip(expected, recorded, strict=True):
        names = {*operation.attributes(), *operation.content()}
        assert each.attributes.keys() >= names
        assert each.kind.name == operation.KIND


def test_every_operation_has_the_attributes_of_its_type_of_span() -> None:
    found: dict[str, set[str]] = {}
    for operation in samples.operations():
        kind = type(operation).__name__
        if kind in exceptions.WITHOUT_SPAN_TYPE:
            continue
        names = {*operation.ATTRIBUTES.values(), *operation.CONTENT.values(), *operation.attributes()}
        types = [span_types.SPAN_TYPES[name] for name in span_types.TYPES_OF_OPERATIONS[kind]]
        beside = {name for name in names.difference(*types) if not name.startswith("obs.")}
        if beside:
            found.setdefault(kind, set()).update(beside)
    assert found == {kind: set(names) for kind, names in exceptions.ATTRIBUTES.items()}


def test_every_operation_has_a_sample() -> None:
    classes = {name: getattr(operations, name) for name in operations.__all__}
    concrete = {name for name, each in classes.items() if isinstance(each, type) and issubclass(each, Operation)}
    concrete -= {"GenAiOperation", "MessageOperation", "ModelCall", "Operation"}
    # They are measured, and no span is made of them.
    concrete -= {"ReceivedMessages", "SentMessages"}
    assert {type(operation).__name__ for operation in samples.operations()} == concrete
    assert {*span_types.TYPES_OF_OPERATIONS, *exceptions.WITHOUT_SPAN_TYPE} == concrete


def test_content_is_found_where_nobody_asked_for_it() -> None:
    assert conformance.carries_content([span()]) == ["gen_ai.input.messages"]
