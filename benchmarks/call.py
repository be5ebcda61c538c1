"""How many instructions each product adds to one call with openai, by callgrind: one table from one run.

All threads of the client's process are counted, so that what export threads do is in. The figures repeat to about one
percent: what starting and stopping the count costs falls out, because two lengths of run are subtracted. Each product
lives in an environment of its own with its newest release, the model (examples/stub_llm) and the receiver run in other
processes or are not counted. "No exporter" is the SDK with a span processor that does nothing, a metric reader in
memory, and nothing sent; for obs-run its own exporters into memory, and beside that a row with all exporters off.
Needs valgrind; Linux only. Run it as ``python -m benchmarks.call``.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

from benchmarks import startup

LENGTHS = {"chat": (5, 25), "stream": (2, 5)}
SIGNALS = ("TRACES", "METRICS", "LOGS")
# What is sent by the clock would come more often on a slow machine; the flush at the end sends it all.
UNHURRIED = dict.fromkeys(
    ("OTEL_BSP_SCHEDULE_DELAY", "OTEL_BLRP_SCHEDULE_DELAY", "OTEL_METRIC_EXPORT_INTERVAL"), "3600000"
)
SDK = ("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http", "openai")
PEERS = {
    "official": ("opentelemetry-instrumentation-genai-openai", *SDK),
    "traceloop": ("opentelemetry-instrumentation-openai", *SDK),
    "openinference": ("openinference-instrumentation-openai", *SDK),
    "logfire": ("logfire", "openai"),
    "openlit": ("openlit", "openai"),
}
CONTENT = {
    "official": ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "NO_CONTENT", "SPAN_ONLY"),
    "traceloop": ("TRACELOOP_TRACE_CONTENT", "false", "true"),
    "openinference": ("OPENINFERENCE_HIDE_INPUTS OPENINFERENCE_HIDE_OUTPUTS", "true", "false"),
    "obs-run": ("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "NO_CONTENT", "SPAN_ONLY"),
}
"""The variables that switch content off and on; OpenLIT has an argument, Logfire always records it."""


class Mode(NamedTuple):
    """Whether content is recorded, and where telemetry goes."""

    title: str
    content: str
    export: str


MODES = (Mode("content off", "off", "none"), Mode("content on", "on", "none"), Mode("on, OTLP", "on", "otlp"))


class Row(NamedTuple):
    """One product as it is shown, the environment it lives in, and where its telemetry goes without OTLP."""

    label: str
    product: str
    nowhere: str = ""
    privacy: str = ""


ROWS = (
    Row("**obs-run**", "obs-run", "memory"),
    Row("obs-run, OBS_PRIVACY=none", "obs-run", "memory", "none"),
    Row("obs-run, all exporters off", "obs-run", "none"),
    Row("official (genai-openai)", "official"),
    Row("OpenLLMetry", "traceloop"),
    Row("OpenInference", "openinference"),
    Row("Logfire", "logfire"),
    Row("OpenLIT", "openlit"),
)


class Bench:
    """The environments, the model and the receiver of one run."""

    def __init__(self, home: Path, collector: str, model: str) -> None:
        self._home, self._collector, self._model = home, collector, model
        self._environments: dict[str, Path] = {}
        self.versions: dict[str, str] = {}
        self.problems: dict[str, str] = {}
        startup.REQUIREMENTS.update(PEERS)
        for name in (startup.OURS, *PEERS):
            try:
                self._environments[name], pins = startup.install(name)
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                self.problems[name] = f"cannot be installed: {error}"
                continue
            wanted = {*startup.REQUIREMENTS[name][:1], "openai", "opentelemetry-sdk"}
            self.versions[name] = ", ".join(pin for pin in pins.split() if pin.partition("==")[0] in wanted)

    def openai(self, product: str) -> str:
        """Return the pin of the openai that lives beside a product."""
        found = re.search(r"openai==[\d.]+", self.versions[product].replace("-openai==", ""))
        return found[0] if found else ""

    @cache  # noqa: B019 (there is one bench)
    def plain(self, product: str) -> list[int]:
        """Return the instructions of one call of each kind in the product's environment, without the product."""
        return self._one_call(product, "plain", MODES[0], {})

    def added(self, row: Row, mode: Mode) -> list[str]:
        """Return what the product adds to one call of each kind, or why that cannot be said."""
        if row.product in self.problems:
            return [self.problems[row.product]] * len(LENGTHS)
        if row.product == "logfire" and mode.content == "off":
            return ["cannot be off"] * len(LENGTHS)
        if row.nowhere == "none" and mode.export == "otlp":
            return [""] * len(LENGTHS)
        settings = {"OTEL_SEMCONV_STABILITY_OPT_IN": "gen_ai_latest_experimental"}
        names, off, on = CONTENT.get(row.product, ("", "", ""))
        settings.update(dict.fromkeys(names.split(), on if mode.content == "on" else off))
        if row.privacy:
            settings["OBS_PRIVACY"] = row.privacy
        if mode.export != "otlp" and row.nowhere:
            settings.update({f"OTEL_{signal}_EXPORTER": row.nowhere for signal in SIGNALS})
        try:
            # The newest openai is the same one beside most of the products.
            same = row.product if self.openai(row.product) != self.openai(startup.OURS) else startup.OURS
            calls = zip(self._one_call(row.product, row.product, mode, settings), self.plain(same), strict=True)
            return [str(total - plain) for total, plain in calls]
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            return [f"fails: {error}"] * len(LENGTHS)

    def _one_call(self, environment: str, product: str, mode: Mode, settings: dict[str, str]) -> list[int]:
        environ = startup.environ(self._environments[environment], self._home, self._collector, self._model)
        if mode.export != "otlp":
            del environ["OTEL_EXPORTER_OTLP_ENDPOINT"]
        # The order of sets of texts would differ from run to run.
        environ.update(settings, PYTHONHASHSEED="0", **UNHURRIED)
        with tempfile.TemporaryDirectory(dir=self._home) as folder:
            file = Path(folder) / "callgrind"
            valgrind = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={file}"]
            loop = str(Path(__file__).with_name("call_loop.py"))
            arguments = (product, mode.content, mode.export, *(f"{short}-{long}" for short, long in LENGTHS.values()))
            done = subprocess.run(
                [*(["obs-run"] if product == startup.OURS else []), *valgrind, "python", loop, *arguments],
                env=environ, cwd=self._home, capture_output=True, text=True, check=False, timeout=900,
            )  # fmt: skip
            if done.returncode:
                raise RuntimeError(" ".join(done.stderr.split())[-200:])
            counts = iter([total_of(Path(f"{file}.{part + 1}")) for part in range(2 * len(LENGTHS))])
        # Each kind of call was counted twice, a few and many.
        pairs = zip(counts, counts, LENGTHS.values(), strict=True)
        return [(many - few) // (long - short) // 1000 for few, many, (short, long) in pairs]


def total_of(dump: Path) -> int:
    """Return the instructions that a dump of callgrind's counts."""
    found = re.search(r"^totals: (\d+)", dump.read_text(), re.MULTILINE)
    assert found is not None, dump
    return int(found[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="how many are measured at a time (default 2)")
    parser.add_argument("--only", nargs="*", default=[], help="products to measure (default: all)")
    options = parser.parse_args()
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not installed")
    rows = [row for row in ROWS if not options.only or row.product in options.only]
    with tempfile.TemporaryDirectory() as home, startup.receiver() as collector, startup.stub() as model:
        bench = Bench(Path(home), collector, model)
        plain = dict(zip(LENGTHS, bench.plain(startup.OURS), strict=True))
        print(f"Without telemetry: {plain} thousand instructions a call.\n")
        titles = [f"{kind}, {mode.title}" for mode in MODES for kind in LENGTHS]
        print("| thousand instructions added to one call |", " | ".join(titles), "|")
        print(f"|---{'|---' * len(titles)}|", flush=True)
        with ThreadPoolExecutor(options.jobs) as pool:
            cells = [[pool.submit(bench.added, row, mode) for mode in MODES] for row in rows]
            for row, line in zip(rows, cells, strict=True):
                print(f"| {row.label} |", " | ".join(cell for each in line for cell in each.result()), "|", flush=True)
    print(f"\nPython {sys.version.split()[0]}; " + "; ".join(bench.versions.values()))


if __name__ == "__main__":
    main()
