"""The demo: the example agent under obs-run against the stub model, then its trace as a tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent


def command(name: str) -> str:
    """Return the command installed beside this Python, or on PATH."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        sys.exit(f"demo: {name} is not installed; run `make install` first")
    return found


def run(arguments: list[str], environment: dict[str, str]) -> int:
    """Show a command and run it."""
    print("\n$", " ".join([Path(arguments[0]).name, *arguments[1:]]), flush=True)
    return subprocess.run(arguments, env=environment, check=False).returncode


def main() -> int:
    """Run the agent and show its trace; the first failure is the exit code."""
    sys.path.insert(0, str(HERE.parent))
    from examples.stub_llm import StubServer

    obs_run, obsctl = command("obs-run"), command("obsctl")
    with tempfile.TemporaryDirectory(prefix="obs-demo-") as folder, StubServer() as stub:
        # The demo shows the local store: an endpoint of the user's shell would take the trace elsewhere.
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OBS_"))}
        environment |= {
            "OBS_STORE_FILE": str(Path(folder) / "traces.db"),
            "OPENAI_BASE_URL": stub.url,
            # The hosts that are known to tell the usage of a stream when asked do not include this one.
            "OBS_STREAM_USAGE_HOSTS": f"127.0.0.1:{stub.port}",
            "OPENAI_API_KEY": "stub",
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        }
        environment.pop("OPENAI_MODEL", None)
        agent = os.path.relpath(HERE / "agent.py")
        return run([obs_run, "python", agent], environment) or run([obsctl, "show"], environment)


if __name__ == "__main__":
    sys.exit(main())
