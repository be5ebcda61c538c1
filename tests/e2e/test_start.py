"""docs/start.md, walked as it stands: a fresh clone, a new environment, the real Collector, Jaeger and Prometheus."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from examples.stub_llm import StubServer
from tests.launch import environments
from tests.ports import free_port
from tests.test_documents import ROOT, START

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.backends.servers import Backends

# It serves until it is told to end: its page is opened as a browser does, and then it is.
_OPENED = """obsctl view --port {port} > view.txt &
until test -s view.txt; do sleep 0.2; done
curl --silent --fail --location --cookie jar --cookie-jar jar "$(grep -o 'http://[^ ]*' view.txt)"
kill $!"""
pytestmark = [pytest.mark.environments, pytest.mark.timeout(1200)]
VERSIONS = ("3.10", "3.13")


def walked(folder: Path, python: str, environment: dict[str, str], addresses: dict[str, str]) -> list[str]:
    """Run all commands of the page in one shell, and return what each of them printed."""
    lines = ["set -e"]
    for command in START:
        lines += ["echo '-- next --'", command]
        if command.startswith(". "):
            lines.append("pip install --quiet openai >&2")  # the agent's own
    script = "\n".join(lines)
    for shown, real in {**addresses, "python3 -m venv": f"{python} -m venv"}.items():
        assert shown in script
        script = script.replace(shown, real)
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout.split("-- next --\n")[1:]


@pytest.mark.parametrize("version", VERSIONS)
def test_the_page_leads_to_a_trace_in_each_place(version: str, tmp_path: Path, backends: Backends) -> None:
    python = environments.interpreter(version)
    assert python is not None
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", ROOT.as_uri(), tmp_path / "obs-run"], check=True)
    for name in ("agent.py", "worker.py"):
        shutil.copy(ROOT / "examples" / name, tmp_path)
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OBS_", "PYTHON", "VIRTUAL"))
    }
    service = f"start-{version}"
    with StubServer() as stub:
        environment = clean | {
            "XDG_DATA_HOME": str(tmp_path / "data"),
            "OPENAI_BASE_URL": stub.url,
            "OPENAI_API_KEY": "stub",
            "OTEL_SERVICE_NAME": service,
        }
        addresses = {
            "http://127.0.0.1:4318": backends.collector.otlp_http,
            "http://127.0.0.1:16686": backends.jaeger.url,
            "http://127.0.0.1:9090": backends.prometheus.url,
            "obsctl view": _OPENED.format(port=free_port()),
        }
        printed = dict(zip(START, walked(tmp_path, python, environment, addresses), strict=True))

    shown = printed["obsctl show --content"]
    assert "chat gpt-5-mini" in shown
    assert "system:  You are a brief and friendly trip planner." in shown
    assert "calls weather" in shown
    assert service in printed["obsctl list"]
    assert "<title>obs-run</title>" in printed["obsctl view"]
    assert "ok   openai " in printed["obsctl doctor"]
    assert "chat gpt-5-mini" in {span.name for span in backends.jaeger.find(service)}
    assert backends.prometheus.query(f'sum by (job) (gen_ai_client_token_usage_sum{{job="{service}"}}) > 0')
