"""Which Pythons the launcher is tried with besides the one that runs the tests."""

from __future__ import annotations

from tests.launch.cases import CASES

WITH_US = ("3.10", "3.12", "3.13")
# Each of them has its own way to start processes, to fork and to shut down.
CORE = tuple(
    case
    for case in CASES
    if case.name
    in (
        "python agent.py",
        "sys.exit(3)",
        "unhandled exception",
        "SIGTERM",
        "os._exit(4)",
        "os.execv",
        "subprocess, environment inherited",
        "os.fork, child ends by os._exit",
        "os.fork before the first span",
        "multiprocessing fork",
        "multiprocessing spawn",
        "ProcessPoolExecutor, fork",
    )
)
WITHOUT_US = ("2.7", "3.6", "3.7", "3.8", "3.9", "3.10", "3.12", "3.13")

ROWS = (
    *((f"Python {version} with obs-run in its environment", "traced, forks without a warning") for version in WITH_US),
    *((f"Python {version} without obs-run, also with -S", "untouched, silent") for version in WITHOUT_US),
    ("another environment of the same Python, without obs-run", "untouched, silent; OBS_VERBOSE=true says so"),
)
