from __future__ import annotations

import fcntl
import os
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from textwrap import dedent

import pytest
import yaml

from obs_run import cli
from obs_run.bridge import log_lines, rule_sources

TEXT = """
    2026-01-01 12:00:00,100 - goals - INFO - Executing task T1: dig the hole
    2026-01-01 12:00:00,200 - goals - INFO - Loading STT model 'whisper'...
    2026-01-01 12:00:00,900 - goals - INFO - Loaded model 'whisper' in 0.70 seconds.
    2026-01-01 12:00:01,100 - goals - INFO - Task T1 completed successfully.
    2026-01-01 12:00:02,100 - goals - INFO - Executing task T2: fill the hole
    2026-01-01 12:00:02,200 - goals - INFO - Loading STT model 'tiny'...
    2026-01-01 12:00:02,900 - goals - ERROR - Failed to load STT model 'tiny': no such file
    Traceback (most recent call last):
      File "agent.py", line 7, in load
    2026-01-01 12:00:03,100 - goals - ERROR - Task T2 failed: no model
    2026-01-01 12:00:04,100 - goals - INFO - Task T9 completed successfully.
    2026-01-01 12:00:05,000 - goals - INFO - Processing queue
"""
RULES = r"""
rules:
  task:
    match: {logger: goals, pattern: 'Executing task (?P<task_id>\w+)'}
    become: start
    name: task {task_id}
    key: task_id
  task-end:
    match: {pattern: 'Task (?P<task_id>\w+) completed'}
    become: end
    of: task
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "agent.log"
    file.write_text(dedent(TEXT).lstrip(), encoding="utf-8")
    return file


def printed(capsys: pytest.CaptureFixture[str], *words: str) -> list[str]:
    cli.main(["bridge", *words])
    return capsys.readouterr().out.splitlines()


def test_the_tree_what_has_no_other_half_and_proposals(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "test", str(file))
    assert lines[:10] == [
        f"{file}: 10 lines, 0 by rules",
        "  Executing task  1 s  (line 1 to 4)",
        "    Loading STT model  0.7 s  (line 2 to 3)",
        "  Executing task  1 s  failed  (line 5 to 10)",
        "    Loading STT model  0.7 s  failed  (line 6 to 7)",
        "beginnings without an end: 1",
        "  line 12 (automatic): Processing queue",
        "ends without a beginning: 1",
        "  line 11 (automatic): Task T9 completed successfully.",
        "",
    ]
    assert "  executing-task:" in lines


def test_rules_are_tried(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "own.yaml").write_text(RULES)
    lines = printed(capsys, "test", "--rules", str(tmp_path / "own.yaml"), "--rules-only", str(file))
    assert lines == [
        f"{file}: 10 lines, 4 by rules",
        "  task T1  1 s  (line 1 to 4, task)",
        "  task T2  no end  (line 5, task)",
        "    * task-end  (line 11, task-end)",
        "beginnings without an end: 1",
        "  line 5 (task): Executing task T2: fill the hole",
        "ends without a beginning: 1",
        "  line 11 (task-end): Task T9 completed successfully.",
        "",
    ]


def test_what_is_learnt_can_be_used(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "learnt.yaml"
    [line] = printed(capsys, "learn", str(file), str(file), "-o", str(output))
    assert line.startswith(f"{output}: 2 proposals")
    learnt = yaml.safe_load(output.read_text())["rules"]
    assert {name: rule["become"] for name, rule in learnt.items()} == {
        "executing-task": "start",
        "executing-task-end": "end",
        "executing-task-failed": "failure",
        "loading-stt-model": "start",
        "loading-stt-model-end": "end",
        "loading-stt-model-failed": "failure",
    }
    assert learnt["executing-task"]["key"] == ["task_id"]
    assert not rule_sources.load((str(output),)).problems
    lines = printed(capsys, "test", "--rules", str(output), "--rules-only", str(file))
    assert lines[1:5] == [
        "  executing-task  1 s  (line 1 to 4, executing-task)",
        "    loading-stt-model  0.7 s  (line 2 to 3, loading-stt-model)",
        "  executing-task  1 s  failed  (line 5 to 10, executing-task)",
        "    loading-stt-model  0.7 s  failed  (line 6 to 7, loading-stt-model)",
    ]


FORMATS = {
    "basicConfig": "INFO:goals.io:Executing task 7",
    "with a time": "2026-01-01 12:00:00,123 - goals.io - INFO - Executing task 7",
    "level first": "2026-01-01 12:00:00,123 INFO goals.io: Executing task 7",
    "brackets": "[2026-01-01 12:00:00] [INFO] [goals.io] Executing task 7",
    "bars": "2026-01-01T12:00:00.123Z | INFO | goals.io | Executing task 7",
    "loguru": "2026-01-01 12:00:00.123 | INFO     | goals.io:run:12 - Executing task 7",
    "JSON": '{"ts": "2026-01-01T12:00:00Z", "level": "INFO", "name": "goals.io", "message": "Executing task 7"}',
    "structlog": '{"timestamp": 1767268800.5, "level": "info", "logger": "goals.io", "event": "Executing task 7"}',
}


@pytest.mark.parametrize("kind", FORMATS)
def test_usual_formats_are_read(kind: str) -> None:
    [line] = log_lines.read_lines([FORMATS[kind] + "\n"])
    assert (line.level, line.logger, line.text) == (20, "goals.io", "Executing task 7")
    assert (line.seconds is None) == (kind == "basicConfig")


def test_what_has_no_format_is_a_message() -> None:
    lines = list(log_lines.read_lines(["Task: done in 3s", "", "{broken", "[Executor] ready", "INFO: hello there"]))
    assert [line.text for line in lines] == ["Task: done in 3s", "{broken", "[Executor] ready", "hello there"]


def test_a_traceback_is_no_message() -> None:
    text = """
    Starting
    Traceback (most recent call last):
      File "agent.py", line 3, in load
        raise ValueError("x")
    ValueError: x
    Stopped
    """
    assert [line.text for line in log_lines.read_lines(dedent(text).splitlines())] == ["Starting", "Stopped"]


def test_a_missing_file_is_the_users_mistake(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.main(["bridge", "test", str(tmp_path / "none.log")]) == 2
    assert capsys.readouterr().err == f"obsctl: {tmp_path / 'none.log'}: No such file or directory\n"


def test_wrong_rules_are_said(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "own.yaml").write_text("rules: {a: {become: x}}")
    assert cli.main(["bridge", "test", "--rules", str(tmp_path / "own.yaml"), str(file)]) == 1
    assert "own.yaml:1: rules.a.match must be a mapping" in capsys.readouterr().err


AGENT = """
import sys, time
for number in (1, 2):
    print(f"2026-01-01 12:00:0{number} INFO queue: Processing item {number}", flush=True)
    print(f"2026-01-01 12:00:0{number + 1} INFO queue: Processed item {number}", flush=True)
