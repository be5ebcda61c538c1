"""The demo: an example agent under obs-run against the stub model, then its trace as a tree.

Without argument it is agent.py, which uses no framework; ``langgraph``, ``openai-agents`` and ``pydantic-ai`` are the
same trip planner with one, each in an environment of its own. ``fleet`` is an agent that answers requests by ZMQ and
tells of its work in log lines alone; ``OBS_BRIDGE`` says what becomes of these.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
FRAMEWORKS = {
    "langgraph": ("langchain>=1", "langchain-openai>=1"),
    "openai-agents": ("openai-agents>=0.20",),
    "pydantic-ai": ("pydantic-ai-slim[openai]>=2.60",),
}
FLEET = "fleet"
NEEDS = {**FRAMEWORKS, FLEET: ("openai>=2", "pyzmq")}
"""What is installed for each of them."""


def command(name: str, folder: Path) -> str:
    """Return the command installed in a folder, or on PATH."""
    found = str(folder / name) if (folder / name).exists() else shutil.which(name)
    if found is None:
        sys.exit(f"demo: {name} is not installed; run `make install` first")
    return found


def environment_of(example: str) -> Path:
    """Return the folder of commands of an environment with obs-run and what an example needs, made if there is none."""
    folder = ROOT / ".cache" / "demo" / example
    ready = folder / "ready"
    if not ready.exists():
        uv = command("uv", ROOT / ".cache" / "uv" / "bin")
        print(f"making an environment for {example} ...", flush=True)
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], check=True)
        wanted = ["--editable", str(ROOT), *NEEDS[example]]
        subprocess.run([uv, "pip", "install", "--quiet", "--python", str(folder), *wanted], check=True)
        ready.touch()
    return folder / "bin"


def run(arguments: list[str], environment: dict[str, str]) -> int:
    """Show a command and run it."""
    print("\n$", " ".join([Path(arguments[0]).name, *arguments[1:]]), flush=True)
    return subprocess.run(arguments, env=environment, check=False).returncode


def serve_requests(commands: Path, environment: dict[str, str], folder: Path) -> int:
    """Run the agent of a fleet, send it the requests of a day, and show all of its traces."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    obsctl = command("obsctl", Path(sys.executable).parent)
    agent, requests = (
        os.path.relpath(HERE / "fleet" / name) for name in ("model_ops_agent.py", "requests_of_a_day.py")
    )
    arguments = [command("obs-run", commands), "python", agent, "--port", port, "--folder", str(folder)]
    print("\n$", "obs-run", *arguments[1:], flush=True)
    with subprocess.Popen(arguments, env=environment) as serving:
        asked = run([command("python", commands), requests, port], environment)
        if asked:
            serving.terminate()
    shown = subprocess.run([obsctl, "list", "--json"], env=environment, capture_output=True, text=True, check=False)
    traces = [json.loads(line)["trace_id"] for line in reversed(shown.stdout.splitlines())]
    for trace in traces:
        run([obsctl, "show", trace], environment)
    return asked or serving.returncode or shown.returncode


def main(example: str | None = None) -> int:
    """Run the agent and show its trace; the first failure is the exit code."""
    if example not in (None, *NEEDS):
        sys.exit(f"demo: no example with {example}; there are {', '.join(NEEDS)}")
    sys.path.insert(0, str(ROOT))
    from examples.stub_llm import StubServer

    commands = Path(sys.executable).parent if example is None else environment_of(example)
    agent = HERE / ("agent.py" if example is None else f"trip_{example.replace('-', '_')}.py")
    obs_run, obsctl = command("obs-run", commands), command("obsctl", Path(sys.executable).parent)
    with tempfile.TemporaryDirectory(prefix="obs-demo-") as folder, StubServer() as stub:
        # The demo shows the local store: an endpoint of the user's shell would take the trace elsewhere.
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OBS_"))}
        environment |= {
            "OBS_STORE_FILE": str(Path(folder) / "traces.db"),
            "OPENAI_BASE_URL": stub.url,
            # The hosts that are known to tell the usage of a stream when asked do not include this one.
            "OBS_STREAM_USAGE_HOSTS": f"127.0.0.1:{stub.port}",
            # Nothing of a demo is for OpenAI.
            "OBS_VENDOR_TELEMETRY": "off",
            "OPENAI_API_KEY": "stub",
            "PATH": os.pathsep.join([str(commands), os.environ.get("PATH", os.defpath)]),
        }
        environment.pop("OPENAI_MODEL", None)
        if example == FLEET:
            environment["OBS_BRIDGE"] = os.environ.get("OBS_BRIDGE", "automatic")
            return serve_requests(commands, environment, Path(folder))
        return run([obs_run, "python", os.path.relpath(agent)], environment) or run([obsctl, "show"], environment)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
