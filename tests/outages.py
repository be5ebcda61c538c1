"""Backends on their bad days, over HTTP and gRPC, and the ways in which an agent ends beside them."""

from __future__ import annotations

import gzip
import os
import socket
import ssl
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import trustme
from google.protobuf.any_pb2 import Any as AnyMessage
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

REQUESTS: dict[str, Any] = {
    "traces": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "logs": ExportLogsServiceRequest,
}
BACKENDS = (
    "up",
    "refused",
    "hanging",
    "slow 0.3 s",
    "slow 3 s",
    "503",
    "429, Retry-After 1",
    "429, Retry-After 86400",
    "429, Retry-After 99999999999",
    "cut",
    "name unknown",
    "wrong certificate",
    "dripping",
)
PROTOCOLS = ("http/protobuf", "grpc")
SPANS = 20
AGENT = f"""
import logging, os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a shell runs this beside itself
from opentelemetry import trace
for number in range({SPANS}):
    trace.get_tracer("agent").start_span(f"span {{number}}").end()
time.sleep(WORK)
"""
ENDS = {
    "ended": ("", 0),
    "sys.exit": ("sys.exit(3)", 3),
    "SIGTERM": ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)", -15),
    "SIGINT": ("os.kill(os.getpid(), signal.SIGINT); time.sleep(60)", -2),
    "os._exit": ("os._exit(4)", 4),
    "exception": ("raise ValueError('of the agent')", 1),
    "kill -9": ("os.kill(os.getpid(), signal.SIGKILL)", -9),
    "segfault": ("import ctypes; ctypes.string_at(0)", -11),
}
DEFAULT_WORK = 4.0
"""Seconds that the agent goes on after its last span: longer than a delivery waits, and than memory keeps."""


class Backend:
    """A backend that misbehaves as its name says until it is ``mend``ed; on the same port all the while."""

    def __init__(self, mood: str, protocol: str) -> None:
        self.mood = mood
        self.protocol = protocol
        self.names: Counter[str] = Counter()
        """How often each span arrived and was taken."""
        self._mended = threading.Event()
        self._closed = threading.Event()
        self._authority = trustme.CA()
        self._sockets: list[socket.socket] = []
        self._grpc: Any = None
        listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = listening.getsockname()[1]
        if mood == "refused":
            listening.close()
        elif protocol == "grpc" and mood not in ("hanging", "cut", "dripping", "wrong certificate"):
            listening.close()
            self._serve_grpc()
        else:
            self._listen(listening)

    @property
    def endpoint(self) -> str:
        """The value for OTEL_EXPORTER_OTLP_ENDPOINT while it misbehaves."""
        if self.mood == "name unknown":
            return f"http://collector.invalid:{self.port}"
        scheme = "https" if self.mood == "wrong certificate" else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    def mend(self) -> str:
        """Be well from now on; return the endpoint."""
        self.mood = "up"
        self._stop()
        if self.protocol == "grpc":
            self._serve_grpc()
        else:
            self._listen(socket.create_server(("127.0.0.1", self.port), backlog=64))
        return self.endpoint

    def close(self) -> None:
        """Free the port."""
        self._closed.set()
        self._stop()

    def _stop(self) -> None:
        for sock in self._sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self._sockets.clear()
        if self._grpc is not None:
            self._grpc.stop(0).wait()
            self._grpc = None

    def take(self, kind: str, body: bytes) -> None:
        """Note the spans of a request."""
        if kind != "traces":
            return
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.names.update(span.name for span in scope.spans)

    # HTTP, and what is below gRPC

    def _listen(self, listening: socket.socket) -> None:
        self._sockets.append(listening)
        threading.Thread(target=self._accept, args=(listening,), daemon=True).start()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            self._sockets.append(connection)
            threading.Thread(target=self._answer_all, args=(connection,), daemon=True).start()

    def _answer_all(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError), connection:
            if self.mood == "wrong certificate":
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self._authority.issue_cert("127.0.0.1").configure_cert(context)
                context.wrap_socket(connection, server_side=True).close()
                return
            if self.protocol == "grpc":
                self._misbehave(connection)
                return
            file = connection.makefile("rb")
            while self._answer(connection, file):
                pass

    def _misbehave(self, connection: socket.socket) -> None:
        if self.mood == "dripping":
            for byte in b"\0\0\0\4\0\0\0\0\0" * 1000:
                connection.sendall(bytes([byte]))
                if self._closed.wait(0.2):
                    return
        elif self.mood == "cut":
            connection.recv(65536)
        else:
            self._closed.wait()

    def _answer(self, connection: socket.socket, file: Any) -> bool:
        line = file.readline()
        if not line:
            return False
        headers = {}
        while header := file.readline().strip():
            name, _, value = header.decode().partition(":")
            headers[name.lower()] = value.strip()
        body = file.read(int(headers["content-length"]))
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        kind = line.split()[1].decode().rpartition("/")[2]
        return self._respond(connection, kind, body)

    def _respond(self, connection: socket.socket, kind: str, body: bytes) -> bool:
        if self.mood == "hanging":
            self._closed.wait()
            return False
        if self.mood == "cut":
            return False
        if self.mood == "dripping":
            for byte in b"HTTP/1.1 200 OK\r\n" + b"X-Header: of many\r\n" * 1000:
                connection.sendall(bytes([byte]))
                if self._closed.wait(0.2):
                    return False
        status, more = "200 OK", ""
        if self.mood.startswith("slow"):
            self._closed.wait(float(self.mood.split()[1]))
        elif self.mood == "503":
            status = "503 Service Unavailable"
        elif self.mood.startswith("429"):
            status, more = "429 Too Many Requests", f"Retry-After: {self.mood.rpartition(' ')[2]}\r\n"
        if status == "200 OK":
            self.take(kind, body)
        connection.sendall(f"HTTP/1.1 {status}\r\n{more}Content-Length: 0\r\n\r\n".encode())
        return True

    # gRPC

    def _serve_grpc(self) -> None:
        grpc: Any = import_module("grpc")
        self._grpc = grpc.server(ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)])
        for kind, request in REQUESTS.items():
            service = kind.removesuffix("s") if kind == "traces" else kind
            name = f"opentelemetry.proto.collector.{service}.v1.{service.capitalize()}Service"
            handler = grpc.unary_unary_rpc_method_handler(self._export_by_grpc(kind), request.FromString)
            self._grpc.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"Export": handler}),))
        self._grpc.add_insecure_port(f"127.0.0.1:{self.port}")
        self._grpc.start()

    def _export_by_grpc(self, kind: str) -> Callable[[Any, Any], bytes]:
        grpc: Any = import_module("grpc")

        def export(request: Any, context: Any) -> bytes:
            if self.mood.startswith("slow"):
                self._closed.wait(float(self.mood.split()[1]))
            elif self.mood == "503":
                context.abort(grpc.StatusCode.UNAVAILABLE, "later")
            elif self.mood.startswith("429"):
                context.set_trailing_metadata((("grpc-status-details-bin", _retry_info(self.mood)),))
                context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "later")
            self.take(kind, request.SerializeToString())
            return b""

        return export


