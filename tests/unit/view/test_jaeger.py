"""What a real Jaeger of today's builds cannot be asked; the rest is in ``tests/e2e/test_viewer_jaeger.py``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from obs_run.view.jaeger import parameters
from tests.unit.store import making
from tests.unit.view import serving
from tests.unit.view.recording import trace_id

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.view.serving import Viewer

WINDOW = (("query.startTimeMin", "2020-01-01T00:00:00Z"), ("query.startTimeMax", "2040-01-01T00:00:00.5+02:00"))


def test_summaries_are_those_of_jaeger_2_20(viewer: Viewer) -> None:
    found = viewer.get("/api/v3/trace-summaries", *WINDOW, ("query.serviceName", "weather"))
    assert found["summaries"][0] == {
        "traceId": trace_id(2),
        "rootServiceName": "agent",
        "rootOperationName": "invoke_agent planner",
        "minStartTimeUnixNano": str(making.AT + 60_000 * making.MS),
        "maxEndTimeUnixNano": str(making.AT + 61_000 * making.MS),
        "spanCount": 5,
        "errorSpanCount": 1,
        "services": [
            {"name": "agent", "spanCount": 4, "errorSpanCount": 1},
            {"name": "weather", "spanCount": 1},
        ],
    }
    assert viewer.get("/api/v3/trace-summaries", *WINDOW, ("query.serviceName", "nobody")) == {}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ([("query.searchDepth", "1")], [2]),
        ([("query.search_depth", "1")], [2]),
        ([("query.attributes", '{"error": "true"}')], [2]),
        ([("query.attributes", '{"error": "false"}')], [2, 1]),
        ([("query.attributes", '{"gen_ai.tool.name": "get_weather"}')], [2, 1]),
        ([("query.attributes", '{"gen_ai.tool.name": "get_weather", "error": "false"}')], [1]),
        ([("query.operationName", "GET /weather"), ("query.durationMin", "150ms")], [2, 1]),
        ([("query.operationName", "GET /weather"), ("query.durationMin", "150.001ms")], []),
    ],
)
def test_newer_names_of_parameters_are_read(viewer: Viewer, query: list[tuple[str, str]], expected: list[int]) -> None:
    found = viewer.get("/api/v3/trace-summaries", *WINDOW, *query)
    assert [int(one["traceId"], 16) for one in found.get("summaries", [])] == expected


def test_a_trace_is_printed_for_people_where_that_is_asked(viewer: Viewer) -> None:
    answer = viewer.ask("/api/traces/1?prettyPrint=true", {"Authorization": f"Bearer {serving.TOKEN}"})
    assert answer.body.startswith(b'{\n    "data": [\n')


DURATIONS = {
    "1h2m3s": 3723 * 10**9, "1.5s": 15 * 10**8, "100ms": 10**8, "3us": 3000, "3µs": 3000, "7ns": 7, ".5s": 5 * 10**8,
    "-2s": -2 * 10**9, "+1m": 60 * 10**9, "0": 0, "": 0, "1m1m": 120 * 10**9,
}  # fmt: skip


@pytest.mark.parametrize("text", DURATIONS)
def test_durations_are_read_as_go_does(text: str) -> None:
    assert parameters.duration_ns("x", text) == DURATIONS[text]


@pytest.mark.parametrize("text", ["5", "s", "1x", "1s ", "--1s", "1,5s", "1e3s", "٣s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(parameters.ParameterError):
        parameters.duration_ns("x", text)


PRINTED = {
    0: "0s", 7: "7ns", 1500: "1.5µs", 10**6: "1ms", 123_456_789: "123.456789ms", 10**9: "1s", 61 * 10**9: "1m1s",
    3600 * 10**9: "1h0m0s", -1_500_000_000: "-1.5s", 3723_000_000_001: "1h2m3.000000001s",
}  # fmt: skip


@pytest.mark.parametrize("number", PRINTED)
def test_durations_are_written_as_go_does(number: int) -> None:
    assert parameters.go_duration(number) == PRINTED[number]


def test_times_are_read_to_the_nanosecond() -> None:
    assert parameters.time_ns("x", "1970-01-01T00:00:01.000000002Z") == 1_000_000_002
    assert parameters.time_ns("x", "1970-01-01T02:00:01+02:00") == 1_000_000_000
    for text in ("1970-01-01", "1970-01-01T00:00:01", "x", "1970-13-01T00:00:01Z", ""):
        with pytest.raises(parameters.ParameterError):
            parameters.time_ns("x", text)


def test_a_build_of_the_interface_is_served_with_the_api_below_it(store: Path, tmp_path: Path) -> None:
    folder = tmp_path / "build"
    (folder / "static").mkdir(parents=True)
    (folder / "static" / "a.js").write_text("1")
    (folder / "index.html").write_text('<base href="/" data-inject-target="BASE_URL" /><script>1</script>')
    headers = {"Authorization": f"Bearer {serving.TOKEN}"}
    with serving.viewer(store, folder) as viewer:
        for page in ("/jaeger/", "/jaeger/search", "/jaeger/trace/1"):
            answer = viewer.ask(page, headers)
            assert answer.body.startswith(b'<base href="/jaeger/"')
            policy = answer.headers["content-security-policy"]
            assert "default-src 'self'" in policy
            assert "http" not in policy
        assert viewer.ask("/jaeger/static/a.js", headers).headers["content-security-policy"] == policy
        assert json.loads(viewer.ask("/jaeger/api/v3/services", headers).body) == {"services": ["agent", "weather"]}
        assert viewer.ask("/jaeger/search").status == 401
        assert "'unsafe-inline'" not in viewer.ask("/", headers).headers["content-security-policy"]
