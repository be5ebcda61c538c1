"""The metrics API in processes of its own: launched or not, forked, with a provider of the agent's, without any."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.examples import crossed, one_in
from tests.ports import free_port, nobody
from tests.unit.agents import MEMORY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.agents import Ran, Run


def points(ran: Ran, name: str) -> list[tuple[dict[str, Any], Any]]:
    return [
        (point["attributes"], point["value"] if point["count"] is None else point["count"])
        for point in ran.seen["metrics"].get(name, {"points": []})["points"]
    ]


def last(ran: Ran) -> Any:
    assert ran.code == 0, ran.err
    return json.loads(ran.out.splitlines()[-1])


def stored(folder: Path) -> dict[str, int]:
    """The names of the metrics in the local store, and how many points each has."""
    with closing(sqlite3.connect(folder / "store.db")) as store:
        return dict(store.execute("SELECT name, count(*) FROM points GROUP BY name").fetchall())


MEASURE = """
    from obs_run.metrics import counter, gauge, histogram, timer
    counter("Jobs.Done").increment(2, kind="small")
    gauge("breaker.state").set("closed")
    gauge("breaker.state").set("open")
    histogram("size", buckets=[1, 10]).observe(5, kind="small")
    with timer("work").time_context():
        pass
"""


@pytest.mark.parametrize("start", [True, False], ids=["launched", "library"])
def test_metrics_reach_the_exporters(start: bool, agent: Run) -> None:  # noqa: FBT001 (a case)
    ran = agent(f"{MEASURE}\n    import telemetry_probe\n    telemetry_probe.show()", start=start)
    assert ran.err == ""
    assert points(ran, "Jobs.Done") == [({"kind": "small"}, 2)]
    assert points(ran, "breaker.state") == [({"breaker.state": "closed"}, 0), ({"breaker.state": "open"}, 1)]
    assert ran.seen["metrics"]["size"]["points"][0]["bounds"] == [1, 10]
    assert points(ran, "work_duration") == [({}, 1)]
    assert ran.seen["metrics"]["work_duration"]["unit"] == "s"


@pytest.mark.parametrize("start", [True, False], ids=["launched", "library"])
def test_metrics_reach_the_local_store_as_the_process_ends(start: bool, agent: Run, tmp_path: Path) -> None:  # noqa: FBT001 (a case)
    ran = agent(MEASURE, start=start, OBS_STORE_FILE=str(tmp_path / "store.db"), OTEL_METRICS_EXPORTER="store")
    assert (ran.code, ran.out) == (0, "")
    assert stored(tmp_path) == {"Jobs.Done": 1, "breaker.state": 2, "size": 1, "work_duration": 1}


def test_importing_loads_no_sdk(agent: Run) -> None:
    ran = agent(
        "import json, sys\nimport obs_run.metrics\n"
        "print(json.dumps([name for name in sys.modules if name.startswith('opentelemetry.sdk')]))",
        start=False,
    )
    assert last(ran) == []


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("start", "environment"),
    crossed(
        [True, False],
        [{"OTEL_SDK_DISABLED": "true"}, {"OTEL_METRICS_EXPORTER": "none"}, {"OTEL_METRICS_EXPORTER": "otlp"}],
    ),
)
def test_without_a_destination_the_process_still_knows(
    start: bool,  # noqa: FBT001 (a case)
    environment: dict[str, str],
    agent: Run,
) -> None:
    environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{nobody()}", "OBS_FLUSH_SECONDS": "0.2", **environment}
    ran = agent(
        f"{MEASURE}\n    import json\n"
        "    print(json.dumps([counter('Jobs.Done').get_value(), timer('work').get_statistics()['count']]))",
        start=start,
        **environment,
    )
    assert last(ran) == [2, 1]


OWN_PROVIDER = """
    import json
    from opentelemetry import metrics
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader
    from obs_run.metrics import counter

    def values(reader):
        data = reader.get_metrics_data()
        found = data.resource_metrics[0].scope_metrics[0].metrics if data else []
        return {metric.name: metric.data.data_points[0].value for metric in found}

    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
