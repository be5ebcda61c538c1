"""What one log record, span, counter and scrubbed kilobyte cost, beside OpenTelemetry's SDK, stdlib and structlog.

Each case runs in a process of its own, the rounds interleaved; the tables show medians and the ratio to the first row
of each in the same run. Microseconds of CPU on the calling thread, and of all threads of the process. Nothing is sent
anywhere: the SDK's exporters do nothing, ours are off. Run it as ``python -m benchmarks.api``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

QUIET = {
    **dict.fromkeys(("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"), "none"),
    "OBS_LOG_CONSOLE": "none",
    "OBS_LOG_FOLDER": "none",
    "OBS_PRIVACY": "none",
}
PERSONAL = {"OBS_PRIVACY": "secrets,personal"}


class Row(NamedTuple):
    """A case, how it is shown, and the settings it runs with."""

    title: str
    case: str
    settings: dict[str, str]


TABLES = {
    "a span with three attributes": (
        Row("OpenTelemetry SDK, `start_as_current_span`", "sdk-span", {}),
        Row("`obs_run.tracing`", "our-span", QUIET),
    ),
    "a counter with two labels": (
        Row("OpenTelemetry SDK, `Counter.add`", "sdk-counter", {}),
        Row("`obs_run.metrics`", "our-counter", {**QUIET, "OTEL_METRICS_EXPORTER": "memory"}),
    ),
    "a log record with four fields": (
        Row("OpenTelemetry's handler of `logging`, exported", "sdk-record", {}),
        Row("`logging`, text in a file", "stdlib-record", {}),
        Row("structlog, JSON in a file", "structlog-record", {}),
        Row("`obs_run.logging`, exported", "our-record", QUIET),
        Row("… and JSON in a file", "our-record", {**QUIET, "OBS_LOG_FOLDER": "logs"}),
        Row("… and scrubbed of secrets", "our-record", {**QUIET, "OBS_LOG_FOLDER": "logs", "OBS_PRIVACY": "secrets"}),
        Row("… and of personal data", "our-record", {**QUIET, "OBS_LOG_FOLDER": "logs", **PERSONAL}),
    ),
    "a kilobyte scrubbed": tuple(
        Row(f"{kind}, {preset}", f"scrub-{case}", {"OBS_PRIVACY": presets})
        for preset, presets in (("secrets", "secrets"), ("secrets and personal", "secrets,personal"))
        for kind, case in (("prose", "prose"), ("JSON", "json"), ("log lines", "log"), ("with findings", "found"))
    ),
}


def measured(row: Row) -> tuple[float, float]:
    """Return the microseconds of one call: of the calling thread, of all threads."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OBS_"))}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("api_loop.py")), row.case],
            env={**kept, "HOME": folder, **row.settings},
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
    caller, whole = map(float, done.stdout.split())
    return caller, whole


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    found: dict[str, list[tuple[float, float]]] = {}
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        for row in (row for table in TABLES.values() for row in table):
            found.setdefault(row.title, []).append(measured(row))
    for title, table in TABLES.items():
        print(f"| µs for {title} | calling thread | x | all threads | x |\n|---|---|---|---|---|")
        first = [statistics.median(part) for part in zip(*found[table[0].title], strict=True)]
        for row in table:
            caller, whole = (statistics.median(part) for part in zip(*found[row.title], strict=True))
            print(f"| {row.title} | {caller:.1f} | {caller / first[0]:.2f} | {whole:.1f} | {whole / first[1]:.2f} |")
        print()


if __name__ == "__main__":
    main()
