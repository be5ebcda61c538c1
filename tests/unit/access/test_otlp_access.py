"""What an agent shows to its collector, by HTTP and by gRPC: headers from files and client certificates."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from cryptography.hazmat.primitives import serialization

from tests.examples import crossed, one_in
from tests.ports import nobody
from tests.unit.agents import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Collect = Callable[..., Any]

COLLECTOR = Path(__file__).parent / "grpc_collector.py"
CA, OTHER_CA = trustme.CA(), trustme.CA()
CLIENT, STRANGER = CA.issue_cert("agent@example.org"), OTHER_CA.issue_cert("agent@example.org")
SECRET = "hunter2-and-more"
PROTOCOLS = ("http/protobuf", "grpc")

AGENT = """
    import os, pathlib
    from opentelemetry import trace
    tracer = trace.get_tracer("agent")
    with tracer.start_as_current_span("first"):
        pass
    trace.get_tracer_provider().force_flush()
    for step in os.environ.get("STEPS", "").split("|"):
        exec(step)
        with tracer.start_as_current_span("next"):
            pass
        trace.get_tracer_provider().force_flush()
"""


@dataclass
class Collected:
    """The headers of each request that arrived."""

    url: str
    headers: list[dict[str, str]] = field(default_factory=list)

    def seen(self, name: str) -> list[str | None]:
        return [headers.get(name) for headers in self.headers]


@contextmanager
def by_http(server: ssl.SSLContext | None) -> Iterator[Collected]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            collected.headers.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass  # refused handshakes are what some tests are about

    running = Server(("127.0.0.1", 0), Handler)
    if server is not None:
        running.socket = server.wrap_socket(running.socket, server_side=True)
    collected = Collected(f"{'http' if server is None else 'https'}://127.0.0.1:{running.server_port}")
    thread = threading.Thread(target=running.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield collected
    finally:
        running.shutdown()
        running.server_close()
        thread.join()


@contextmanager
def by_grpc(folder: Path, *, tls: bool) -> Iterator[Collected]:
    files = ["-"] * 3
    if tls:
        server = CA.issue_cert("127.0.0.1")
        blobs = (server.cert_chain_pems[0], server.private_key_pem, CA.cert_pem)
        files = [written(folder / f"server-{number}.pem", blob.bytes()) for number, blob in enumerate(blobs)]
    process = subprocess.Popen(
        [sys.executable, COLLECTOR, *files], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    collected = Collected(f"{'https' if tls else 'http'}://127.0.0.1:{int(process.stdout.readline())}")
    try:
        yield collected
    finally:
        said, _ = process.communicate(timeout=60)
        collected.headers.extend(json.loads(line)["headers"] for line in said.splitlines())


@contextmanager
def collector(protocol: str, folder: Path, *, tls: bool = False) -> Iterator[Collected]:
    if protocol == "grpc":
        with by_grpc(folder, tls=tls) as collected:
            yield collected
        return
    context = None
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        CA.issue_cert("127.0.0.1").configure_cert(context)
        CA.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    with by_http(context) as collected:
        yield collected


def written(path: Path, content: bytes, mode: int = 0o600) -> str:
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


def settings(protocol: str, url: str, **more: Any) -> dict[str, str]:
    return {
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
        "OTEL_EXPORTER_OTLP_ENDPOINT": url,
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        "OTEL_EXPORTER_OTLP_TIMEOUT": "3000",
        "OBS_RUN_SPAN": "false",
        **{name: str(value) for name, value in more.items()},
    }


def start(folder: Path, given: dict[str, str]) -> Any:
    ran = run(folder, AGENT, start=True, **given)
    assert ran.code == 0, ran.err
    return ran


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_headers_of_the_file_go_over_those_of_the_variables_and_follow_the_file(tmp_path: Path, protocol: str) -> None:
    path = tmp_path / "headers"
    written(path, b"# rotated by a sidecar\n\nAuthorization: Bearer token=1\nx-team = agents: all\n")
    steps = [
        f"pathlib.Path({str(path)!r}).write_text('authorization=Bearer token-2')",
        f"os.rename({str(path)!r}, 'elsewhere')",
    ]
    with collector(protocol, tmp_path) as collected:
        ran = start(
            tmp_path,
            settings(
                protocol,
                collected.url,
                OBS_OTLP_HEADERS_FILE=path,
                OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer%20of-the-variable,x-tenant=mine,X-Team=none",
                STEPS="|".join(steps),
            ),
        )
    assert collected.seen("authorization") == ["Bearer token=1", "Bearer token-2", "Bearer token-2"]
    assert collected.seen("x-team") == ["agents: all", "none", "none"]
    assert collected.seen("x-tenant") == ["mine"] * 3
    assert ran.err == (
        f"OBS_OTLP_HEADERS_FILE: {path} cannot be read (No such file or directory); what it said before stays\n"
    )


WRONG_FILES = [
    (None, "cannot be read (No such file or directory)"),
    (f"x-ok=1\n{SECRET}\n".encode(), "line 2 is not key=value or key: value"),
    (f"x-ok=1\n\ntwo words={SECRET}\n".encode(), "line 3 is not key=value or key: value"),
    (f"x-ok={SECRET}\x00\n".encode(), "line 1 has a value that no header can carry (ASCII, no control characters)"),
    (f"x-ok={SECRET}\n# \xff".encode("latin-1"), "line 2 is not UTF-8"),
]


@pytest.mark.sampled
@pytest.mark.parametrize(("protocol", "wrong"), crossed(PROTOCOLS, WRONG_FILES))
def test_a_wrong_file_is_one_line_that_shows_nothing_of_it(
    tmp_path: Path, protocol: str, wrong: tuple[bytes | None, str]
) -> None:
    content, problem = wrong
    path = tmp_path / "headers"
    if content is not None:
        written(path, content)
    with collector(protocol, tmp_path) as collected:
        ran = start(
            tmp_path,
            settings(protocol, collected.url, OBS_OTLP_HEADERS_FILE=path, OTEL_EXPORTER_OTLP_HEADERS="x-ok=variable"),
        )
    assert collected.seen("x-ok") == ["variable", "variable"]
    assert ran.err == f"OBS_OTLP_HEADERS_FILE: {path} {problem}; its headers are not sent\n"


@pytest.mark.parametrize("protocol", one_in(2, PROTOCOLS))
def test_a_user_in_the_url_is_who_asks_and_is_not_shown(tmp_path: Path, protocol: str) -> None:
    with collector(protocol, tmp_path) as collected:
        ran = start(tmp_path, settings(protocol, collected.url.replace("://", f"://me:{SECRET}%40@")))
    assert collected.seen("authorization") == ["Basic bWU6aHVudGVyMi1hbmQtbW9yZUA="] * 2
    assert ran.err == ""
    closed = settings(protocol, f"http://me:{SECRET}@{nobody()}", OTEL_EXPORTER_OTLP_TIMEOUT="300")
    assert SECRET not in start(tmp_path, closed).err


@pytest.mark.parametrize("protocol", one_in(2, PROTOCOLS[::-1]))
def test_wrong_headers_of_the_variable_are_never_shown(tmp_path: Path, protocol: str) -> None:
    with collector(protocol, tmp_path) as collected:
        ran = start(tmp_path, settings(protocol, collected.url, OTEL_EXPORTER_OTLP_HEADERS=f"x-ok=1,{SECRET}"))
    assert len(collected.headers) == 2
    [line] = ran.err.splitlines()
    assert line.startswith("OTEL_EXPORTER_OTLP_HEADERS: its value is not allowed")


def certificates(folder: Path, of: trustme.LeafCert, key: bytes | None = None) -> dict[str, str]:
    return {
        "OTEL_EXPORTER_OTLP_CERTIFICATE": written(folder / "ca.pem", CA.cert_pem.bytes()),
        "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE": written(folder / "client.pem", of.cert_chain_pems[0].bytes()),
        "OTEL_EXPORTER_OTLP_CLIENT_KEY": written(folder / "key.pem", key or of.private_key_pem.bytes()),
    }


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_right_certificate_is_let_in(tmp_path: Path, protocol: str) -> None:
    with collector(protocol, tmp_path, tls=True) as collected:
        ran = start(tmp_path, settings(protocol, collected.url, **certificates(tmp_path, CLIENT)))
    assert len(collected.headers) == 2
    assert ran.err == ""


@pytest.mark.parametrize(("protocol", "of"), crossed(PROTOCOLS, ["nobody", "a stranger"]))
def test_the_wrong_certificate_is_refused_and_the_agent_ends_well(tmp_path: Path, protocol: str, of: str) -> None:
    files = certificates(tmp_path, STRANGER)
    if of == "nobody":
        files = {"OTEL_EXPORTER_OTLP_CERTIFICATE": files["OTEL_EXPORTER_OTLP_CERTIFICATE"]}
    with collector(protocol, tmp_path, tls=True) as collected:
        ran = start(tmp_path, settings(protocol, collected.url, **files, OTEL_EXPORTER_OTLP_TIMEOUT="500"))
    assert collected.headers == []
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("protocol", one_in(2, PROTOCOLS))
def test_a_renewed_certificate_is_shown_from_the_next_connection_on(tmp_path: Path, protocol: str) -> None:
    files = certificates(tmp_path, STRANGER)
    right = tmp_path / "right"
    right.mkdir()
    certificates(right, CLIENT)
    steps = [f"os.rename({str(right / name)!r}, {str(tmp_path / name)!r})" for name in ("client.pem", "key.pem")]
    # A failure makes the HTTP export wait; the flush as the process leaves does not.
    with collector(protocol, tmp_path, tls=True) as collected:
        start(tmp_path, settings(protocol, collected.url, **files, OTEL_EXPORTER_OTLP_TIMEOUT="500",
                                 STEPS=";".join(steps)))  # fmt: skip
    assert len(collected.headers) >= 1


def encrypted(of: trustme.LeafCert) -> bytes:
    key = serialization.load_pem_private_key(of.private_key_pem.bytes(), None)
    how = serialization.BestAvailableEncryption(b"word")
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)


@pytest.mark.parametrize("protocol", one_in(2, PROTOCOLS[::-1]))
def test_a_key_with_a_password_is_one_line(tmp_path: Path, protocol: str) -> None:
    files = certificates(tmp_path, CLIENT, encrypted(CLIENT))
    ran = start(tmp_path, settings(protocol, f"https://{nobody()}", **files))
    [line] = ran.err.splitlines()
    assert line.startswith(f"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: '{tmp_path}/client.pem, {tmp_path}/key.pem' is not")
    assert "allowed: a readable PEM file without a password (" in line


@pytest.mark.parametrize("protocol", one_in(2, PROTOCOLS))
def test_a_key_without_its_certificate_is_one_line(tmp_path: Path, protocol: str) -> None:
    files = certificates(tmp_path, CLIENT)
    del files["OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"]
    ran = start(tmp_path, settings(protocol, f"https://{nobody()}", **files))
    assert ran.err == "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE is not set, but OTEL_EXPORTER_OTLP_CLIENT_KEY is\n"


@pytest.mark.parametrize("protocol", one_in(2, PROTOCOLS[::-1]))
def test_files_that_others_may_read_are_said(tmp_path: Path, protocol: str) -> None:
    files = certificates(tmp_path, CLIENT)
    Path(files["OTEL_EXPORTER_OTLP_CLIENT_KEY"]).chmod(0o644)
    headers = written(tmp_path / "headers", b"x-ok=1", 0o646)
    with collector(protocol, tmp_path, tls=True) as collected:
        ran = start(tmp_path, settings(protocol, collected.url, **files, OBS_OTLP_HEADERS_FILE=headers))
    assert collected.seen("x-ok") == ["1", "1"]
    assert sorted(ran.err.splitlines()) == [
        f"{name} is open to every user of this machine (mode {mode}); chmod 600 would close it"
        for name, mode in (
            (f"OBS_OTLP_HEADERS_FILE: {headers}", "0646"),
            (f"OTEL_EXPORTER_OTLP_CLIENT_KEY: {files['OTEL_EXPORTER_OTLP_CLIENT_KEY']}", "0644"),
        )
    ]
