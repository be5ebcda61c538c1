"""The Grafana dashboards, and questions of public ones, asked of the real Prometheus: of a script and of a server."""

import json
import math
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.e2e.backends import clients, http
from tests.e2e.backends.install import ROOT
from tests.e2e.backends.servers import Backends
from tools import make_dashboards
from tools.make_dashboards import DASHBOARDS, Panel

MODEL_CALLS_OF_SCRIPT = 7
PANELS = [(dashboard.name, panel) for dashboard in DASHBOARDS for panel in dashboard.panels]


@pytest.fixture(scope="module")
def services(backends: Backends, stub: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Run the example and a server, and give the names of both, with the server's figures in Prometheus growing."""
    programs = Path(sys.executable).parent
    folder = tmp_path_factory.mktemp("agents")
    script, server = (f"{kind}-{secrets.token_hex(3)}" for kind in ("script", "server"))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OBS_"))}
    environment |= {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "XDG_DATA_HOME": str(folder),
        "OPENAI_BASE_URL": stub,
        "OPENAI_API_KEY": "stub",
        "OTEL_EXPORTER_OTLP_ENDPOINT": backends.collector.otlp_http,
        "OTEL_METRIC_EXPORT_INTERVAL": "2000",
        "OBS_STREAM_USAGE_HOSTS": urlsplit(stub).netloc,
    }
    obs_run = programs / "obs-run"
    serving = subprocess.Popen(
        [obs_run, "python", ROOT / "tests" / "e2e" / "dashboard_server.py"],
        env={**environment, "OTEL_SERVICE_NAME": server},
        stderr=subprocess.DEVNULL,
    )
    try:
        subprocess.run(
            [obs_run, "python", ROOT / "examples" / "agent.py"],
            env={**environment, "OTEL_SERVICE_NAME": script},
            check=True,
            capture_output=True,
            timeout=100,
        )
        for service in (script, server):
            backends.prometheus.query(f'obs_client_cost_total{{job="{service}"}}', 60)
        runs = f'gen_ai_invoke_agent_duration_seconds_count{{job="{server}"}}'
        backends.prometheus.query(f"{runs} > 10", 120)
        rate = "rate(gen_ai_client_operation_time_to_first_chunk_seconds_count[1m])"
        backends.prometheus.query(f"sum(min_over_time(({rate})[15s:5s])) > 0", 120)
        # Rates need two samples, and the Collector tells of itself from the second on.
        backends.prometheus.query('rate(otelcol_receiver_accepted_spans{job="collector"}[1m]) > 0', 60)
        yield script, server
    finally:
        serving.terminate()
        serving.wait(30)


def asked(prometheus: clients.Prometheus, expression: str) -> list[clients.Sample]:
    """Return what Prometheus answers at once; a mistake in the question is a failure."""
    answer = http.get(f"{prometheus.url}/api/v1/query", query=expression)
    assert answer is not None, expression
    return [clients.Sample(item["metric"], float(item["value"][1])) for item in answer["data"]["result"]]


def filled_in(expression: str, service: str) -> str:
    expression = expression.replace("$__range", "15m").replace("$__rate_interval", "1m")
    return re.sub(r"\$(\w+)", lambda name: service if name[1] == "service" else ".*", expression)


def test_the_files_are_what_the_tool_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["make_dashboards.py", "--check"])
    assert make_dashboards.main() == 0
    for dashboard in DASHBOARDS:
        panels = json.loads((make_dashboards.FOLDER / f"{dashboard.name}.json").read_text())["panels"]
        assert [panel["title"] for panel in panels] == [panel.title for panel in dashboard.panels]
        for one in panels:
            place = one["gridPos"]
            assert place["x"] + place["w"] <= 24
            assert not any(overlap(place, other["gridPos"]) for other in panels if other is not one)


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    return all(one[at] < other[at] + other[size] and other[at] < one[at] + one[size] for at, size in ("xw", "yh"))


