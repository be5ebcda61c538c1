"""How many instructions obs-run adds to an empty program and to the import of a framework, beside plain Python.

Each pair runs in one environment, the frameworks' newest releases with a wheel of this checkout, all modules compiled.
Counted by valgrind over all processes of the command, so the shell script ``obs-run`` is in it; what is random in sets
is switched off. Figures repeat to a few thousandths; times on a busy machine do not.

Needs valgrind; Linux only. Run it as ``python -m benchmarks.imports``. ``--beside FOLDER`` adds the empty program's
figures in other checkouts, from the environments that ``make install`` made there.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from benchmarks import startup

NOTHING = "pass"
# What is imported, and the distributions for it.
FRAMEWORKS = {
    "pydantic_ai": ("pydantic-ai-slim[openai]",),
    "agents": ("openai-agents",),
    "langchain.agents, langgraph.graph": ("langchain", "langgraph"),
    "llama_index.core": ("llama-index-core",),
    "crewai": ("crewai",),
}
QUIET = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}


class Pair(NamedTuple):
    """A program in an environment, whose folder of commands is ``binaries``."""

    label: str
    code: str
    binaries: Path

    def row(self, home: Path) -> str:
        """Return the row of the table."""
        try:
            plain = self._count(home, [])
            launched = self._count(home, ["obs-run"])
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            return f"| {self.label} | {error} | | | |"
        added = (launched - plain) / 1e6
        return f"| {self.label} | {plain / 1e6:.1f} | {launched / 1e6:.1f} | {added:+.1f} | {launched / plain:.3f} |"

    def _count(self, home: Path, launcher: list[str]) -> int:
        """Return the instructions of the program; it runs once before, so that all is compiled."""
        environ = startup.environ(self.binaries, home, "", "")
        del environ["OTEL_EXPORTER_OTLP_ENDPOINT"]
        environ.update(QUIET, PYTHONHASHSEED="0", CREWAI_DISABLE_TELEMETRY="true")
        command = [*launcher, "python", "-c", self.code]
        with tempfile.TemporaryDirectory(dir=home) as folder:
            logs = Path(folder)
            valgrind = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--trace-children=yes"]
            valgrind += [f"--cachegrind-out-file={logs}/%p.out", f"--log-file={logs}/%p.log"]
            for counted in ([], valgrind):
                done = subprocess.run(
                    [*counted, *command],
                    env=environ,
                    cwd=home,
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=1800,
                )
                if done.returncode:
                    raise RuntimeError(" ".join(done.stderr.split())[-200:])
            return sum(map(instructions_of, logs.glob("*.log")))


def instructions_of(log: Path) -> int:
    """Return the instructions of a process, none of one that became another program before it began."""
    found = re.search(r"I +refs: +([\d,]+)", log.read_text())
    return int(found[1].replace(",", "")) if found else 0


def pairs(only: list[str], beside: list[str]) -> list[Pair]:
    """Return what is measured, with its environments made."""
    empty, _ = startup.install(startup.OURS)
    found = [Pair("`python -c pass`", NOTHING, empty)]
    checkouts = [Path(folder).resolve() for folder in beside]
    found += [Pair(f"`python -c pass`, {each.name}", NOTHING, each / ".venv" / "bin") for each in checkouts]
    for modules, distributions in FRAMEWORKS.items():
        if only and not any(word in modules for word in only):
            continue
        name = f"{startup.OURS}+{distributions[0]}"
        startup.REQUIREMENTS[name] = distributions
        try:
            binaries, pins = startup.install(name)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            print(f"{modules} cannot be installed: {error}", file=sys.stderr)
            continue
        bare = distributions[0].partition("[")[0]
        version = next((pin.partition("==")[2] for pin in pins.split() if pin.startswith(f"{bare}==")), "")
        found.append(Pair(f"`import {modules}` ({bare} {version})", f"import {modules}", binaries))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2, help="how many are measured at a time (default 2)")
    parser.add_argument("--only", nargs="*", default=[], help="frameworks to measure (default: all)")
    parser.add_argument("--beside", nargs="*", default=[], help="checkouts to measure the empty program in, too")
    options = parser.parse_args()
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not installed")
    print("| million instructions | plain | with obs-run | added | x plain |")
    print("|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.jobs) as pool:
        rows = [pool.submit(pair.row, Path(folder)) for pair in pairs(options.only, options.beside)]
        for row in rows:
            print(row.result(), flush=True)
    print(f"\nPython {sys.version.split()[0]}")


if __name__ == "__main__":
    main()
