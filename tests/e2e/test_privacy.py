"""Nothing that is secret leaves: 200 secrets of an agent are looked for in the raw bytes of all that it left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus, urlencode

import pytest

from tests.e2e.backends import install
from tests.e2e.backends.servers import Backends, running
from tests.e2e.planted import Planted, planted
from tests.ports import HOST, free_ports

if TYPE_CHECKING:
    from collections.abc import Iterator

AGENT = Path(__file__).with_name("privacy_agent.py")
SIGNALS = ("TRACES", "METRICS", "LOGS")
ON_THE_COMMAND_LINE, IN_THE_RESOURCE = 4, 6
SPANS, LOGS = 21, 80

# What the product's collector gets, with a copy of each request in a file.
COLLECTOR = """
receivers:
  otlp:
    protocols: {{grpc: {{endpoint: "{grpc}"}}, http: {{endpoint: "{http}"}}}}
exporters:
  file: {{path: "{file}", flush_interval: 100ms}}
  otlp_grpc: {{endpoint: "{next}", tls: {{insecure: true}}}}
extensions:
  health_check: {{endpoint: "{health}"}}
service:
  extensions: [health_check]
  pipelines:
    traces: {{receivers: [otlp], exporters: [file, otlp_grpc]}}
    metrics: {{receivers: [otlp], exporters: [file, otlp_grpc]}}
    logs: {{receivers: [otlp], exporters: [file, otlp_grpc]}}
  telemetry: {{metrics: {{level: none}}}}
"""


@dataclass(frozen=True)
class Gate:
    """A collector that keeps what it received, and hands it on to the product's."""

    http: str
    grpc: str
    file: Path


