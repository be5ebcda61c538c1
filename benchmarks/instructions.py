"""How many instructions obs-run adds to one chat call, by callgrind: figures that repeat to about one percent.

Content is off. All threads of the process are counted, so the export thread's work is in. What starting and stopping
the count costs falls out, because two lengths of run are subtracted. Needs valgrind; Linux only. Run
it as ``python -m benchmarks.instructions``.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import startup

SHORT, LONG = 20, 120
NO_EXPORTER = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("TRACES", "METRICS", "LOGS")}
CASES = {
    "obs-run, no exporter": NO_EXPORTER,
    "obs-run, no exporter, prices off": {**NO_EXPORTER, "OBS_COST": "false"},
    "obs-run, metrics kept, no exporter of traces": {**NO_EXPORTER, "OTEL_METRICS_EXPORTER": "otlp"},
    "obs-run, OTLP": {},
}


def counted(command: list[str], environment: dict[str, str], times: int) -> int:
    """Return the instructions of one process that makes ``times`` calls, and of switching the count on and off."""
    valgrind = ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--callgrind-out-file=/dev/null"]
    loop = str(Path(__file__).with_name("loop.py"))
    done = subprocess.run(
        [*command, *valgrind, "python", loop, str(times)],
        env=environment, cwd=environment["HOME"], capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    found = re.search(r"Collected : (\d+)", done.stderr)
    assert found is not None, done.stderr
    return int(found[1])


def main() -> None:
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is not installed")
    binaries, _ = startup.install(startup.OURS)
    with tempfile.TemporaryDirectory() as home, startup.receiver() as collector, startup.stub() as model:
        environment = startup.environ(binaries, Path(home), collector, model)
        # The order of sets of texts would differ from run to run.
        environment["PYTHONHASHSEED"] = "0"

        def one_call(command: list[str], settings: dict[str, str]) -> int:
            both = [counted(command, {**environment, **settings}, times) for times in (SHORT, LONG)]
            return (both[1] - both[0]) // (LONG - SHORT) // 1000

        plain = one_call([], {})
        print("| one chat call, thousand instructions | in all | added |\n|---|---|---|")
        print(f"| without | {plain} | |", flush=True)
        for label, settings in CASES.items():
            total = one_call(["obs-run"], settings)
            print(f"| {label} | {total} | {total - plain} |", flush=True)


if __name__ == "__main__":
    main()
