"""Runs a small agent in a process of its own, with obs-run started by ``import obs_run.auto``."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    Run = Callable[..., "Ran"]

PROBE = Path(__file__).parent / "probe"
_SECONDS = 60
MEMORY = {f"OTEL_{signal}_EXPORTER": "memory" for signal in ("TRACES", "METRICS", "LOGS")}


class Ran(NamedTuple):
    """How a process ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def seen(self) -> dict[str, Any]:
        """What ``telemetry_probe.show`` printed."""
        assert self.code == 0, self.err
        seen: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return seen

    def spans(self) -> dict[str, dict[str, Any]]:
        """The spans by name."""
        return {span["name"]: span for span in self.seen["spans"]}

    def logs(self) -> dict[Any, dict[str, Any]]:
        """The log records by body."""
        return {log["body"]: log for log in self.seen["logs"]}


def run(folder: Path, source: str, *, start: bool = True, **environment: str) -> Ran:
    """Run ``source`` as agent.py; without exporters in ``environment`` telemetry stays in memory."""
    script = _written(folder, source, start=start)
    env = _environment(folder, environment)
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


class ForkingServer:
    """Runs agents as ``run`` does, each in a fork of one process that has imported openai: a tenth of the time."""

    def __enter__(self) -> Self:
        self._server = subprocess.Popen(
            [sys.executable, "-c", "import forking_server; forking_server.serve()"],
            env=_environment(Path.home(), {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._server.communicate()

    def run(self, folder: Path, source: str, *, start: bool = True, **environment: str) -> Ran:
        """Run ``source`` as agent.py; without exporters in ``environment`` telemetry stays in memory."""
        script = _written(folder, source, start=start)
        out, err = folder / "agent.out", folder / "agent.err"
        for file in (out, err):
            file.write_bytes(b"")
        asked = {"script": str(script), "env": _environment(folder, environment), "out": str(out), "err": str(err)}
        code = self._answer(json.dumps(asked).encode())
        return Ran(code, out.read_text(), err.read_text())

    def _answer(self, asked: bytes) -> int:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(asked + b"\n")
        self._server.stdin.flush()
        if not select.select([self._server.stdout], [], [], _SECONDS)[0]:
            os.killpg(self._server.pid, signal.SIGKILL)
            self.__exit__()
            self.__enter__()
            raise TimeoutError("an agent did not end")
        return int(self._server.stdout.readline())


def _written(folder: Path, source: str, *, start: bool) -> Path:
    script = folder / "agent.py"
    script.write_text(("import obs_run.auto\n" if start else "\n") + dedent(source))
    return script


def _environment(folder: Path, given: dict[str, str]) -> dict[str, str]:
    kept = {
        name: os.environ[name] for name in ("PATH", "LANG", "TMPDIR", "PYTHONDONTWRITEBYTECODE") if name in os.environ
    }
    exports = any(name.startswith("OTEL_EXPORTER_OTLP") or name.endswith("_EXPORTER") for name in given)
    return {
        **kept,
        "HOME": str(folder),
        "PYTHONPATH": str(PROBE),
        "PYTHONWARNINGS": "default",
        "OTEL_BSP_SCHEDULE_DELAY": "20",
        # On a busy machine what is meant to arrive has the time to; who means the usual bound says so.
        "OBS_FLUSH_SECONDS": "30",
        **({} if exports else MEMORY),
        **given,
    }
