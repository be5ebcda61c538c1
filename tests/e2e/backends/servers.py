"""The real Collector, Jaeger and Prometheus on free loopback ports, with the configurations that users run."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.e2e.backends import clients, http, install, waiting
from tests.e2e.backends.install import ROOT
from tests.ports import HOST, free_ports

PATIENCE = 3  # Jaeger takes ten seconds to end once it was asked something, and has nothing to save


@contextmanager
def running(
    name: str, command: list[str | Path], ready: str | Callable[[], bool], folder: Path, **environment: str
) -> Iterator[None]:
    """Run a server until the block ends, whatever ends it; fail with its output when it does not get ready."""
    output = folder / f"{name}.log"
    with output.open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        is_ready = ready if callable(ready) else partial(http.answers, ready)
        waiting.until(lambda: process.poll() is not None or is_ready(), f"{name} ready", 60)
        if process.poll() is not None:
            raise AssertionError(f"{name} ended with {process.returncode}:\n{output.read_text()[-3000:]}")
        yield
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@dataclass(frozen=True)
class JaegerServer:
    """A Jaeger that can be started more than once at the same addresses."""

    program: Path
    folder: Path
    otlp: str
    http: str
    grpc: str
    health: str

    @classmethod
    def at_free_ports(cls, folder: Path) -> "JaegerServer":
        return cls.at(folder, *free_ports(4))

    @classmethod
    def at_usual_ports(cls, folder: Path) -> "JaegerServer":
        return cls.at(folder, 14317, 16686, 16685, 13134)

    @classmethod
    def at(cls, folder: Path, *ports: int) -> "JaegerServer":
        return cls(install.find("jaeger"), folder, *(f"{HOST}:{port}" for port in ports))

    @contextmanager
    def up(self) -> Iterator[clients.Jaeger]:
        environment = {
            "JAEGER_OTLP_GRPC": self.otlp,
            "JAEGER_HTTP": self.http,
            "JAEGER_GRPC": self.grpc,
            "JAEGER_HEALTH": self.health,
        }
        command: list[str | Path] = [self.program, "--config", ROOT / "configs" / "jaeger.yaml"]
        with running("jaeger", command, f"http://{self.health}/status", self.folder, **environment):
            yield clients.Jaeger(f"http://{self.http}")


@dataclass(frozen=True)
class CollectorServer:
    """A Collector that can be started more than once at the same addresses and on the same data."""

    program: Path
    folder: Path
    jaeger_otlp: str
    otlp_grpc: str
    otlp_http: str
    metrics: str
    health: str
    self_port: int

    @classmethod
    def at_free_ports(cls, folder: Path, jaeger_otlp: str) -> "CollectorServer":
        return cls.at(folder, jaeger_otlp, *free_ports(5))

    @classmethod
    def at_usual_ports(cls, folder: Path, jaeger_otlp: str) -> "CollectorServer":
        return cls.at(folder, jaeger_otlp, 4317, 4318, 8889, 13133, 8888)

    @classmethod
    def at(cls, folder: Path, jaeger_otlp: str, *ports: int) -> "CollectorServer":
        grpc, http, metrics, health = (f"{HOST}:{port}" for port in ports[:-1])
        return cls(install.find("collector"), folder, jaeger_otlp, grpc, http, metrics, health, ports[-1])

    @contextmanager
    def up(self) -> Iterator[clients.Collector]:
        environment = {
            "COLLECTOR_OTLP_GRPC": self.otlp_grpc,
            "COLLECTOR_OTLP_HTTP": self.otlp_http,
            "COLLECTOR_JAEGER": self.jaeger_otlp,
            "COLLECTOR_METRICS": self.metrics,
            "COLLECTOR_HEALTH": self.health,
            "COLLECTOR_SELF_PORT": str(self.self_port),
            "COLLECTOR_DATA": str(self.folder / "data"),
        }
        command: list[str | Path] = [self.program, "--config", ROOT / "otel-collector.yaml"]
        with running("collector", command, f"http://{self.health}/", self.folder, **environment):
            yield clients.Collector(
                otlp_http=f"http://{self.otlp_http}",
                otlp_grpc=f"http://{self.otlp_grpc}",
                self_metrics=f"http://{HOST}:{self.self_port}/metrics",
                log_file=self.folder / "data" / "logs.jsonl",
            )


@contextmanager
def prometheus(folder: Path, collector: CollectorServer, port: int) -> Iterator[clients.Prometheus]:
    """Run Prometheus with the repository's file, its two addresses set to the Collector's."""
    config = (ROOT / "configs" / "prometheus.yaml").read_text()
    for ours, theirs in (("127.0.0.1:8889", collector.metrics), ("127.0.0.1:8888", f"{HOST}:{collector.self_port}")):
        assert config.count(ours) == 1
        config = config.replace(ours, theirs)
    (folder / "prometheus.yaml").write_text(config)
    command: list[str | Path] = [
        install.find("prometheus"),
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address={HOST}:{port}",
    ]
    with running("prometheus", command, f"http://{HOST}:{port}/-/ready", folder):
        yield clients.Prometheus(f"http://{HOST}:{port}")


@dataclass(frozen=True)
class Backends:
    collector: clients.Collector
    jaeger: clients.Jaeger
    prometheus: clients.Prometheus


@contextmanager
def backends(folder: Path, *, usual_ports: bool = False) -> Iterator[Backends]:
    """Run all three, wired as docs/backends.md wires them."""
    if usual_ports:
        jaeger = JaegerServer.at_usual_ports(folder)
        collector = CollectorServer.at_usual_ports(folder, jaeger.otlp)
        port = 9090
    else:
        jaeger = JaegerServer.at_free_ports(folder)
        collector = CollectorServer.at_free_ports(folder, jaeger.otlp)
        [port] = free_ports(1)
    with jaeger.up() as traces, collector.up() as gate, prometheus(folder, collector, port) as metrics:
        yield Backends(gate, traces, metrics)