"""


@pytest.mark.parametrize("start", [True, False], ids=["launched", "library"])
def test_a_provider_that_the_agent_set_wins(start: bool, agent: Run) -> None:  # noqa: FBT001 (a case)
    source = """
    metrics.set_meter_provider(provider)
    counter("jobs").increment(3)
    print(json.dumps(values(reader)))
    """
    ran = agent(OWN_PROVIDER + source, start=start)
    assert (last(ran), ran.err) == ({"jobs": 3}, "")


def test_a_provider_that_the_agent_sets_later_gets_the_whole_counts(agent: Run) -> None:
    source = """
    import telemetry_probe
    counter("jobs").increment(1)
    metrics.set_meter_provider(provider)
    counter("jobs").increment(3)
    telemetry_probe.show(own=values(reader))
    """
    ran = agent(OWN_PROVIDER + source)
    assert (points(ran, "jobs"), ran.seen["own"]) == ([], {"jobs": 4})


@pytest.mark.parametrize("start", [True, False], ids=["launched", "library"])
def test_counts_begin_at_zero_in_a_child(start: bool, agent: Run) -> None:  # noqa: FBT001 (a case)
    source = """
    import os, sys
    import telemetry_probe
    from obs_run.metrics import counter, gauge, get_metrics_registry, histogram, timer

    async def hear(metric):
        pass

    get_metrics_registry().subscribe(hear)
    work = timer("work").start()
    counter("jobs").increment(5, kind="a")
    gauge("state").set("open")
    histogram("size").observe(1)
    child = os.fork()
    if child == 0:
        before = [counter("jobs").get_value(), gauge("state").get_value(), histogram("size").get_statistics()]
        counter("jobs").increment(2, kind="a")
        timer("work").stop(work)
        telemetry_probe.show(before=before, after=counter("jobs").get_value())
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    counter("jobs").increment(1, kind="a")
    telemetry_probe.show(after=counter("jobs").get_value())
    """
    ran = agent(source, start=start)
    of_child, of_parent = [json.loads(line) for line in ran.out.splitlines() if line]
    assert (of_child["before"], of_child["after"]) == ([0, 0, {}], 2)
    assert {name: len(metric["points"]) for name, metric in of_child["metrics"].items()} == {
        "jobs": 1,
        "work_duration": 1,
    }
    assert of_child["metrics"]["jobs"]["points"][0]["value"] == 2
    assert (of_parent["after"], of_parent["metrics"]["jobs"]["points"][0]["value"]) == (6, 6)
    assert ran.err == ""


def test_a_signal_handler_may_measure(agent: Run) -> None:
    source = """
    import json, signal
    from obs_run.metrics import counter, histogram
    heard = 0

    def handle(*_):
        global heard
        heard += 1
        counter("jobs").increment()
        histogram("size").observe(1)

    signal.signal(signal.SIGALRM, handle)
    counter("jobs").increment()
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    done = 1
    while heard < 300:
        counter("jobs").increment()
        histogram("size").observe(1)
        done += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(json.dumps([counter("jobs").get_value() - done - heard, heard >= 300]))
    """
    assert last(agent(source)) == [0, True]


PAGE = """
    import urllib.request
    from obs_run.metrics import MetricsExporter, counter, gauge, get_metrics_registry, histogram, timer
    {begin}
    counter("agent.errors").increment(2, error_type="Value\\"Error\\\\\\n", **{{"1st.label": 1.5, "ä": "ü"}})
    counter("agent.errors").increment()
    counter("1 wild name!").increment()
    gauge("breaker.state").set("closed")
    gauge("breaker.state").set("open")
    gauge("load").set(0.5, host="a")
    gauge("load").set(1)
    histogram("size", buckets=[1, 10, float("inf")]).observe(5, le="mine")
    with timer("pool.connection_time").time_context():
        pass
    print(urllib.request.urlopen("http://127.0.0.1:{port}/metrics", timeout=60).read().decode())
"""
BEGIN = """import asyncio
    exporter = MetricsExporter(get_metrics_registry())
    server = exporter.start_prometheus_exporter(port={port})

    async def begin():
        assert (await exporter.start_prometheus_exporter(port={port})).address == server.address
        exporter.start_prometheus_exporter("127.0.0.1", {port})

    asyncio.run(begin())
"""


@pytest.mark.sampled
@pytest.mark.parametrize("how", ["setting", "call", "call without exporters", "both"])
def test_the_prometheus_page_can_be_read(how: str, agent: Run) -> None:
    port = free_port()
    environment = {"OTEL_METRICS_EXPORTER": {"call": "memory", "call without exporters": "none"}.get(how, "prometheus")}
    begin = "" if how == "setting" else BEGIN.format(port=port)
    ran = agent(
        PAGE.format(begin=begin, port=port),
        OTEL_EXPORTER_PROMETHEUS_PORT=str(port),
        **environment,
        OTEL_TRACES_EXPORTER="none",
        OTEL_LOGS_EXPORTER="none",
    )
    assert ran.code == 0, ran.err
    [line] = ran.err.splitlines()
    assert line.startswith("metric '1 wild name!': exported as 'm_1_wild_name_'; allowed: letters, digits and _ . - /")
    families = {family.name: family for family in text_string_to_metric_families(ran.out)}
    samples = {
        (sample.name, *((name, label) for name, label in sample.labels.items() if label and "scope" not in name)): (
            sample.value
        )
        for family in families.values()
        for sample in family.samples
    }
    labels = {"_st_label": "1.5", "_": "ü", "error_type": 'Value"Error\\\n'}
    assert {frozenset(key[1:]): value for key, value in samples.items() if key[0] == "agent_errors_total"} == {
        frozenset(labels.items()): 2,
        frozenset(): 1,
    }
    assert families["agent_errors"].type == "counter"
    assert samples["m_1_wild_name__total",] == 1
    assert samples["breaker_state", ("breaker_state", "closed")] == 0
    assert samples["breaker_state", ("breaker_state", "open")] == 1
    assert samples["load", ("host", "a")] == 0.5
    assert samples["size_bucket", ("le", "10.0")] == 1
    assert families["size"].type == "histogram"
    assert samples["pool_connection_time_duration_seconds_count",] == 1
    assert families["pool_connection_time_duration_seconds"].type == "histogram"


def test_an_alert_is_a_log_record_and_an_event_of_the_span(agent: Run) -> None:
    ran = agent(
        """
        import telemetry_probe
        from opentelemetry import trace
        from obs_run.metrics import Alert, AlertLevel, counter, get_metrics_registry
        level = AlertLevel.ERROR
        get_metrics_registry().add_alert(Alert("errors", "agent.errors", ">= 2", level, "too many"))
        with trace.get_tracer("agent").start_as_current_span("work"):
            for _ in range(3):
                counter("agent.errors").increment(kind="timeout")
        telemetry_probe.show()
        """
    )
    log = ran.logs()["errors: too many (agent.errors is 2.0)"]
    assert (log["severity"], log["scope"]) == ("ERROR", "obs_run.alerts")
    assert log["trace"] == ran.spans()["work"]["trace"]
    assert {name: value for name, value in log["attributes"].items() if name.startswith("obs.alert")} == {
        "obs.alert.name": "errors",
        "obs.alert.level": "error",
        "obs.alert.metric": "agent.errors",
        "obs.alert.value": 2.0,
        "obs.alert.condition": ">= 2",
        "obs.alert.label.kind": "timeout",
    }
    assert ran.spans()["work"]["events"] == ["obs.alert"]
    assert len(ran.seen["logs"]) == 1


@pytest.mark.parametrize(("preference", "second"), [("cumulative", 5), ("delta", 3)])
def test_temporality(preference: str, second: int, agent: Run) -> None:
    ran = agent(
        """
        import telemetry_probe
        from obs_run.metrics import counter, histogram
        counter("jobs").increment(2)
        histogram("size").observe(1)
        telemetry_probe.collected()
        counter("jobs").increment(3)
        histogram("size").observe(1)
        telemetry_probe.show()
        """,
        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE=preference,
        **MEMORY,
    )
    assert points(ran, "jobs") == [({}, second)]
    assert points(ran, "size") == [({}, 2 if preference == "cumulative" else 1)]


def test_labels_are_scrubbed_on_their_way_out(agent: Run) -> None:
    secret = "sk-proj-" + "a1B2c3D4" * 6
    ran = agent(
        f"""
        import telemetry_probe
        from obs_run.metrics import counter, gauge
        counter("jobs").increment(key="{secret}")
        gauge("state").set("waiting for {secret}")
        telemetry_probe.show(inside=counter("jobs").get_value(key="{secret}"))
        """
    )
    assert secret not in ran.out
    assert ran.seen["inside"] == 1
    assert [value for _, value in points(ran, "jobs")] == [1]
    assert [value for _, value in points(ran, "state")] == [1]


@pytest.mark.slow
@pytest.mark.parametrize("start", one_in(2, [True, False]))
def test_forks_amid_the_measurements_of_other_threads(start: bool, agent: Run) -> None:  # noqa: FBT001 (a case)
    source = """
    import json, os, signal, threading
    from obs_run.metrics import counter, gauge, histogram, timer

    ended = threading.Event()
    counter("jobs").increment()

    def work(number):
        while not ended.is_set():
            counter("jobs").increment(kind=str(number))
            gauge("state").set("odd" if number % 2 else "even")
            histogram("size").observe(number)
            with timer("work").time_context():
                pass

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    codes = []
    for _ in range(30):
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            counter("jobs").increment(2)
            gauge("state").set("child")
            histogram("size").observe(1)
            counter("made here").increment()
            right = counter("jobs").get_value() == 2 and histogram("size").get_statistics()["count"] == 1
            os._exit(0 if right else 3)
        codes.append(os.waitpid(child, 0)[1])
    ended.set()
    for thread in threads:
        thread.join()
    print(json.dumps(codes))
    """
    ran = agent(source, start=start, OBS_HANDLE_OS_EXIT="false", PYTHONWARNINGS="ignore")
    assert last(ran) == [0] * 30