def _retry_info(mood: str) -> bytes:
    info = import_module("google.rpc.error_details_pb2").RetryInfo()
    info.retry_delay.seconds = int(mood.rpartition(" ")[2])
    detail = AnyMessage()
    detail.Pack(info)
    status: Any = import_module("google.rpc.status_pb2").Status(code=8, message="later", details=[detail])
    return bytes(status.SerializeToString())


@contextmanager
def backend(mood: str, protocol: str) -> Iterator[Backend]:
    """Have a backend until the end of the block."""
    made = Backend(mood, protocol)
    try:
        yield made
    finally:
        made.close()


class Ran(NamedTuple):
    """How an agent ended."""

    code: int
    out: str
    err: str
    seconds: float
    """From its last line to its end."""

    def own_lines(self) -> list[str]:
        """Our lines on its stderr."""
        return [line for line in self.err.splitlines() if line.startswith("obs-run: ")]


def environment(folder: Path, endpoint: str, protocol: str) -> dict[str, str]:
    """Return the variables of an agent and of obsctl."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        "NO_PROXY": "*",
    }


def run(
    obs_run: str | None,
    python: str,
    folder: Path,
    end: str,
    endpoint: str,
    protocol: str,
    work: float = DEFAULT_WORK,
    **more: str,
) -> Ran:
    """Run the agent, by ``obs_run`` or without it, and measure how long it takes to end; ``more`` are variables."""
    script = folder / "agent.py"
    source = AGENT.replace("WORK", str(work)) + f"print(time.time(), flush=True)\n{ENDS[end][0]}\n"
    script.write_text(source)
    command = [python, str(script)] if obs_run is None else [obs_run, python, str(script)]
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**environment(folder, endpoint, protocol), **more},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        out, err = process.communicate(timeout=120)
    finally:
        process.kill()
    ended = time.time()
    return Ran(process.returncode, out, err, ended - float(out.splitlines()[0]))


def lost(backend: Backend) -> int:
    """Return how many of the agent's spans have not arrived."""
    return sum(backend.names[f"span {number}"] == 0 for number in range(SPANS))


def doubled(backend: Backend) -> int:
    """Return how many of them arrived more than once."""
    return sum(backend.names[f"span {number}"] > 1 for number in range(SPANS))
