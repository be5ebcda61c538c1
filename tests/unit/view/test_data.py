from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from opentelemetry.sdk.resources import Resource

from obs_run.store.exporters import StoreLogExporter, StoreMetricExporter, StoreSpanExporter
from tests.unit.store import making
from tests.unit.view.recording import MANY, MARKUP, model_call, run, span_id, trace_id
from tests.unit.view.serving import TOKEN

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.view.serving import Viewer


def listed(viewer: Viewer, *query: tuple[str, str]) -> list[int]:
    return [int(one["id"], 16) for one in viewer.get("/data/traces", *query)["traces"]]


def test_the_list_has_the_newest_first_with_its_figures(viewer: Viewer) -> None:
    found = viewer.get("/data/traces")
    assert found["traces"][0] == {
        "id": trace_id(2),
        "name": "invoke_agent planner",
        "service": "agent",
        "services": ["agent", "weather"],
        "start_ms": (making.AT + 60_000 * making.MS) / 1e6,
        "took_ns": 1000 * making.MS,
        "spans": 5,
        "errors": 2,
        "unfinished": 0,
        "running": 0,
        "logs": 4,
        "input_tokens": 200,
        "output_tokens": 40,
        "cost": 0.5,
    }
    assert [one["id"] for one in found["traces"]] == [trace_id(2), trace_id(1)]
    assert found["more"] is False
    assert found["choices"] == {"service": ["agent", "weather"], "agent": ["planner"], "model": ["gpt-5"]}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ((("service", "weather"),), [2, 1]),
        ((("service", "other"),), []),
        ((("agent", "planner"),), [2, 1]),
        ((("model", "gpt-5"),), [2, 1]),
        ((("model", "other"),), []),
        ((("status", "error"),), [2]),
        ((("status", "ok"),), [1]),
        ((("text", "onerror="),), [2]),
        ((("text", "ASKING the"),), [2, 1]),
        ((("text", "nobody said this"),), []),
        ((("attribute", "gen_ai.tool.name=get_weather"),), [2, 1]),
        ((("attribute", "gen_ai.tool.name=get_weather"), ("status", "ok")), [1]),
        ((("attribute", "gen_ai.tool.name=other"),), []),
        ((("since", "1h"),), []),
        ((("limit", "1"),), [2]),
    ],
)
def test_the_list_is_searched(viewer: Viewer, query: tuple[tuple[str, str], ...], expected: list[int]) -> None:
    assert listed(viewer, *query) == expected


@pytest.mark.parametrize("query", ["status=bad", "since=yesterday", "attribute=x", "attribute==x"])
def test_a_search_that_cannot_be_is_refused_in_words(viewer: Viewer, query: str) -> None:
    answer = viewer.ask(f"/data/traces?{query}", {"Authorization": f"Bearer {TOKEN}"})
    assert answer.status == 400
    assert b"is n" in answer.body