@pytest.mark.parametrize(("dashboard", "panel"), PANELS, ids=lambda value: getattr(value, "title", value))
def test_prometheus_answers_every_panel(
    dashboard: str, panel: Panel, services: tuple[str, str], backends: Backends
) -> None:
    for query in panel.queries:
        samples = asked(backends.prometheus, filled_in(query.expression, "|".join(services)))
        assert samples or panel.may_be_empty, f"{dashboard}: {query.expression}"
        assert all(math.isfinite(sample.value) and sample.value >= 0 for sample in samples)
        for label in re.findall(r"\{\{(\w+)\}\}", query.legend):
            assert panel.may_be_empty or any(label in sample.labels for sample in samples)


@pytest.mark.parametrize("title", ["Processes", "Model calls", "Cost"])
def test_scripts_and_servers_are_told_alike(title: str, services: tuple[str, str], backends: Backends) -> None:
    for panel in make_dashboards.FLEET.panels:
        if panel.title == title and panel.kind == "bargauge":
            samples = asked(backends.prometheus, filled_in(panel.queries[0].expression, "|".join(services)))
            assert {sample.labels["job"] for sample in samples if sample.value > 0} == set(services)


def test_what_a_script_did_is_counted_whole(services: tuple[str, str], backends: Backends) -> None:
    script, _ = services
    panel = next(panel for panel in make_dashboards.FLEET.panels if panel.title == "Model calls")
    [sample] = asked(backends.prometheus, filled_in(panel.queries[0].expression, script))

    assert sample.value == MODEL_CALLS_OF_SCRIPT


# As they stand in dashboards of OpenLIT, Grafana, SigNoz, Spring and the OpenTelemetry project.
ANSWERED = {
    "tokens by model and type": "sum by (gen_ai_request_model, gen_ai_token_type) (gen_ai_client_token_usage_sum)",
    "mean duration": "sum(rate(gen_ai_client_operation_duration_seconds_sum[1m]))"
    " / sum(rate(gen_ai_client_operation_duration_seconds_count[1m]))",
    "p95 duration": "histogram_quantile(0.95, sum by (le) (rate(gen_ai_client_operation_duration_seconds_bucket[1m])))",
    "requests a minute": "sum(rate(gen_ai_client_operation_duration_seconds_count[1m])) * 60",
    "error ratio": 'sum(rate(gen_ai_client_operation_duration_seconds_count{error_type!=""}[1m]))'
    " / sum(rate(gen_ai_client_operation_duration_seconds_count[1m]))",
    "time to first chunk": "histogram_quantile(0.95, sum by (le)"
    " (rate(gen_ai_client_operation_time_to_first_chunk_seconds_bucket[1m])))",
    "top tools": "topk(5, sum by (gen_ai_tool_name) (gen_ai_execute_tool_duration_seconds_count))",
    "tokens by service_name": "sum by (service_name) (gen_ai_client_token_usage_sum{service_name!=''})",
    "tokens by agent": "sum by (gen_ai_agent_name) (gen_ai_client_token_usage_sum{gen_ai_agent_name!=''})",
    "tools as operations (OpenLIT)": "sum(gen_ai_client_operation_duration_seconds_count"
    '{gen_ai_operation_name="execute_tool"})',
    "cost (OpenLIT)": "sum(gen_ai_usage_cost_USD_sum)",
    "calls by gen_ai_system": "sum by (gen_ai_system)"
    " (gen_ai_client_operation_duration_seconds_count{gen_ai_system!=''})",
}
NOT_ANSWERED = {
    "gen_ai_server_time_to_first_token_seconds_bucket": "of servers of models (vLLM and others), which measure it",
    "gen_ai_client_token_usage_total": "Spring has a counter of this name, the conventions a histogram",
}


@pytest.mark.parametrize("question", ANSWERED)
def test_a_question_of_a_public_dashboard_is_answered(
    question: str, services: tuple[str, str], backends: Backends
) -> None:
    assert services
    samples = asked(backends.prometheus, ANSWERED[question])
    assert samples
    assert all(math.isfinite(sample.value) and sample.value > 0 for sample in samples)


@pytest.mark.parametrize("metric", NOT_ANSWERED)
def test_a_question_that_has_no_answer_has_none(metric: str, services: tuple[str, str], backends: Backends) -> None:
    assert services
    assert asked(backends.prometheus, metric) == []
