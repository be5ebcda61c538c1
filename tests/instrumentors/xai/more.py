"""xAI's client as the launcher meets it: imported under our hooks, its own spans on, off, or the user's choice."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from typing import Any

import pytest

from obs_run.core import content
from tests.instrumentors.run_scenarios import LIBRARY, instrumented
from tests.instrumentors.xai.server import Server

_PROGRAM = """
import sys
from obs_run.process import import_hooks
from obs_run.runtime import process_runtime
from obs_instrumentors import TABLE
from obs_run.core import hooks
from functools import partial
process_runtime.install()
for module, name in TABLE.items():
    if name == "obs_instrumentors.xai":
        import_hooks.when_imported(module, partial(hooks.instrument, name))
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from xai_sdk import Client
from xai_sdk.chat import user
from obs_run.pipeline import memory
from obs_run.runtime.process_runtime import runtime
import time
chat = Client(api_key="none", api_host=sys.argv[1]).chat.create("grok-4", messages=[user("Where to?")])
chat.sample()
for _ in chat.stream():
    assert trace.get_current_span() is trace.INVALID_SPAN
runtime().queue().flush(time.monotonic() + 10)
print([span.name for span in memory.exporter("traces").items])
"""


@pytest.mark.parametrize("theirs", ["0", "1"])
def test_own_spans_are_silent(theirs: str) -> None:
    server = Server()
    environ = os.environ | {"XAI_SDK_DISABLE_TRACING": theirs, "OBS_RUN_SPAN": "false", "GRPC_VERBOSITY": "NONE"}
    environ |= {f"OTEL_{signal}_EXPORTER": "memory" for signal in ("TRACES", "METRICS", "LOGS")}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, server.address],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    server.close()
    assert (done.stdout, done.stderr) == ("['chat grok-4', 'chat grok-4']\n", "")


def test_image(stub: Any, telemetry: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "SPAN_ONLY")
    content.forget()
    driver: Any = LIBRARY.driver("sync", stub)
    with instrumented():
        assert driver.client.image.sample("A tram", "grok-image").url == "https://example.invalid/1.png"
        span = telemetry.span()
    driver.close()
    assert span.name == "image_generation grok-image"
    assert span.attributes["gen_ai.output.type"] == "image"
    assert "A tram" in span.attributes["gen_ai.input.messages"]
    assert "1.png" in span.attributes["gen_ai.output.messages"]


def test_own_spans_come_back() -> None:
    tracer = getattr(import_module("xai_sdk.sync.chat"), "tracer", None)
    before = tracer.start_as_current_span if tracer is not None else None
    with instrumented():
        assert tracer is None or tracer.start_as_current_span is not before
    assert tracer is None or tracer.start_as_current_span == before


def test_where_requests_go(stub: Any, telemetry: Any) -> None:
    with instrumented():
        # A client that is made under our hooks, as all are that an agent makes.
        driver: Any = LIBRARY.driver("sync", stub)
        LIBRARY.scenarios[0].call(driver)
    attributes = telemetry.attributes()
    assert (attributes["server.address"], str(attributes["server.port"])) == tuple(driver.server.address.split(":"))
    driver.close()
