from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from examples.stub_llm import StubServer
from tests.otlp_receiver import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def shown_in(document: Path) -> list[str]:
    """Return the commands that a document shows."""
    blocks = re.findall(r"^```console\n(.*?)^```", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


START = [*shown_in(ROOT / "docs" / "start.md")]
"""These are run in their order, in an environment of their own."""
RUN_IN_CHECKOUT = ("make demo", "python tools/make_prices.py --out table.txt")
RUN_HERE = (
    "obs-run python agent.py",
    "obsctl show",
    "obsctl list",
    "obsctl list --errors --since 1h",
    "obsctl tree",
    "obsctl path",
    "obsctl path --total --since 1h",
    "obsctl cost --by agent --since 7d",
    "obsctl cost --by subtree",
    "obsctl errors --since 1d",
    "obsctl map",
    "obsctl top --by model",
    "obsctl logs --level warn",
    "obsctl metrics",
    "obsctl metrics gen_ai.client.operation.duration --json",
    'obsctl sql "SELECT model, sum(cost) FROM spans WHERE model IS NOT NULL GROUP BY model"',
    "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 obs-run python agent.py",
    "echo 'a long password' | obsctl hash-password prometheus",
    "OBS_RELAY=on obs-run python agent.py",
    "obsctl relay",
    "obsctl doctor",
    """python -c "import obs_run; obs_run.audit('user.login', actor='alice', outcome='ok', method='oauth')\"""",
    "obsctl audit show",
    "obsctl audit verify",
    "obsctl export -o all.jsonl.gz",
    "obsctl import all.jsonl.gz --store other.db",
    "obsctl show --last --from all.jsonl.gz",
    "obsctl replay --to http://127.0.0.1:4318",
    "obsctl spool status",
    "obsctl spool replay",
)
# What cannot run inside of a test, and which test stands for it.
RUN_ELSEWHERE = {
    "obsctl list --from http://127.0.0.1:16686": "tests/e2e/test_readers.py",
    "obsctl check examples/budgets.yaml": "tests/unit/testing/test_example.py",
    "obsctl check budgets.yaml --from telemetry.jsonl --junit report.xml --markdown report.md": (
        "tests/unit/testing/test_check.py"
    ),
    "obsctl view": "tests/unit/view/test_command.py",
    "pip install 'obs-run[view]'": "tests/unit/view/test_versions.py",
    "make quick": "this run",
    "make test": "this run",
    "make check": ".ci/run",
    "obsctl compare": "tests/unit/analysis/test_commands.py",
    "obsctl compare --since 1d --exit-code": "tests/unit/analysis/test_commands.py",
    "obsctl conversation": "tests/unit/analysis/test_commands.py",
    "pip install .": "tests/launch/test_installation.py",
    "docker compose -f configs/compose.yaml up -d": "tests/configs/test_configs.py",
    "python -m tests.e2e.backends.run": "tests/e2e/test_backends.py",
    "jaeger --config configs/jaeger.yaml": "tests/configs/test_configs.py",
    "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318 obs-run python examples/resilience.py": (
        "tests/e2e/test_resilience.py"
    ),
    "otelcol-contrib --config otel-collector.yaml": "tests/configs/test_configs.py",
    "prometheus --config.file=configs/prometheus.yaml": "tests/configs/test_configs.py",
    **dict.fromkeys(START, "tests/e2e/test_start.py"),
}


def shown_commands() -> set[str]:
    return {command for document in DOCUMENTS for command in shown_in(document)}


@pytest.fixture(scope="module")
def stub() -> Iterator[StubServer]:
    with StubServer() as server:
        yield server


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder, with an agent."""
    folder = tmp_path_factory.mktemp("documents")
    for name in ("agent.py", "worker.py"):
        shutil.copy(ROOT / "examples" / name, folder)
    return folder


def test_every_command_shown_is_run_by_a_test() -> None:
    assert shown_commands() == {*RUN_HERE, *RUN_IN_CHECKOUT, *RUN_ELSEWHERE}


def test_start_takes_three_commands_at_most_for_each_step() -> None:
    steps = (ROOT / "docs" / "start.md").read_text(encoding="utf-8").split("\n## ")[1:]
    counts = {step.splitlines()[0]: step.count("\n$ ") for step in steps}
    assert all(0 < count <= 3 for count in counts.values()), counts


@pytest.fixture
def memory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="obs-run-test-", dir="/dev/shm") as folder:
        yield Path(folder)


@pytest.mark.parametrize("place", sorted({place for place in RUN_ELSEWHERE.values() if "/" in place}))
def test_the_test_that_stands_for_a_command_exists(place: str) -> None:
    assert (ROOT / place).is_file()


@pytest.mark.slow
# One test, so that what one command records the next one can show.
def test_the_commands_do_what_the_documents_say(
    folder: Path, memory: Path, stub: StubServer, receiver: Receiver
) -> None:
    scripts = sysconfig.get_path("scripts")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "OBS_"))}
    environment |= {
        "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
        "XDG_DATA_HOME": str(folder / "data"),
        "OPENAI_BASE_URL": stub.url,
        "OPENAI_API_KEY": "stub",
        "OBS_RELAY_FOLDER": str(memory),
        "OBS_RELAY_SECONDS": "1",
    }
    for command in (*RUN_HERE, *RUN_IN_CHECKOUT):
        here = ROOT if command in RUN_IN_CHECKOUT else folder
        line = command.replace("table.txt", str(folder / "table.txt")).replace(
            "http://127.0.0.1:4318", receiver.endpoint
        )
        ran = subprocess.run(
            line, shell=True, cwd=here, env=environment, capture_output=True, text=True, timeout=100, check=False
        )
        assert ran.returncode == 0, f"{command}\n{ran.stdout}\n{ran.stderr}"
        if command == "obsctl show":
            assert "chat gpt-5-mini" in ran.stdout
    # One of them is the command for a Collector.
    assert receiver.named("chat gpt-5-mini")


def test_the_generated_parts_are_up_to_date() -> None:
    check = [sys.executable, str(ROOT / "tools" / "make_docs.py"), "--check"]
    ran = subprocess.run(check, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


@pytest.mark.parametrize("page", ["architecture.md", "extending.md"])
def test_the_modules_that_a_page_names_are_there(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    paths = re.findall(r"`([\w/]+/[\w/]*|\w+/?[\w/]*\.py)`", text)
    assert paths
    roots = (ROOT / "src" / "obs_run", ROOT)
    missing = [path for path in paths if not any((root / path).exists() for root in roots)]
    assert missing == []
