"""What starting an agent costs with obs-run, beside its peers: one table from one interleaved run.

Each product lives in an environment of its own under .cache/benchmarks, resolved to the newest releases, installed in
the ordinary way (ours too: a wheel of this checkout) with every module compiled, because that is what users have after
the first start. The measured processes may write and read .pyc files whatever the caller's environment says. Telemetry
goes to a receiver in this process that answers 200 to everything; the model is examples/stub_llm. Neither is measured.
Figures are medians, with the least in brackets; compare ratios, the machine is rarely quiet. Linux only.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "benchmarks"
OURS, OTEL, LOGFIRE, DDTRACE = "obs-run", "opentelemetry-instrument", "logfire", "ddtrace-run"
REQUIREMENTS = {
    OURS: ("openai",),
    OTEL: (
        "opentelemetry-distro",
        "opentelemetry-exporter-otlp-proto-http",
        "opentelemetry-instrumentation-genai-openai",
        "openai",
    ),
    LOGFIRE: ("logfire", "openai"),
    DDTRACE: ("ddtrace", "openai"),
}
SHOWN = ("opentelemetry-sdk", "opentelemetry-distro", "opentelemetry-instrumentation-genai-openai", "logfire",
         "ddtrace", "openai")  # fmt: skip
CHAT = """\
from openai import OpenAI
import os
client = OpenAI(base_url=os.environ["STUB"] + "/v1", api_key="none")
client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello"}])
"""
WITH_LOGFIRE = """\
import logfire
logfire.configure()
logfire.instrument_openai()
"""
QUICK = 3
"""How often a round repeats the rows that take hundredths of a second."""


class Cost(NamedTuple):
    """One run of one command."""

    cpu: float
    wall: float
    peak: float


@dataclass
class Row:
    """One command to measure; ``environment`` is whose python and commands it finds first."""

    label: str
    environment: str
    command: list[str]
    against: Row | None = None
    must_send: str = ""
    costs: list[Cost] = field(default_factory=list)
    problem: str = ""


class Receiver(BaseHTTPRequestHandler):
    """Answers 200 to every request and notes the paths of those that bring something."""

    protocol_version = "HTTP/1.1"
    received: set[str] = set()  # noqa: RUF012 (one receiver in the process)

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self.received.add(self.path)
        self._answer()

    def do_PUT(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            while size := int(self.rfile.readline().split(b";")[0], 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        else:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
        content = b"{}" if "json" in self.headers.get("Content-Type", "json") or "/v1/" not in self.path else b""
        self.send_response(200)
        self.send_header("Content-Type", self.headers.get("Content-Type", "application/json"))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


class Server(ThreadingHTTPServer):
    """Serves the receiver; an agent that leaves without saying goodbye is no error here."""

    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def receiver() -> Iterator[str]:
    """Serve the receiver; yield its URL."""
    server = Server(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()


@contextlib.contextmanager
def stub() -> Iterator[str]:
    """Serve the model in a process of its own; yield its URL."""
    with subprocess.Popen(
        [sys.executable, str(ROOT / "examples" / "stub_llm")], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip().removesuffix("/v1")
        finally:
            process.terminate()


def uv(*arguments: str, text: str = "") -> str:
    """Run uv and return what it prints; its error is raised in one line."""
    local = ROOT / ".cache" / "uv" / "bin" / "uv"
    command = [shutil.which("uv") or str(local), *arguments]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        raise RuntimeError(" ".join(done.stderr.split())[:200])
    return done.stdout


def install(name: str) -> tuple[Path, str]:
    """Return the folder of commands of an environment, made if it is not there yet, and its pins."""
    is_ours = name.partition("+")[0] == OURS
    sources = (str(ROOT / "pyproject.toml"),) if is_ours else ()
    version = ".".join(map(str, sys.version_info[:2]))
    options = ("--quiet", "--no-annotate", "--no-header", "--python-version", version)
    pins = uv("pip", "compile", *options, *sources, "-", text="\n".join(REQUIREMENTS[name]))
    content = hashlib.sha256((sys.version + pins).encode())
    if is_ours:
        for folder in ("src", "instrumentors"):
            for path in sorted((ROOT / folder).rglob("*")):
                if path.is_file() and path.suffix != ".pyc":
                    content.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
        content.update((ROOT / "pyproject.toml").read_bytes())
    home = CACHE / f"{name}-{content.hexdigest()[:12]}"
    if not (home / "complete").exists():
        uv("venv", "--quiet", "--clear", "--python", sys.executable, str(home))
        into = ("pip", "install", "--quiet", "--compile-bytecode", "--python", str(home))
        uv(*into, "--requirement", "-", text=pins)
        if is_ours:
            uv(*into, "--no-deps", "--refresh-package", "obs-run", str(ROOT))
        (home / "complete").touch()
    return home / "bin", pins


@contextlib.contextmanager
def not_installable(name: str, all_rows: list[Row]) -> Iterator[None]:
    """Have the rows of an environment that cannot be made say so."""
    try:
        yield
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        for row in all_rows:
            if row.environment == name:
                row.problem = f"cannot be installed: {error}"


def rows(folder: Path) -> list[Row]:
    """Return what is measured; ``folder`` gets the programs."""
    chat, empty, logfire_chat = folder / "chat.py", folder / "empty.py", folder / "logfire_chat.py"
    chat.write_text(CHAT)
    logfire_chat.write_text(WITH_LOGFIRE + CHAT)
    empty.touch()
    nothing = ["python", "-c", "pass"]
    plain = Row("`python -c pass`", OURS, nothing)
    call = Row("one chat call with openai", OURS, ["python", str(chat)])
    return [
        plain,
        Row("`obs-run python -c pass`", OURS, ["obs-run", *nothing], plain),
        Row("`opentelemetry-instrument python -c pass`", OTEL, ["opentelemetry-instrument", *nothing], plain),
        Row("`logfire run` of an empty script", LOGFIRE, ["logfire", "run", str(empty)], plain),
        Row("`ddtrace-run python -c pass`", DDTRACE, ["ddtrace-run", *nothing], plain),
        call,
        Row("… with `obs-run`", OURS, ["obs-run", "python", str(chat)], call, "traces"),
        Row("… with `opentelemetry-instrument`", OTEL, ["opentelemetry-instrument", *call.command], call, "traces"),
        Row("… with `logfire.instrument_openai()`", LOGFIRE, ["python", str(logfire_chat)], call, "traces"),
        Row("… with `ddtrace-run`", DDTRACE, ["ddtrace-run", *call.command], call, "traces"),
    ]


def environ(binaries: Path, home: Path, collector: str, model: str) -> dict[str, str]:
    """Return the environment of a measured process: nothing of the caller's."""
    return {
        "PATH": f"{binaries}{os.pathsep}{os.defpath}",
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "STUB": model,
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_SERVICE_NAME": "benchmark",
        "LOGFIRE_SEND_TO_LOGFIRE": "false",
        "LOGFIRE_CONSOLE": "false",
        "DD_TRACE_AGENT_URL": collector,
        "DD_SERVICE": "benchmark",
    }


