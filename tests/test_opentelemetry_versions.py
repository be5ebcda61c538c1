"""Both ends of the supported range of OpenTelemetry: the suite runs with the newest, this runs it with the oldest."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.instrumentors.environments import python_with, run_tests
from tests.launch.environments import ROOT

UNIT = Path(__file__).parent / "unit"
FILES = (
    "access/test_endpoint.py",
    "access/test_otlp_access.py",
    "test_lazy_api.py",
    "test_log_capture.py",
    "test_otlp_http.py",
    "test_recorder.py",
    "test_run_context.py",
    "metrics/test_in_agents.py",
    "metrics/test_instruments.py",
)
OLDEST = (
    "opentelemetry-api==1.39.0",
    "opentelemetry-sdk==1.39.0",
    "opentelemetry-exporter-otlp-proto-common==1.39.0",
    "opentelemetry-exporter-otlp-proto-grpc==1.39.0",
    "opentelemetry-exporter-prometheus==0.60b0",
    "opentelemetry-instrumentation==0.60b0",
)
TOOLS = ("hypothesis", "jsonschema", "openai", "pyyaml", "trustme")


@pytest.mark.environments
@pytest.mark.timeout(1800)  # the environment may have to be made first
def test_the_oldest_opentelemetry_does() -> None:
    python = python_with(*OLDEST, *TOOLS, "--editable", str(ROOT))
    said = run_tests(python, *(UNIT / name for name in FILES))
    assert "failed" not in said
