"""What a newcomer sees whose destination, or file, is of no use: one line, and the agent's own output."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.examples import crossed, one_in
from tests.launch.running import SCRIPTS, environment, run
from tests.refusing_server import answering

if TYPE_CHECKING:
    from pathlib import Path

PYTHON = str(SCRIPTS / "python")
OBS_RUN = str(SCRIPTS / "obs-run")
ALL_SIGNALS = """\
import logging
from opentelemetry import metrics, trace
with trace.get_tracer("agent").start_as_current_span("work"):
    logging.getLogger("agent").error("hello")
    metrics.get_meter("agent").create_counter("jobs").add(1)
print("done")
"""


REFUSALS = [
    (400, "status 400 no such tenant; look at OTEL_EXPORTER_OTLP_ENDPOINT and _PROTOCOL, or the log of the server"),
    (401, "status 401 no such tenant; look at OTEL_EXPORTER_OTLP_HEADERS: it knows no key, or not this one"),
    (404, "status 404 no such tenant; look at OTEL_EXPORTER_OTLP_ENDPOINT and _PROTOCOL: nothing takes this there"),
    (413, "status 413 no such tenant; look at OBS_BATCH_BYTES: it takes no requests as large"),
    (302, "status 302 to /login; look at OTEL_EXPORTER_OTLP_ENDPOINT: it is somewhere else"),
    (500, "status 500 no such tenant; look at OTEL_EXPORTER_OTLP_ENDPOINT and _PROTOCOL, or the log of the server"),
]


@pytest.mark.parametrize(("status", "says"), one_in(3, REFUSALS))
def test_a_refused_run_is_one_line(status: int, says: str, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(ALL_SIGNALS)
    with answering(status) as endpoint:
        outcome = run([OBS_RUN, PYTHON, "agent.py"], tmp_path, environment(endpoint, tmp_path))
    plain = run([PYTHON, "agent.py"], tmp_path, environment("", tmp_path))
    assert (outcome.code, outcome.out) == (plain.code, plain.out)
    lines = [line for line in outcome.err.splitlines() if line not in plain.err.splitlines()]
    assert lines == [f"obs-run: {endpoint} refused traces, logs and metrics: {says}"]


def test_only_the_signals_that_were_refused_are_named(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(ALL_SIGNALS)
    with answering(404, "/v1/logs") as endpoint:
        outcome = run([OBS_RUN, PYTHON, "agent.py"], tmp_path, environment(endpoint, tmp_path))
    lines = [line for line in outcome.err.splitlines() if line.startswith("obs-run: ")]
    assert len(lines) == 1
    assert lines[0].startswith(f"obs-run: {endpoint} refused logs: status 404 ")


FOREIGN = {
    "text": b"my own notes\n",
    "text without an end": b"my own notes",
    "JSON lines": b'{"entry": 1}\n{"entry": 2}\n',
    "bytes": bytes(range(256)) * 1000,
    "a database": b"SQLite format 3\0 and so on",
}


@pytest.mark.sampled
@pytest.mark.parametrize(("name", "kind"), crossed(["OBS_AUDIT_FILE", "OBS_STORE_FILE"], FOREIGN))
def test_a_file_of_the_user_s_stays_as_it_is(name: str, kind: str, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text("import obs_run\nfor _ in range(3): obs_run.audit('login')\nprint('done')")
    folder = tmp_path / "mine"
    folder.mkdir()
    file = folder / "notes"
    file.write_bytes(FOREIGN[kind])
    file.chmod(0o644)
    outcome = run([OBS_RUN, PYTHON, "agent.py"], tmp_path, environment("", tmp_path, **{name: str(file)}))
    assert (outcome.code, outcome.out) == (0, "done\n")
    assert file.read_bytes() == FOREIGN[kind]
    assert file.stat().st_mode & 0o777 == 0o644
    # Who writes to a trail holds the lock beside it before looking at it.
    assert {each.name for each in folder.iterdir()} - {".notes.lock"} == {"notes"}
    first, *others = outcome.err.splitlines()
    assert str(file) in first
    assert all(line.startswith("obs-run: ") and " were dropped: " in line for line in others)
    assert len(others) == (name == "OBS_STORE_FILE")


def test_a_head_of_the_user_s_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text("import obs_run\nprint(obs_run.audit('login'))")
    head = tmp_path / "trail.head"
    head.write_text("my own head\n")
    env = environment("", tmp_path, OBS_AUDIT_FILE=str(tmp_path / "trail"))
    outcome = run([OBS_RUN, PYTHON, "agent.py"], tmp_path, env)
    assert (outcome.code, outcome.out) == (0, "None\n")
    assert head.read_text() == "my own head\n"
    assert not (tmp_path / "trail").exists()
    (line,) = outcome.err.splitlines()
    assert line.endswith("trail.head is of something else; set OBS_AUDIT_FILE to a file of its own")


@pytest.mark.parametrize(
    "words", one_in(2, [["agent.py"], ["-m", "json.tool", "/dev/null"], ["-c", "print(1)"], ["-"]])
)
def test_a_folder_that_is_gone_changes_nothing(words: list[str], tmp_path: Path) -> None:
    agent = tmp_path / "agent.py"
    agent.write_text(ALL_SIGNALS + "import sys; print(sys.path[0])")
    words = [str(agent) if word == "agent.py" else word for word in words]
    leave = ["sh", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', "sh"]
    env = environment("", tmp_path)
    plain = run([*leave, PYTHON, *words], tmp_path, env, stdin="print(2)")
    launched = run([*leave, f"{OBS_RUN}-python", PYTHON, *words], tmp_path, env, stdin="print(2)")
    assert launched == plain
    by_shell = run([*leave, OBS_RUN, PYTHON, *words], tmp_path, env, stdin="print(2)")
    # What the shell itself says of its folder as it starts nobody can take back.
    of_shell = [line for line in by_shell.err.splitlines(keepends=True) if "getcwd" not in line]
    assert (by_shell.code, by_shell.out, "".join(of_shell)) == plain
