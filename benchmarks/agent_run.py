"""How many instructions each product adds to an agent's run of ten model calls and ten tools: one table from one run.

The frameworks' models are faked, so that nothing but the framework's own instrumentation is at work. It is counted as
in call.py, all threads, with content off and on. Each product lives in an environment of its own with the framework's
newest release; the others have the SDK with a span processor that only counts, obs-run exports into memory. There is no
official instrumentor of CrewAI. Needs valgrind; Linux only. Run it as ``python -m benchmarks.agent_run``.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks import startup
from benchmarks.call import CONTENT, SIGNALS, UNHURRIED, total_of

LENGTHS = (1, 4)
SDK = ("opentelemetry-sdk",)
FRAMEWORKS = {
    "langchain": ("langchain>=1.4",),
    "openai-agents": ("openai-agents>=0.20",),
    "crewai": ("crewai>=1.15",),
}
PRODUCTS: dict[str, dict[str, tuple[str, ...]]] = {
    "obs-run": dict.fromkeys(FRAMEWORKS, ()),
    "openinference": {name: (f"openinference-instrumentation-{name}", *SDK) for name in FRAMEWORKS},
    "official": {
        name: (f"opentelemetry-instrumentation-genai-{name}", *SDK) for name in FRAMEWORKS if name != "crewai"
    },
}
QUIET = {
    "CREWAI_DISABLE_TELEMETRY": "true",
    "CREWAI_DISABLE_TRACKING": "true",
    "CREWAI_TRACING_ENABLED": "false",
    "CREWAI_TESTING": "true",
    "OPENAI_API_KEY": "none",
}


def count(environment: Path, framework: str, product: str, content: str, home: Path) -> int:
    """Return the thousand instructions of one run."""
    environ = startup.environ(environment, home, "", "")
    del environ["OTEL_EXPORTER_OTLP_ENDPOINT"]
    environ.update(QUIET, PYTHONHASHSEED="0", OTEL_SEMCONV_STABILITY_OPT_IN="gen_ai_latest_experimental", **UNHURRIED)
    if product in CONTENT:
        names, off, on = CONTENT[product]
        environ.update(dict.fromkeys(names.split(), on if content == "on" else off))
    if product == startup.OURS:
        environ.update({f"OTEL_{signal}_EXPORTER": "memory" for signal in SIGNALS})
    with tempfile.TemporaryDirectory(dir=home) as folder:
        file = Path(folder) / "callgrind"
        valgrind = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={file}"]
        loop = str(Path(__file__).with_name("agent_run_loop.py"))
        command = [*valgrind, "python", loop, framework, product, *map(str, LENGTHS)]
        if product == startup.OURS:
            command = ["obs-run", *command]
        done = subprocess.run(
            command, env=environ, cwd=folder, capture_output=True, text=True, check=False, timeout=1500
        )
        if done.returncode:
            raise RuntimeError(" ".join(done.stderr.split())[-300:])
        few, many = (total_of(Path(f"{file}.{part + 1}")) for part in range(2))
    return (many - few) // (LENGTHS[1] - LENGTHS[0]) // 1000


def row(environment: Path, framework: str, product: str, home: Path) -> str:
    """Return what a run costs without the product, and what that adds, or why it cannot be said."""
    try:
        plain = count(environment, framework, "plain", "", home)
        added = [count(environment, framework, product, content, home) - plain for content in ("off", "on")]
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        return f"fails: {error} | |"
    return f"{plain} | {added[0]} | {added[1]}"


def environment_of(framework: str, product: str) -> Path:
    """Return the folder of commands of a product's environment."""
    name = f"{product}+{framework}"
    startup.REQUIREMENTS[name] = (*FRAMEWORKS[framework], *PRODUCTS[product][framework])
    return startup.install(name)[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="how many are measured at a time (default 2)")
    parser.add_argument("--only", nargs="*", default=list(FRAMEWORKS), help="frameworks to measure (default: all)")
    options = parser.parse_args()
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not installed")
    print("| framework | product | plain | added, content off | added, content on |\n|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as home, ThreadPoolExecutor(options.jobs) as pool:
        for framework in options.only:
            made = {name: environment_of(framework, name) for name, each in PRODUCTS.items() if framework in each}
            rows = {name: pool.submit(row, place, framework, name, Path(home)) for name, place in made.items()}
            for name, cells in rows.items():
                print(f"| {framework} | {name} | {cells.result()} |", flush=True)


if __name__ == "__main__":
    main()