def test_a_trace_is_rows_in_the_order_of_the_tree(viewer: Viewer) -> None:
    found = viewer.get(f"/data/traces/{trace_id(2)}")
    spans, names = found["spans"], found["names"]
    assert [names[at] for at in spans["name"]] == [
        "invoke_agent planner",
        "chat gpt-5",
        "execute_tool get_weather",
        "GET /weather",
        "chat gpt-5",
    ]
    assert spans["depth"] == [0, 1, 1, 2, 1]
    assert spans["start"] == [each * making.MS for each in (0, 10, 320, 330, 530)]
    assert spans["took"] == [each * making.MS for each in (1000, 300, 200, 150, 400)]
    assert spans["self"] == [each * making.MS for each in (100, 300, 50, 150, 400)]
    assert spans["cost"] == [0.5, 0.25, None, None, 0.25]
    assert spans["input"] == [200, 100, None, None, 100]
    assert spans["status"] == [0, 0, 2, 0, 0]
    assert [(row, start // making.MS, end // making.MS) for row, start, end in found["path"]] == [
        (0, 0, 10),
        (1, 10, 310),
        (0, 310, 320),
        (2, 320, 330),
        (3, 330, 480),
        (2, 480, 520),
        (0, 520, 530),
        (4, 530, 930),
        (0, 930, 1000),
    ]
    assert [(row, at // making.MS, severity, text) for row, at, severity, _, text in found["logs"]] == [
        (1, 20, 9, "asking the model"),
        (2, 400, 13, "slow"),
        (2, 410, 17, MARKUP),
        (-1, 500, 9, "of no span that is there"),
    ]
    assert [(one["group"], one["cost"]) for one in found["usage"]["model"]] == [("gpt-5", 0.5)]


def test_a_trace_is_sent_again_only_when_it_has_changed(own_viewer: Viewer, store: Path) -> None:
    digest = own_viewer.get(f"/data/traces/{trace_id(1)}")["digest"]
    assert own_viewer.get(f"/data/traces/{trace_id(1)}", known=digest) == {"digest": digest}
    version = own_viewer.get("/data/version")
    assert own_viewer.get("/data/version") == version
    StoreSpanExporter(store, MANY).export([making.span("late", 900, 20, trace=1, id=9, parent=1)])
    now = own_viewer.get(f"/data/traces/{trace_id(1)}", known=digest)
    assert now["digest"] != digest
    assert "late" in now["names"]
    assert own_viewer.get("/data/version") != version


def test_a_span_has_its_content_and_everything_else(viewer: Viewer) -> None:
    found = viewer.get(f"/data/traces/{trace_id(2)}/spans/{span_id(3)}")
    assert found["content"] == {"arguments": {"city": "Paris"}, "result": {"celsius": 21}}
    assert ["deep.number", str(2**60)] in found["attributes"]
    assert found["status_text"] == "the weather service\ndid not answer"
    assert found["parent"] == span_id(1)
    assert [(line["text"], line["level"], line["attributes"]) for line in found["logs"]] == [
        ("slow", "WARN", [["seconds", 0.2]]),
        (MARKUP, "ERROR", []),
    ]
    model = viewer.get(f"/data/traces/{trace_id(2)}/spans/{span_id(2)}")
    assert model["content"]["input"][0]["parts"] == [{"type": "text", "content": MARKUP}]


def test_a_conversation_says_each_message_once(viewer: Viewer) -> None:
    found = viewer.get(f"/data/traces/{trace_id(1)}/conversation")
    said = [
        [(m["role"], m["parts"][0].get("content") or m["parts"][0]["name"]) for m in s["messages"]]
        for s in found["steps"]
    ]
    assert said == [
        [("system", "You plan trips."), ("user", "Weather in Paris?"), ("assistant", "get_weather")],
        [],
        [("assistant", "21 degrees.")],
    ]
    assert [step["kind"] for step in found["steps"]] == ["model", "tool", "model"]
    assert found["steps"][1]["result"] == {"celsius": 21}
    assert found["conversation"] == "trip-1"


def test_a_conversation_goes_over_traces(viewer: Viewer) -> None:
    [one] = viewer.get("/data/conversations")["conversations"]
    assert {name: one[name] for name in ("id", "turns", "traces", "errors", "agents", "question", "calls", "cost")} == {
        "id": "trip-1",
        "turns": 2,
        "traces": 2,
        "errors": 1,
        "agents": ["planner"],
        "question": "Weather in Paris?",
        "calls": 4,
        "cost": 1.0,
    }
    found = viewer.get("/data/conversation", id="trip-1")
    assert [turn["trace"] for turn in found["all"]] == [trace_id(1), trace_id(2)]
    assert found["all"][1]["idle_ns"] == 59_000 * making.MS


def test_two_traces_are_compared(viewer: Viewer) -> None:
    found = viewer.get("/data/compare", left=trace_id(1), right=trace_id(2))
    assert [(pair["depth"], pair["name"], pair["kind"]) for pair in found["pairs"]] == [
        (0, "invoke_agent planner", "same"),
        (1, "chat", "changed"),
        (1, "execute_tool get_weather", "changed"),
        (2, "GET /weather", "same"),
        (1, "chat", "changed"),
    ]
    chat, tool = found["pairs"][1:3]
    assert chat["right"]["messages"][1]["parts"][0]["content"] == MARKUP
    assert tool["changes"] == ["fails now"]


def test_the_map_has_who_calls_whom(viewer: Viewer) -> None:
    found = viewer.get("/data/map")
    places = [tuple(place) for place in found["places"]]
    edges = {(places[e["from"]], places[e["to"]]): (e["calls"], e["errors"], e["cost"]) for e in found["edges"]}
    assert edges == {
        (("agent", "planner"), ("model", "gpt-5")): (4, 0, 1.0),
        (("agent", "planner"), ("tool", "get_weather")): (2, 1, None),
        (("service", "agent"), ("agent", "planner")): (2, 0, None),
        (("tool", "get_weather"), ("service", "weather")): (2, 0, None),
    }


def test_metrics_are_series(own_viewer: Viewer, store: Path) -> None:
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    reader = InMemoryMetricReader()
    meter = MeterProvider([reader], shutdown_on_exit=False).get_meter("test")
    calls, seconds = meter.create_counter("calls", "{call}", "how often"), meter.create_histogram("seconds", "s")
    for number, city in enumerate(("Paris", "Rome", "Paris")):
        calls.add(1, {"city": city})
        seconds.record(number, {"city": city})
    data = reader.get_metrics_data()
    assert data is not None
    StoreMetricExporter(store, MANY).export(data)
    names = {one["name"]: one for one in own_viewer.get("/data/metrics")["metrics"]}
    assert {name: (one["series"], one["unit"]) for name, one in names.items()} == {
        "calls": (2, "{call}"),
        "seconds": (2, "s"),
    }
    found = own_viewer.get("/data/metric", name="calls")
    assert sorted((one["attributes"], one["points"][-1][1]) for one in found["series"]) == [
        ([["city", "Paris"]], 2),
        ([["city", "Rome"]], 1),
    ]
    assert sum(count for _, count in own_viewer.get("/data/metric", name="seconds")["series"][0]["buckets"]) in (1, 2)
    assert own_viewer.get("/data/metric", name="none")["series"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/data/traces/ffff",
        "/data/traces/0000",
        f"/data/traces/{trace_id(7)}",
        "/data/traces/not-hex",
        f"/data/traces/{trace_id(1)}/spans/ffff",
        f"/data/traces/{trace_id(7)}/conversation",
        "/data/conversation?id=none",
        "/data/compare?left=1&right=2",
        "/data/traces/%00",
    ],
)
def test_what_is_not_there_is_said(viewer: Viewer, path: str) -> None:
    answer = viewer.ask(path, {"Authorization": f"Bearer {TOKEN}"})
    assert (answer.status, answer.json["error"]) == (404, "it is not there, or not there any more")


def test_a_store_that_went_away_is_said_and_found_again(own_viewer: Viewer, store: Path) -> None:
    aside = store.with_name("aside")
    store.rename(aside)
    answer = own_viewer.ask("/data/map", {"Authorization": f"Bearer {TOKEN}"})
    assert answer.status == 503
    assert "there is no" in answer.json["error"]
    aside.rename(store)
    assert listed(own_viewer) == [2, 1]


STRANGE: list[dict[str, Any]] = [
    {"type": "text", "content": None},
    {"type": "text"},
    {"type": 7},
    {},
    {"type": "tool_call"},
    {"content": {"a": [1]}},
    {"type": "tool_call_response", "response": {"b": 1}},
    {"type": "blob", "mime_type": "image/svg+xml", "content": "PHN2Zz4="},
    {"type": "uri", "uri": "javascript:alert(1)"},
]


@pytest.mark.sampled
@pytest.mark.parametrize("part", STRANGE)
def test_strange_parts_are_still_answered(own_viewer: Viewer, store: Path, part: dict[str, Any]) -> None:
    StoreSpanExporter(store, MANY).export([*run(5, 0)[:1], model_call(2, 10, 20, trace=5, asked="x", answered=part)])
    assert own_viewer.get(f"/data/traces/{trace_id(5)}/conversation")["steps"][0]["messages"][-1]["parts"] == [part]


@pytest.mark.sampled
@pytest.mark.parametrize("text", ["[", '"just text"', "[1, null]", '{"role": 5}', "null", "[[]]", "[" * 3000])
def test_messages_that_are_cut_off_or_none_are_still_answered(own_viewer: Viewer, store: Path, text: str) -> None:
    call = making.span(
        "chat", 0, 5, trace=6, attributes={"gen_ai.operation.name": "chat", "gen_ai.input.messages": text}
    )
    StoreSpanExporter(store, MANY).export([call])
    assert own_viewer.get(f"/data/traces/{trace_id(6)}/conversation")["steps"]
    assert own_viewer.get(f"/data/traces/{trace_id(6)}/spans/{span_id(1)}")["id"] == span_id(1)


def test_what_json_has_not_is_still_answered(own_viewer: Viewer, store: Path) -> None:
    strange = {
        "nan": math.nan,
        "infinite": math.inf,
        "half": "a\ud800b",
        "gen_ai.operation.name": "chat",
        "obs.cost.total": math.nan,
    }
    StoreSpanExporter(store, MANY).export(
        [
            making.span("strange \udfff", 0, 5, trace=9, attributes=strange),
            making.span("backwards", 10, -5, trace=9, id=2, parent=1),
            making.span("own parent", 10, 5, trace=9, id=3, parent=3),
            making.span("of 1970", -making.AT / making.MS, 5, trace=9, id=4),
        ]
    )
    found = own_viewer.get(f"/data/traces/{trace_id(9)}")
    assert len(found["spans"]["id"]) == 4
    attributes = dict(own_viewer.get(f"/data/traces/{trace_id(9)}/spans/{span_id(1)}")["attributes"])
    assert (attributes["nan"], attributes["infinite"], attributes["half"]) == ("nan", "inf", "a\ud800b")
    for path in ("/data/traces", "/data/map", "/data/conversations", f"/data/traces/{trace_id(9)}/conversation"):
        assert own_viewer.get(path)
    for path in (
        f"/api/v3/traces/{trace_id(9)}",
        f"/api/traces/{trace_id(9)}",
        "/api/dependencies",
        "/api/v3/operations?service=agent",
    ):
        assert own_viewer.get(path)


def test_a_service_or_conversation_of_any_name_is_found(own_viewer: Viewer, store: Path) -> None:
    name = "a/b?c#d%20|é \"'<x>"
    call = making.span(
        "chat", 0, 5, trace=11, resource=Resource({"service.name": name}), attributes={"gen_ai.conversation.id": name}
    )
    StoreSpanExporter(store, MANY).export([call])
    assert own_viewer.get("/data/conversation", id=name)["turns"] == 1
    assert listed(own_viewer, ("service", name)) == [11]
    assert listed(own_viewer, ("conversation", name)) == [11]
    assert own_viewer.get(f"/api/services/{quote(name, safe='')}/operations")["data"] == ["chat"]


def test_a_trace_of_log_lines_alone_is_shown(own_viewer: Viewer, store: Path) -> None:
    StoreLogExporter(store, MANY).export([making.log("alone", 5, trace=12, span=1)])
    found = own_viewer.get(f"/data/traces/{trace_id(12)}")
    assert found["spans"]["id"] == []
    assert found["logs"] == [[-1, 0, 9, "agent.tools", "alone"]]
    assert 12 in listed(own_viewer)


@pytest.mark.slow
def test_a_deep_trace_and_a_long_prompt_are_answered(own_viewer: Viewer, store: Path) -> None:
    deep = [making.span("deeper", n, 5000 - n, trace=13, id=n, parent=n - 1 or None) for n in range(1, 3000)]
    StoreSpanExporter(store, MANY).export(
        [*deep, model_call(3000, 1, 2, trace=13, asked="x" * 3_000_000, answered={"type": "text"})]
    )
    assert max(own_viewer.get(f"/data/traces/{trace_id(13)}")["spans"]["depth"]) == 2998
    assert len(own_viewer.get(f"/data/traces/{trace_id(13)}/conversation")["steps"]) == 1
    pairs = own_viewer.get("/data/compare", left=trace_id(13), right=trace_id(13))["pairs"]
    assert max(pair["depth"] for pair in pairs) == 2998
    assert own_viewer.get(f"/api/traces/{trace_id(13)}")["data"]
