"""Metrics of all the processes of a service: as one, over OTLP and on one page for Prometheus."""

from __future__ import annotations

import subprocess
import time
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData
from opentelemetry.sdk.resources import Resource
from prometheus_client.parser import text_string_to_metric_families

from obs_run.core.sink import Readings
from obs_run.relay.merged_metrics import labelled, merged
from obs_run.relay.services import ServiceReadings
from obs_run.sdk import metric_records
from tests.ports import free_port
from tests.relay.agents import OBS_RUN, PYTHON, SECONDS, launch, relayed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver

COUNTING = """\
import sys, time
from opentelemetry import metrics
meter = metrics.get_meter("mine")
meter.create_counter("things").add(2, {"kind": "a"})
meter.create_histogram("sizes").record(3)
time.sleep(float(sys.argv[1]))
"""


def collected(count: float, kind: str = "a") -> MetricsData:
    reader = InMemoryMetricReader()
    meter = MeterProvider([reader], Resource({"service.name": "x"})).get_meter("mine")
    meter.create_counter("things", "1", "Things.").add(count, {"kind": kind})
    meter.create_histogram("sizes").record(count)
    meter.create_gauge("level").set(count)
    data = reader.get_metrics_data()
    assert data is not None
    return data


def values(data: MetricsData, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    [of_resource] = data.resource_metrics
    [of_scope] = of_resource.scope_metrics
    [metric] = [each for each in of_scope.metrics if each.name == name]
    found: dict[tuple[tuple[str, str], ...], float] = {}
    for point in metric.data.data_points:
        labels = tuple(sorted((key, str(value)) for key, value in (point.attributes or {}).items()))
        found[labels] = getattr(point, "value", 0) or getattr(point, "sum", 0)
    return found


def test_points_of_equal_labels_are_added_up() -> None:
    data = merged([collected(2), None, collected(3), collected(4, "b")], Resource({"service.name": "all"}))
    assert values(data, "things") == {(("kind", "a"),): 5, (("kind", "b"),): 4}
    assert values(data, "sizes") == {(): 9}
    assert data.resource_metrics[0].resource.attributes["service.name"] == "all"


def test_of_what_is_no_more_there_are_no_gauges() -> None:
    data = merged([collected(2)], Resource({}), has_gauges=False)
    assert [metric.name for metric in data.resource_metrics[0].scope_metrics[0].metrics] == ["things", "sizes"]


def test_labels_tell_services_apart() -> None:
    each = (labelled(collected(number), {"service.name": name}) for number, name in ((2, "a"), (3, "b")))
    data = merged(each, Resource({}))
    assert values(data, "things") == {
        (("kind", "a"), ("service.name", "a")): 2,
        (("kind", "a"), ("service.name", "b")): 3,
    }


def test_metrics_come_back_from_plain_data() -> None:
    data = collected(2)
    again = metric_records.metrics_of(metric_records.record_of(data))
    assert merged([again], Resource({})).to_json() == merged([data], Resource({})).to_json()


@pytest.mark.parametrize("record", [None, (), ("MetricsData", {}), ("os", {}), ("resource", {}), [1], "text"])
def test_other_data_is_no_metrics(record: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        metric_records.metrics_of(record)


def test_readings_go_on_when_a_process_ends() -> None:
    readings = ServiceReadings()
    attributes = {"pool": "x"}
    readings.add("1-a", Readings([("waits", 3, attributes)], [("open", 2, attributes)], [("took", [0.5], {})]))
    readings.add("2-b", Readings([("waits", 4, attributes)], [("open", 1, attributes)], []))
    assert list(readings.read_counts("waits")) == [(7, attributes)]
    assert list(readings.read_observations("open")) == [(3, attributes)]
    assert list(readings.take_durations("took")) == [([0.5], {})]
    assert list(readings.take_durations("took")) == []
    readings.end("1-a")
    readings.add("3-c", Readings([("waits", 1, attributes)], [], []))
    assert list(readings.read_counts("waits")) == [(8, attributes)]
    assert list(readings.read_observations("open")) == [(1, attributes)]


def series(port: int) -> dict[tuple[str, str, str], float]:
    """Return the samples of the page by name, service and kind."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=SECONDS) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        return {
            (sample.name, sample.labels.get("service_name", ""), sample.labels.get("kind", "")): sample.value
            for family in families
            for sample in family.samples
        }


@pytest.mark.slow
def test_one_page_has_the_metrics_of_all_agents(memory: Path, tmp_path: Path, receiver: Receiver) -> None:
    port = free_port()
    more = {"OTEL_METRICS_EXPORTER": "prometheus", "OTEL_EXPORTER_PROMETHEUS_PORT": str(port)}
    for _ in range(2):
        outcome = launch(memory, tmp_path, receiver.endpoint, COUNTING, "0", **more)
        assert (outcome.code, outcome.err) == (0, "")
    launch(memory, tmp_path, receiver.endpoint, COUNTING, "0", OTEL_SERVICE_NAME="other", **more)
    wanted = {("things_total", "agent", "a"): 4, ("things_total", "other", "a"): 2, ("sizes_sum", "agent", ""): 6}
    until = time.monotonic() + SECONDS
    found: dict[tuple[str, str, str], float] = {}
    while not wanted.items() <= found.items() and time.monotonic() < until:
        time.sleep(0.05)
        with suppress(OSError):
            found = series(port)
    assert wanted.items() <= found.items(), found


@pytest.mark.slow
def test_counters_of_a_service_are_those_of_all_its_processes(memory: Path, tmp_path: Path, receiver: Receiver) -> None:
    env = relayed(memory, tmp_path, receiver.endpoint, OTEL_METRIC_EXPORT_INTERVAL="100")
    (tmp_path / "agent.py").write_text(COUNTING)
    running = [subprocess.Popen([OBS_RUN, PYTHON, "agent.py", "1"], cwd=tmp_path, env=env) for _ in range(3)]
    assert [process.wait(SECONDS) for process in running] == [0, 0, 0]
    assert receiver.wait_for(
        lambda got: any(metric.name == "things" and metric.values == [6] for metric in got.metrics)
    ), [metric for metric in receiver.metrics if metric.name == "things"]