@pytest.fixture(scope="module")
def gate(backends: Backends, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    folder = tmp_path_factory.mktemp("gate")
    http, grpc, health = (f"{HOST}:{port}" for port in free_ports(3))
    told = {"http": http, "grpc": grpc, "health": health, "file": folder / "received.json"}
    following = backends.collector.otlp_grpc.removeprefix("http://")
    (folder / "gate.yaml").write_text(COLLECTOR.format(**told, next=following))
    command: list[str | Path] = [install.find("collector"), "--config", folder / "gate.yaml"]
    with running("gate", command, f"http://{health}/", folder):
        yield Gate(f"http://{http}", f"http://{grpc}", folder / "received.json")


def _run(folder: Path, secrets: list[Planted], stub: str, remote: str, **environment: str) -> str:
    """Run the agent with its secrets, and return the id of its trace."""
    programs = Path(sys.executable).parent
    texts = [secret.text for secret in secrets]
    (folder / "secrets.json").write_text(json.dumps(texts))
    (folder / "agent.py").write_text(AGENT.read_text())
    key, word, option, pair = texts[:ON_THE_COMMAND_LINE]
    given = texts[ON_THE_COMMAND_LINE : ON_THE_COMMAND_LINE + IN_THE_RESOURCE]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OBS_"))}
    done = subprocess.run(
        [programs / "obs-run", "python", "agent.py", "--api-key", key, word, f"--note={option}", f"note={pair}"],
        cwd=folder,
        env={
            **kept,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(folder),
            "SECRETS": str(folder / "secrets.json"),
            "GIVEN": str(ON_THE_COMMAND_LINE + IN_THE_RESOURCE),
            "STUB": stub,
            "REMOTE": remote,
            "OBS_AUDIT_FILE": str(folder / "audit" / "audit.jsonl"),
            "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_AND_EVENT",
            "OTEL_EXPORTER_PROMETHEUS_PORT": str(free_ports(1)[0]),
            "OTEL_RESOURCE_ATTRIBUTES": ",".join(f"note{at}={quote(text)}" for at, text in enumerate(given)),
            "OBS_RUN_SPAN_ARGV": "true",
            "OBS_STORE_FILE": str(folder / "store" / "store.db"),
            "OBS_FLUSH_SECONDS": "30",
            # Else what an attribute in others' words says a second time would not leave at all.
            "OBS_KEEP_FOREIGN_ATTRIBUTES": "true",
            "OBS_LOG_CONSOLE": "none",
            "OTEL_TRACES_EXPORTER": "otlp,store",
            "OTEL_LOGS_EXPORTER": "otlp,store",
            "OTEL_METRICS_EXPORTER": "otlp,store,prometheus",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, len(done.stdout.split())) == (1, 2), done.stderr
    trace_id, left = done.stdout.split()
    assert int(left) == 0, "the agent used them all"
    return trace_id


def _answer(url: str) -> bytes:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=60) as answer:
        read: bytes = answer.read()
        return read


def _left_behind(folder: Path, trace_id: str, gate: Gate, backends: Backends) -> dict[str, bytes]:
    """Return the raw bytes of everything that left the agent, once it has arrived."""
    spans = backends.jaeger.trace(trace_id, spans=SPANS)
    instance = spans[0].resource["service.instance.id"]
    backends.prometheus.query(f'jobs_total{{instance="{instance!s}"}}')
    backends.collector.logs(trace_id, at_least=LOGS)
    series = urlencode({"match[]": f'{{instance="{instance!s}"}}'})
    return {
        "store": b"".join(path.read_bytes() for path in sorted((folder / "store").iterdir())),
        "collector": gate.file.read_bytes(),
        "collector's logs": backends.collector.log_file.read_bytes(),
        "jaeger": _answer(f"{backends.jaeger.url}/api/v3/traces/{trace_id}"),
        "prometheus": _answer(f"{backends.prometheus.url}/api/v1/series?{series}"),
        "endpoint": (folder / "endpoint.txt").read_bytes(),
        "log files": b"".join(path.read_bytes() for path in sorted((folder / "files").iterdir())),
        "log folder": b"".join(path.read_bytes() for path in sorted((folder / "logs").rglob("*.*"))),
        "audit": b"".join(path.read_bytes() for path in sorted((folder / "audit").iterdir())),
        "headers": (folder / "headers.json").read_bytes(),
        "sent": (folder / "sent.json").read_bytes(),
    }


def _found(secrets: list[Planted], left: dict[str, bytes]) -> dict[str, set[str]]:
    """Return where each secret that is found stands, by its needle."""
    found: dict[str, set[str]] = {}
    for secret in secrets:
        forms = {form(secret.needle).encode() for form in (str, quote, quote_plus, lambda text: json.dumps(text)[1:-1])}
        # How JSON has bytes; they are the whole text there.
        forms.add(b64encode(secret.text.encode()).rstrip(b"="))
        places = {name for name, content in left.items() if any(form in content for form in forms)}
        if places:
            found[f"{secret.kind} {secret.needle}"] = places
    return found


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_no_secret_leaves(protocol: str, gate: Gate, stub: str, backends: Backends, tmp_path: Path) -> None:
    secrets = planted(seed=len(protocol), count=250)
    endpoint = gate.grpc if protocol == "grpc" else gate.http
    where = {"OTEL_EXPORTER_OTLP_PROTOCOL": protocol, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
    trace_id = _run(tmp_path, secrets, stub, gate.http, **where)

    left = _left_behind(tmp_path, trace_id, gate, backends)

    assert _found(secrets, left) == {}
    assert b"user=ada" in left["sent"]


def test_without_privacy_all_of_them_are_found(gate: Gate, stub: str, backends: Backends, tmp_path: Path) -> None:
    secrets = planted(seed=1, count=250)
    where = {"OTEL_EXPORTER_OTLP_ENDPOINT": gate.http, "OBS_PRIVACY": "none"}
    trace_id = _run(tmp_path, secrets, stub, gate.http, **where)

    left = _left_behind(tmp_path, trace_id, gate, backends)
    found = _found(secrets, left)

    assert {secret.needle for secret in secrets} - {key.split(" ")[-1] for key in found} == set()
    for name, least in {"store": 150, "collector": 150, "collector's logs": 40, "jaeger": 60}.items():
        assert sum(name in places for places in found.values()) >= least, name
    for name, least in {"prometheus": 24, "endpoint": 24, "sent": 8, "log files": 22, "audit": 7, "headers": 1}.items():
        assert sum(name in places for places in found.values()) >= least, name
