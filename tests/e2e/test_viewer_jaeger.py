"""The same spans in a real Jaeger and in a store: Jaeger's API gives the same answers from both."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlencode

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event
from opentelemetry.trace import Link, SpanKind, Status, StatusCode

from obs_run.store import writer as writer_module
from obs_run.store.exporters import StoreSpanExporter
from obs_run.store.reader import Reader
from obs_run.telemetry.otlp_json import trace_json
from tests.e2e.backends import http
from tests.unit.store import making
from tests.unit.view import serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan

    from tests.e2e.backends.servers import Backends

# Memory keeps what Jaeger did to a trace when it was asked for it: each way of asking has traces of its own.
FAMILIES = ("found", "raw 3", "adjusted 3", "older raw", "older adjusted")


def _id(family: str, number: int) -> int:
    """Return a trace id of a family; 4 is one that is longer than 64 bits."""
    base = (FAMILIES.index(family) + 1) << 16
    return base << 64 if number == 4 else base + number


def _spans(family: str) -> list[ReadableSpan]:
    """Return traces of every shape that an answer can show, begun a minute ago."""
    shop = Resource({"service.name": f"{family} shop", "host.name": "a", "process.pid": 7, "list": ["x", "y"]})
    bank = Resource({"service.name": f"{family}/bank/é", "host.name": "b"})
    plain = Resource({"service.name": f"{family} plain"})
    at = (time.time_ns() - 60 * 10**9 - making.AT) / making.MS
    values = {
        "text": "déjà <b>&\u2028",
        "yes": True,
        "no": False,
        "int": 5,
        "large": 2**60,
        "negative": -3,
        "float": 1.5,
        "whole": 2.0,
        "small": 1e-7,
        "texts": ["a", "b<"],
        "ints": [1, 2],
        "floats": [1.5, 2.0],
        "empty": "",
        "none": [],
        "bytes": b"\x00\xff",
    }
    event = Event("exception", {"exception.type": "ValueError", "n": 3}, making.AT + int((at + 5) * making.MS))
    first = Event("a first", {}, making.AT + int((at + 6.001) * making.MS))
    named = Event("named", {"event": "own"}, making.AT + int((at + 7) * making.MS))
    other = Link(making.context(90, 91), {"why": "because"})
    child_of = Link(making.context(_id(family, 1), 1), {"opentracing.ref_type": "child_of"})
    made = [
        making.span(
            "POST /order", at, 100, trace=_id(family, 1), id=1, resource=shop, kind=SpanKind.SERVER, attributes=values
        ),
        making.span(
            "pay",
            at + 10,
            50.123456,
            trace=_id(family, 1),
            id=2,
            parent=1,
            resource=shop,
            kind=SpanKind.CLIENT,
            error="no money",
            events=(event, first, named),
            links=(other,),
        ),
        making.span("pay", at + 20, 20, trace=_id(family, 1), id=3, parent=2, resource=bank, kind=SpanKind.SERVER),
        making.span(
            "skewed", at - 500, 20, trace=_id(family, 1), id=4, parent=3, resource=shop, kind=SpanKind.PRODUCER
        ),
        making.span(
            "longer", at - 1, 2000, trace=_id(family, 1), id=5, parent=3, resource=plain, kind=SpanKind.CONSUMER
        ),
        making.span("linked", at + 30, 1, trace=_id(family, 1), id=6, parent=1, resource=shop, links=(child_of, other)),
        making.span("lost", at + 30_000, 5, trace=_id(family, 2), id=1, parent=77, resource=plain, error=""),
        making.span("root beside it", at + 30_001, 5, trace=_id(family, 2), id=2, resource=plain),
        making.span("short", at + 1000, 0.001, trace=_id(family, 3), id=1, resource=plain, attributes={"a.b": "c"}),
        making.span("short", at + 2000, 3000, trace=_id(family, 4), id=1, resource=plain, attributes={"a.b": "d"}),
    ]
    made[5]._status = Status(StatusCode.OK)
    return made


class Both(NamedTuple):
    jaeger: str
    viewer: serving.Viewer

    def answers(self, path: str, *query: tuple[str, str], **more: str) -> tuple[tuple[int, Any], tuple[int, Any]]:
        """Return status and decoded body of the real Jaeger and of ours."""
        address = f"{path}?{urlencode([*query, *more.items()])}"
        own = self.viewer.ask(address, {"Authorization": f"Bearer {serving.TOKEN}"})
        return _ask(f"{self.jaeger}{address}"), (own.status, own.json)


def _ask(url: str) -> tuple[int, Any]:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())


@pytest.fixture(scope="module")
def both(backends: Backends, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    path: Path = tmp_path_factory.mktemp("both") / "store.db"
    StoreSpanExporter(path, 1 << 30).export([span for family in FAMILIES for span in _spans(family)])
    with Reader(path) as reader:
        found = [reader.spans(trace.trace_id) for trace in reader.traces(100)]
    for spans in found:
        body = {"resourceSpans": trace_json(spans, ())["resourceSpans"]}
        assert (
            http.post(f"{backends.collector.otlp_http}/v1/traces", json.dumps(body).encode(), "application/json") == 200
        )
    for spans in found:
        backends.jaeger.trace(spans[0].trace_id, len(spans))
    with serving.viewer(path) as running:
        yield Both(backends.jaeger.url, running)
    for one in writer_module._writers.values():
        one.close()
    writer_module._writers.clear()


def _window() -> dict[str, str]:
    now = time.time()
    stamp = [time.strftime("%Y-%m-%dT%H:%M:%S.123456789Z", time.gmtime(now + by)) for by in (-3600, 3600)]
    return {"query.start_time_min": stamp[0], "query.start_time_max": stamp[1], "query.num_traces": "20"}


def _sorted_spans(answer: Any) -> list[Any]:
    """Return the spans of an answer of version 3 with their resources and scopes, in an order of ours."""
    told = [
        {"resource": group.get("resource", {}), "scope": scoped.get("scope", {}), "span": _without_empty(span)}
        for group in answer["result"]["resourceSpans"]
        for scoped in group["scopeSpans"]
        for span in scoped["spans"]
    ]
    return sorted(told, key=lambda each: (each["span"]["traceId"], each["span"]["spanId"]))


def _without_empty(span: dict[str, Any]) -> dict[str, Any]:
    """Leave out what one writer of JSON writes as empty and another leaves out; warnings pile up in the real one."""
    kept = {name: value for name, value in span.items() if value not in ("", [], {}, 0, None)}
    kept["attributes"] = [_once(pair) for pair in kept.get("attributes", [])]
    kept["events"] = [{k: v for k, v in event.items() if v != []} for event in kept.get("events", [])]
    return kept


_EMPTY: dict[str, Any] = {"arrayValue": {"values": []}}


def _once(pair: dict[str, Any]) -> dict[str, Any]:
    if pair["key"] != "@jaeger@warnings":
        return {
            **pair,
            "value": {"arrayValue": {}} if pair["value"] == {"arrayValue": {"values": []}} else pair["value"],
        }
    texts = dict.fromkeys(value["stringValue"] for value in pair["value"]["arrayValue"]["values"])
    return {"key": pair["key"], "value": list(texts)}


def test_services_and_operations_of_version_3(both: Both) -> None:
    (_, real), (_, own) = both.answers("/api/v3/services")
    assert len(own["services"]) == len(FAMILIES) * 3
    assert set(own["services"]) <= set(real["services"])
    for query in (
        {"service": "found shop"},
        {"service": "found/bank/é"},
        {"service": "found plain", "span_kind": "consumer"},
        {"service": "?"},
    ):
        real_status, real = both.answers("/api/v3/operations", **query)[0]
        own_status, own = both.answers("/api/v3/operations", **query)[1]
        assert (real_status, _operations(real)) == (own_status, _operations(own))


def _operations(answer: Any) -> set[tuple[str, str]]:
    return {(one["name"], one.get("spanKind", "")) for one in answer.get("operations", [])}


@pytest.mark.parametrize("raw", ["true", "false"])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_trace_of_version_3(both: Both, number: int, raw: str) -> None:
    trace = _id("raw 3" if raw == "true" else "adjusted 3", number)
    (real_status, real), (own_status, own) = both.answers(f"/api/v3/traces/{trace:032x}", raw_traces=raw)
    assert real_status == own_status == 200
    assert _sorted_spans(own) == _sorted_spans(real)


@pytest.mark.parametrize("raw", ["true", "false"])
@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("written", ["032x", "X"])
def test_a_trace_of_the_older_api(both: Both, number: int, raw: str, written: str) -> None:
    trace = _id("older raw" if raw == "true" else "older adjusted", number)
    (real_status, real), (own_status, own) = both.answers(f"/api/traces/{trace:{written}}", raw=raw)
    assert real_status == own_status == 200
    assert _older(own) == _older(real)


def _older(answer: Any) -> Any:
    """Return an answer with spans in an order of ours, and processes in place of their keys."""
    traces = []
    for trace in answer["data"]:
        spans = [
            {
                **span,
                "processID": trace["processes"][span["processID"]],
                "warnings": list(dict.fromkeys(span["warnings"] or [])),
            }
            for span in trace["spans"]
        ]
        traces.append({**trace, "processes": None, "spans": sorted(spans, key=lambda span: span["spanID"])})
    return {**answer, "data": sorted(traces, key=lambda trace: trace["traceID"])}


SEARCHES: list[dict[str, str]] = [
    {"service_name": "found shop"},
    {"service_name": "found plain"},
    {"service_name": "found/bank/é"},
    {"service_name": "found plain", "operation_name": "short"},
    {"service_name": "found plain", "operation_name": "pay"},
    {"service_name": "found plain", "duration_min": "1s"},
    {"service_name": "found plain", "duration_max": "5ms"},
    {"service_name": "found plain", "duration_min": "1500us", "duration_max": "2.5s"},
    {"service_name": "found plain", "num_traces": "1"},
    {"service_name": "nobody"},
]


@pytest.mark.parametrize("search", SEARCHES)
def test_a_search_of_version_3(both: Both, search: dict[str, str]) -> None:
    query = {**_window(), **{f"query.{name}": value for name, value in search.items()}, "query.raw_traces": "true"}
    (real_status, real), (own_status, own) = both.answers("/api/v3/traces", **query)
    assert real_status == own_status
    if "num_traces" in search:
        # Which one is newest the real one tells by when it was sent.
        assert len({span["span"]["traceId"] for span in _sorted_spans(own)}) == 1
    elif own_status == 200:
        assert _sorted_spans(own) == _sorted_spans(real)
    else:
        assert own == real


OLDER_SEARCHES: list[list[tuple[str, str]]] = [
    [("service", "found shop")],
    [("service", "found plain"), ("operation", "short")],
    [("service", "found plain"), ("tag", "a.b:c")],
    [("service", "found plain"), ("tags", '{"a.b": "d"}')],
    [("service", "found plain"), ("tags", '{"a.b": "d", "x": "y"}')],
    [("service", "found shop"), ("tag", "int:5")],
    [("service", "found shop"), ("tag", "yes:true")],
    [("service", "found shop"), ("tag", "float:1.5")],
    [("service", "found shop"), ("tag", "whole:2")],
    [("service", "found shop"), ("tag", 'texts:["a","b\\u003c"]')],
    [("service", "found shop"), ("tag", "exception.type:ValueError")],
    [("service", "found shop"), ("tag", "process.pid:7")],
    [("service", "found shop"), ("tag", "host.name:b")],
    [("service", "found plain"), ("minDuration", "2s")],
    [("service", "found plain"), ("maxDuration", "1ms")],
    [("service", "nobody")],
    [("traceID", "10001"), ("traceID", "10003")],
    [("traceID", "10001"), ("traceID", "dead")],
]


@pytest.mark.parametrize("search", OLDER_SEARCHES)
def test_a_search_of_the_older_api(both: Both, search: list[tuple[str, str]]) -> None:
    window = [("start", str(int((time.time() - 3600) * 1e6))), ("end", str(int((time.time() + 3600) * 1e6)))]
    (real_status, real), (own_status, own) = both.answers("/api/traces", *window, *search, raw="true")
    assert (own_status, _older(own)) == (real_status, _older(real))


def test_names_of_the_older_api(both: Both) -> None:
    (_, real), (_, own) = both.answers("/api/services")
    assert set(own["data"]) <= set(real["data"])
    assert own == {"data": sorted(own["data"]), "total": len(FAMILIES) * 3, "limit": 0, "offset": 0, "errors": None}
    for path, query in (
        ("/api/services/found%20shop/operations", {}),
        ("/api/services/found%2Fbank%2F%C3%A9/operations", {}),
        ("/api/services/nobody/operations", {}),
        ("/api/operations", {"service": "found shop"}),
        ("/api/operations", {"service": "found plain", "spanKind": "internal"}),
        ("/api/operations", {"service": "nobody"}),
    ):
        (real_status, real), (own_status, own) = both.answers(path, **query)
        real["data"], own["data"] = _comparable(real["data"]), _comparable(own["data"])
        assert (own_status, own) == (real_status, real), path


def _comparable(data: Any) -> Any:
    return data and sorted(data, key=str)


def test_the_graph_of_services(both: Both) -> None:
    query = {"endTs": str(int((time.time() + 60) * 1000)), "lookback": "3600000"}
    (_, real), (_, own) = both.answers("/api/dependencies", **query)
    ours = {"found shop", "found/bank/é", "found plain"}
    edges = [
        sorted((e["parent"], e["child"], e["callCount"]) for e in a["data"] if e["parent"] in ours) for a in (real, own)
    ]
    assert edges[0] == edges[1] != []
    (_, real), (_, own) = both.answers("/api/dependencies", **query, service="found/bank/é")
    assert sorted(map(str, own["data"])) == sorted(map(str, real["data"]))


WRONG = [
    ("/api/v3/traces", {}),
    ("/api/v3/traces", {"query.start_time_min": "x", "query.start_time_max": "y"}),
    ("/api/v3/traces", {"query.num_traces": "x"}),
    ("/api/v3/traces", {"query.duration_min": "5"}),
    ("/api/v3/traces", {"query.duration_max": "fast"}),
    ("/api/v3/traces", {"query.raw_traces": "x"}),
    ("/api/v3/traces/xyz", {}),
    ("/api/v3/traces/dead", {}),
    (f"/api/v3/traces/{'1' * 33}", {}),
    ("/api/v3/traces/10001", {"raw_traces": "maybe"}),
    ("/api/traces", {}),
    ("/api/traces", {"service": "found shop", "limit": "x"}),
    ("/api/traces", {"service": "found shop", "start": "x"}),
    ("/api/traces", {"service": "found shop", "tag": "x"}),
    ("/api/traces", {"service": "found shop", "tags": "{"}),
    ("/api/traces", {"service": "found shop", "tags": '{"a": 1}'}),
    ("/api/traces", {"service": "found shop", "minDuration": "5"}),
    ("/api/traces", {"service": "found shop", "minDuration": "5s", "maxDuration": "1s"}),
    ("/api/traces", {"traceID": "xyz"}),
    ("/api/traces/xyz", {}),
    ("/api/traces/dead", {}),
    ("/api/traces/10001", {"raw": "maybe"}),
    ("/api/operations", {}),
    ("/api/dependencies", {"endTs": "x"}),
    ("/api/dependencies", {"endTs": "1", "lookback": "x"}),
]


@pytest.mark.parametrize(("path", "query"), WRONG)
def test_what_is_asked_wrongly_is_refused_alike(both: Both, path: str, query: dict[str, str]) -> None:
    if path == "/api/v3/traces" and query and "query.start_time_min" not in query:
        query = {**_window(), **query}
    (real_status, real), (own_status, own) = both.answers(path, **query)
    assert own_status == real_status
    assert own_status in (400, 404)
    assert own.keys() == real.keys()
    if own_status == 404:
        assert own == real