sys.stdout.buffer.write(b"2026-01-01 12:00:08 INFO queue: noise \\xff\\n")
print("2026-01-01 12:00:09 INFO queue: Uploading report", flush=True)
print("2026-01-01 12:00:09 INFO queue: ready", flush=True)
time.sleep(600)
"""


def test_a_running_agents_output_is_read_until_it_is_interrupted(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "obs_run.cli", "bridge", "test", "-"]
    reading, writing = os.pipe()
    with (
        subprocess.Popen([sys.executable, "-c", AGENT], stdout=subprocess.PIPE) as agent,
        subprocess.Popen(command, stdin=reading, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path) as test,
    ):
        assert agent.stdout is not None
        try:
            for line in agent.stdout:
                os.write(writing, line)
                if line.endswith(b"ready\n"):
                    break
            while not (_is_read(reading) and _is_waiting(test.pid)):
                time.sleep(0.05)
            test.send_signal(signal.SIGINT)
            out, err = test.communicate(timeout=60)
        finally:
            agent.kill()
            test.kill()
            os.close(reading)
            os.close(writing)
    assert (test.returncode, err.strip()) == (0, b"")
    lines = out.decode().splitlines()
    assert lines[0] == "-: 7 lines, 0 by rules"
    assert "  Processing item  1 s  (line 1 to 2)" in lines
    assert "beginnings without an end: 1" in lines
    assert "  line 6 (automatic): Uploading report" in lines
    assert "  processing-item:" in lines


def _is_read(pipe: int) -> bool:
    """Whether nothing waits in a pipe."""
    (count,) = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"0000"))
    return bool(count == 0)


def _is_waiting(pid: int) -> bool:
    """Whether a process sleeps."""
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] == "S"
