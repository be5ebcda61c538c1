"""OTLP over gRPC (extra ``grpc``) into the real Collector."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from tests.e2e.backends.servers import Backends

AGENT = dedent("""\
    import logging
    import sys
    from opentelemetry import metrics, trace

    with trace.get_tracer("agent").start_as_current_span("by gRPC") as span:
        logging.getLogger("agent").warning("a record by gRPC")
        metrics.get_meter("agent").create_counter("grpc_calls").add(3)
    sys.stdout.write(format(span.get_span_context().trace_id, "032x"))
    """)


def test_every_signal_arrives_by_grpc(backends: Backends, tmp_path: Path) -> None:
    programs = Path(sys.executable).parent
    (tmp_path / "grpc_agent.py").write_text(AGENT)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OBS_"))}
    environment |= {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "OTEL_EXPORTER_OTLP_ENDPOINT": backends.collector.otlp_grpc,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
    }
    done = subprocess.run(
        [programs / "obs-run", "python", "grpc_agent.py"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "a record by gRPC\n")
    spans = backends.jaeger.trace(done.stdout, spans=2)
    assert sorted(span.name for span in spans) == ["by gRPC", "grpc_agent"]
    [log] = backends.collector.logs(done.stdout)
    assert log.body == "a record by gRPC"
    [sample] = backends.prometheus.query("grpc_calls_total")
    assert sample.value == 3