def measure(row: Row, environment: dict[str, str]) -> Cost | None:
    """Run the row's command once; None, with the reason in the row, if it does not do its work."""
    Receiver.received.clear()
    helper = [sys.executable, "-I", "-S", str(Path(__file__).with_name("measure.py"))]
    # The helper finds the command by its own PATH, which is the measured process's too.
    done = subprocess.run(
        [*helper, *row.command], env=environment, cwd=environment["HOME"], capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    user, system, wall, peak, code = map(float, done.stdout.split())
    if code:
        row.problem = f"exit code {code:.0f}"
    elif row.must_send and not any(row.must_send in path for path in Receiver.received):
        row.problem = f"no {row.must_send} arrived"
    else:
        return Cost(user + system, wall, peak / 1024)
    return None


def run(all_rows: list[Row], rounds: int, home: Path, binaries: dict[str, Path]) -> None:
    """Measure every row ``rounds`` times, one after the other in turn, after one round that is thrown away."""
    with receiver() as collector, stub() as model:
        for turn in range(rounds + 1):
            for row in all_rows:
                if row.environment not in binaries or row.problem:
                    continue
                environment = environ(binaries[row.environment], home, collector, model)
                quick = row.command[-1] == "pass" and row.environment == OURS
                for _ in range(QUICK if quick and turn else 1):
                    cost = measure(row, environment)
                    if cost is not None and turn:
                        row.costs.append(cost)


def table(all_rows: list[Row]) -> str:
    """Return the table; ratio and difference are to the row that does the same without telemetry."""
    lines = [
        "| | CPU s (least) | x plain | + CPU s | wall s (least) | x plain | peak MiB | + MiB |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for row in all_rows:
        if not row.costs:
            lines.append(f"| {row.label} | {row.problem} | | | | | | |")
            continue
        cpu, wall, peak = (statistics.median(values) for values in zip(*row.costs, strict=True))
        least_cpu, least_wall, _ = (min(values) for values in zip(*row.costs, strict=True))
        cells = [row.label, f"{cpu:.3f} ({least_cpu:.3f})", "", "", f"{wall:.3f} ({least_wall:.3f})", "", f"{peak:.1f}",
                 ""]  # fmt: skip
        if row.against is not None and row.against.costs:
            plain = [statistics.median(values) for values in zip(*row.against.costs, strict=True)]
            cells[2], cells[3] = f"{cpu / plain[0]:.2f}", f"{cpu - plain[0]:+.3f}"
            cells[5], cells[7] = f"{wall / plain[1]:.2f}", f"{peak - plain[2]:+.1f}"
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7, help="measured rounds (default 7: about two minutes)")
    options = parser.parse_args()
    binaries: dict[str, Path] = {}
    versions: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        all_rows = rows(Path(folder))
        for name in REQUIREMENTS:
            with not_installable(name, all_rows):
                binaries[name], pins = install(name)
                versions.update(pin for pin in pins.split() if pin.partition("==")[0] in SHOWN)
        run(all_rows, options.runs, Path(folder), binaries)
        print(table(all_rows))
    system = f"Python {sys.version.split()[0]}, {os.cpu_count()} cores, {options.runs} rounds"
    print(f"\n{system}; {', '.join(sorted(versions))}")


if __name__ == "__main__":
    main()
