"""Files of JSON lines, and what the page of the Prometheus endpoint shows where the agent has a provider of its own."""

from __future__ import annotations

import asyncio
import json
import math
import os
import stat
import time
from typing import TYPE_CHECKING, Any

import pytest

from obs_run.metrics import MetricsExporter, MetricsRegistry
from tests.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.agents import Run


async def lines_of(path: Path, count: int) -> list[Any]:
    """Return the lines of a file as soon as there are ``count``."""
    return await asyncio.to_thread(wait_for_lines, path, count)


def wait_for_lines(path: Path, count: int) -> list[Any]:
    until = time.monotonic() + 60
    while not path.exists() or path.read_bytes().count(b"\n") < count:
        assert time.monotonic() < until
        time.sleep(0.005)  # a file has no event
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def wait_for_one(said: list[str]) -> None:
    while not said:
        time.sleep(0.005)  # a log has no event


async def test_a_file_of_json_lines(own: MetricsRegistry, tmp_path: Path) -> None:
    own.counter("jobs").increment(2, kind="small")
    own.gauge("state").set("open")
    path = tmp_path / "new" / "metrics.jsonl"
    exporting = asyncio.create_task(MetricsExporter(own).export_to_file(path, interval=0.01))
    lines = await lines_of(path, 3)
    exporting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await exporting
    assert lines[0]["timestamp"] <= lines[-1]["timestamp"]
    assert all(line["metrics"] == own.get_all_metrics() for line in lines)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_file_is_appended_to(own: MetricsRegistry, tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"earlier": true}\n')
    intervals: tuple[Any, ...] = (100, "0.001", -5, math.nan)
    exporting = [
        asyncio.create_task(MetricsExporter(own).export_to_file(str(path), interval=interval)) for interval in intervals
    ]
    lines = await lines_of(path, 50)
    for task in exporting:
        task.cancel()
    await asyncio.gather(*exporting, return_exceptions=True)
    assert lines[0] == {"earlier": True}
    assert all(set(line) == {"timestamp", "metrics"} for line in lines[1:])


async def test_secrets_stay_in_the_process(own: MetricsRegistry, tmp_path: Path) -> None:
    secret = "sk-proj-" + "a1B2c3D4" * 6
    own.counter("jobs").increment(api_key=secret, path=f"/x?key={secret}")
    own.gauge("state").set(f"waiting for {secret}", kind="a")
    path = tmp_path / "metrics.jsonl"
    exporting = asyncio.create_task(MetricsExporter(own).export_to_file(path))
    [line] = await lines_of(path, 1)
    exporting.cancel()
    assert secret not in json.dumps(line)
    assert line["metrics"]["jobs"]["value"] == 1
    assert set(line["metrics"]["jobs"]["series"][0]["tags"]) == {"api_key", "path"}
    assert own.counter("jobs").get_value(api_key=secret) == 1


async def test_a_place_that_cannot_be_written_is_said_once(
    own: MetricsRegistry, tmp_path: Path, said: list[str]
) -> None:
    (tmp_path / "file").write_text("")
    exporting = asyncio.create_task(MetricsExporter(own).export_to_file(tmp_path / "file" / "metrics.jsonl", 0.001))
    await asyncio.to_thread(wait_for_one, said)
    await asyncio.sleep(0.05)  # for it to be tried again, and again
    exporting.cancel()
    [line] = said
    assert "cannot be written" in line
    nowhere: Any = None
    await MetricsExporter(own).export_to_file(nowhere)
    assert len(said) == 2


@pytest.mark.slow
@pytest.mark.parametrize("exporters", ["none", "memory", "prometheus"])
def test_the_page_shows_the_metrics_of_the_agents_own_provider(exporters: str, agent: Run) -> None:
    port = free_port()
    ran = agent(
        f"""
        import urllib.request
        from opentelemetry import metrics
        from opentelemetry.sdk.metrics import MeterProvider
        from obs_run.metrics import MetricsExporter, counter, get_metrics_registry
        metrics.set_meter_provider(MeterProvider(shutdown_on_exit=False))
        exporter = MetricsExporter(get_metrics_registry())
        exporter.start_prometheus_exporter(port={port})
        exporter.start_prometheus_exporter(port={port})
        counter("jobs").increment(3)
        print(urllib.request.urlopen("http://127.0.0.1:{port}/metrics", timeout=60).read().decode())
        """,
        OTEL_METRICS_EXPORTER=exporters,
        OTEL_EXPORTER_PROMETHEUS_PORT=str(free_port()),
    )
    assert (ran.code, ran.err) == (0, "")
    assert [line.rpartition(" ")[2] for line in ran.out.splitlines() if line.startswith("jobs_total")] == ["3.0"]
    assert ran.out.count("# TYPE target_info") <= 1


def test_an_address_that_cannot_be_had_is_one_line(agent: Run) -> None:
    ran = agent(
        """
        from obs_run.metrics import MetricsExporter, get_metrics_registry
        exporter = MetricsExporter(get_metrics_registry())
        for host, port in (("127.0.0.1", -1), ("127.0.0.1", -1), (None, "wild"), (5, 5)):
            print(exporter.start_prometheus_exporter(host, port).address)
        """
    )
    assert (ran.code, ran.out.splitlines()) == (0, ["None"] * 4)
    assert 0 < len(ran.err.splitlines()) <= 3


def test_switched_off_nothing_is_served(agent: Run) -> None:
    ran = agent(
        """
        from obs_run.metrics import MetricsExporter, get_metrics_registry
        print(MetricsExporter(get_metrics_registry()).start_prometheus_exporter(port=1).cancel())
        """,
        OTEL_SDK_DISABLED="true",
    )
    assert (ran.code, ran.out) == (0, "False\n")
    assert ran.err == "start_prometheus_exporter: nothing is served, OTEL_SDK_DISABLED is true\n"
    assert os.environ.get("OTEL_SDK_DISABLED") is None
