"""structlog and loguru: what is recorded of them, in their oldest sensible and their newest versions."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from tests.instrumentors.environments import python_with
from tests.launch.environments import HERE, ROOT
from tests.unit.agents import MEMORY, PROBE
from tests.unit.logging.other_libraries import LOGURU, STRUCTLOG

if TYPE_CHECKING:
    from pathlib import Path

SHOW = "\nimport telemetry_probe; telemetry_probe.show()\n"
OLDEST = ("structlog==21.2.0", "loguru==0.6.0")


def seen(folder: Path, python: str, source: str, *, start: bool = True) -> dict[str, Any]:
    script = folder / "agent.py"
    script.write_text(("import obs_run.auto\n" if start else "") + dedent(source) + SHOW)
    environment = {"HOME": str(folder), "PYTHONPATH": str(PROBE), **MEMORY}
    done = subprocess.run(
        [python, str(script)], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    *printed, shown = done.stdout.splitlines()
    return {**json.loads(shown), "printed": printed}


@pytest.fixture(params=["newest", pytest.param("oldest", marks=pytest.mark.environments)])
def python(request: pytest.FixtureRequest) -> str:
    if request.param == "newest":
        return HERE.python
    return str(python_with(*OLDEST, "--editable", str(ROOT)))


def test_structlog(tmp_path: Path, python: str) -> None:
    shown = seen(tmp_path, python, STRUCTLOG)
    logs = {log["body"]: log for log in shown["logs"]}
    (span,) = (span for span in shown["spans"] if span["name"] == "work")

    assert Counter(log["body"] for log in shown["logs"] if "rendered" not in log["body"]) == Counter(
        ["printed", "failed", "outside", "by the logging module", "plain"]
    )
    assert sum("rendered" in log["body"] for log in shown["logs"]) == 1
    printed, failed = logs["printed"], logs["failed"]
    told = printed["attributes"]
    assert (printed["severity"], printed["number"], printed["scope"]) == ("WARN", 13, "structlog")
    assert (told["user_id"], told["correlation_id"], told["items"], told["n"]) == ("own", "c1", "[1,2]", 1)
    assert (told["code.function.name"], told["code.file.path"][-8:]) == ("work", "agent.py")
    assert (printed["trace"], printed["span"]) == (span["trace"], span["span"])
    assert (failed["number"], failed["attributes"]["exception.type"]) == (17, "ValueError")
    assert "Traceback" in failed["attributes"]["exception.stacktrace"]
    assert "obs.log.category" not in told
    std = logs["by the logging module"]
    assert (std["scope"], std["attributes"]["n"], std["attributes"]["user_id"]) == ("std", 2, "u2")
    line = json.loads(shown["printed"][0])
    assert (line["event"], line["trace_id"], line["span_id"]) == ("printed", span["trace"], span["span"])
    assert (line["user_id"], line["correlation_id"]) == ("own", "c1")


@pytest.mark.slow
def test_structlog_by_the_logging_module_is_recorded_where_that_is_not_captured(tmp_path: Path, python: str) -> None:
    shown = seen(tmp_path, python, STRUCTLOG, start=False)
    assert Counter(log["body"] for log in shown["logs"]) == Counter(
        ["printed", "failed", "outside", "by the logging module", "rendered", "plain"]
    )


@pytest.mark.slow
def test_loguru(tmp_path: Path, python: str) -> None:
    shown = seen(tmp_path, python, LOGURU)
    logs = {log["body"]: log for log in shown["logs"]}
    (span,) = (span for span in shown["spans"] if span["name"] == "work")

    assert Counter(log["body"] for log in shown["logs"]) == Counter(
        ["bound one", "succeeded", "traced", "failed", "intercepted"]
    )
    bound, told = logs["bound one"], logs["bound one"]["attributes"]
    assert (bound["severity"], bound["number"], bound["scope"]) == ("WARN", 13, "__main__")
    assert (told["user_id"], told["n"], told["code.function.name"]) == ("own", 1, "work")
    assert (bound["trace"], bound["span"]) == (span["trace"], span["span"])
    assert "trace_id" not in told
    assert (logs["succeeded"]["severity"], logs["succeeded"]["number"]) == ("SUCCESS", 9)
    assert (logs["succeeded"]["attributes"]["user_id"], logs["traced"]["number"]) == ("u1", 1)
    assert logs["failed"]["attributes"]["exception.type"] == "ValueError"
    assert logs["intercepted"]["scope"] == "lib"
    assert span["trace"] in shown["printed"][0]
