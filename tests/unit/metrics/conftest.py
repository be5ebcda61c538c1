from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from opentelemetry.metrics import _internal
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource

from obs_run.base import guard
from obs_run.metrics import MetricsRegistry, instruments, registry
from tests.unit.metrics.exported import Exported

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def exported(monkeypatch: pytest.MonkeyPatch) -> Exported:
    """The metrics of a meter provider that the test set, as an agent may."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], resource=Resource({}), shutdown_on_exit=False)
    monkeypatch.setattr(_internal, "_METER_PROVIDER", provider)
    monkeypatch.setattr(instruments, "_observed", {})
    return Exported(reader)


@pytest.fixture(autouse=True)
def own(exported: Exported, monkeypatch: pytest.MonkeyPatch) -> MetricsRegistry:  # noqa: ARG001 (it comes first)
    """A registry of the test's own in the place of the process's."""
    made = MetricsRegistry()
    monkeypatch.setattr(registry._shared, "_registry", made)
    return made


@pytest.fixture(autouse=True)
def said(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """What was said on logger ``obs_run``, for which this test is the first."""
    monkeypatch.setattr(guard, "_said", set())
    monkeypatch.setattr(guard, "_failures", set())
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("obs_run")
    logger.addHandler(handler)
    with caplog.at_level(logging.INFO, "obs_run"):
        yield lines
    logger.removeHandler(handler)
