"""What becomes of an agent and its spans beside a backend that is away: the table of docs/delivery.md.

``python -m benchmarks.outages [--work SECONDS] [--relay] [backend ...]`` prints it; without names all of them. With
``--relay`` a relay exports for the agent, and is stopped before the backend is mended.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from tests import outages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


def main() -> None:
    """Print one line for each backend and way to end."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=float, default=outages.DEFAULT_WORK)
    parser.add_argument("--protocol", action="append", choices=outages.PROTOCOLS)
    parser.add_argument("--end", action="append", choices=outages.ENDS)
    parser.add_argument("--relay", action="store_true")
    parser.add_argument("backends", nargs="*", default=outages.BACKENDS)
    arguments = parser.parse_args()
    print("| Backend | Protocol | End | Later by | Exit code | Lines | Lost | Doubled | Said |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for mood in arguments.backends:
        for protocol in arguments.protocol or outages.PROTOCOLS:
            for end in arguments.end or outages.ENDS:
                chosen: AbstractContextManager[dict[str, str]] = relay() if arguments.relay else nullcontext({})
                with chosen as more:
                    print(cell(mood, protocol, end, arguments.work, more), flush=True)


@contextmanager
def relay() -> Iterator[dict[str, str]]:
    """Give the variables with which an agent has a relay of its own."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield {"OBS_RELAY": "on", "OBS_RELAY_FOLDER": folder}


def cell(mood: str, protocol: str, end: str, work: float, more: dict[str, str]) -> str:
    """Return one line of the table; ``more`` are variables of the agent."""
    obs_run = str(Path(sys.executable).with_name("obs-run"))
    with tempfile.TemporaryDirectory() as name, outages.backend(mood, protocol) as backend:
        folder = Path(name)
        endpoint = backend.endpoint
        plain = outages.run(None, sys.executable, folder, end, endpoint, protocol, 0)
        ran = outages.run(obs_run, sys.executable, folder, end, endpoint, protocol, work, **more)
        if more:
            obsctl(folder, endpoint, protocol, "relay", "flush", **more)
            obsctl(folder, endpoint, protocol, "relay", "stop", **more)
        replay(folder, backend, protocol)
        code = "same" if ran.code == plain.code else f"{ran.code} for {plain.code}"
        lines = ran.own_lines()
        said = "kept" if any("in the spool" in line for line in lines) else "dropped" if lines else ""
        columns = [mood, protocol, end, f"{max(0.0, ran.seconds - plain.seconds):.2f} s", code, len(lines)]
        columns += [outages.lost(backend), outages.doubled(backend), said]
        return f"| {' | '.join(map(str, columns))} |"


def replay(folder: Path, backend: outages.Backend, protocol: str) -> None:
    """Mend the backend, and have sent what is in the spool, whatever name it was for."""
    endpoint = backend.mend()
    spool = folder / ".local" / "share" / "obs-run" / "spool"
    names = [each.name for each in spool.iterdir()] if spool.is_dir() else []
    if names:
        obsctl(folder, endpoint, protocol, "spool", "replay", *names)


def obsctl(folder: Path, endpoint: str, protocol: str, *words: str, **more: str) -> None:
    """Run obsctl for the agent's user."""
    environment = {**outages.environment(folder, endpoint, protocol), **more}
    command = [str(Path(sys.executable).with_name("obsctl")), *words]
    subprocess.run(command, env=environment, check=False, capture_output=True)


if __name__ == "__main__":
    main()
