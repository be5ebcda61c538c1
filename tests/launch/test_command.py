from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.launch.running import SCRIPTS, environment, run

BOTH = pytest.mark.parametrize("command", ["obs-run", "obs-run-python"])


@BOTH
@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (["no-such-program"], 127, "obs-run: no-such-program: not found\n"),
        (["./no-such-program"], 127, "obs-run: ./no-such-program: not found\n"),
        (["./file"], 126, "obs-run: ./file: not executable; for a Python program: obs-run python ./file\n"),
        (["--nonsense", "x"], 2, "obs-run: unknown option --nonsense; obs-run --help\n"),
        (["--endpoint"], 2, "obs-run: --endpoint needs a value\n"),
        ([], 2, "obs-run: no program given; obs-run --help\n"),
    ],
)
def test_mistakes_are_one_line(command: str, words: list[str], code: int, line: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    outcome = run([str(SCRIPTS / command), *words], tmp_path, environment("", tmp_path))
    assert outcome == (code, "", line)


@BOTH
def test_options_set_variables(command: str, tmp_path: Path) -> None:
    env = environment("http://other", tmp_path, OTEL_SERVICE_NAME="other")
    words = ["--service-name=mine", "--endpoint", "http://x", "--content", "--verbose", "env"]
    outcome = run([str(SCRIPTS / command), *words], tmp_path, env)
    found = dict(line.split("=", 1) for line in outcome.out.splitlines())
    assert found["OTEL_SERVICE_NAME"] == "mine"
    assert found["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://x"
    assert found["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] == "SPAN_ONLY"
    assert found["OBS_VERBOSE"] == "true"


@BOTH
def test_environment_is_the_users_and_two_variables(command: str, tmp_path: Path) -> None:
    # Names that no shell could write are dropped by some shells; `long` and `self` could clash with the script's own.
    odd = {"my.key": "a b\nc", "BASH_FUNC_x%%": "() { :\n}", "long": "1", "self": "2", "PWD": str(tmp_path), "_": "x"}
    env = environment("http://x", tmp_path, PYTHONPATH="theirs", **odd)
    words = [str(SCRIPTS / command), "env", "-0"]
    found = dict(line.split("=", 1) for line in run(words, tmp_path, env).out.split("\0") if line)
    bootstrap = found.pop("OBS_RUN")
    assert Path(bootstrap).is_absolute()
    assert Path(bootstrap, "sitecustomize.py").is_file()
    assert found.pop("PYTHONPATH") == f"{bootstrap}:theirs"
    del env["PYTHONPATH"]
    assert found == env


@BOTH
def test_a_variable_may_be_as_long_as_the_system_takes(command: str, tmp_path: Path) -> None:
    long = {"my.key": "x" * 131_000, "BASH_FUNC_x%%": "y" * 131_000, "PLAIN": "z" * 131_000}
    code = "import os; print([len(os.environ[name]) for name in ('my.key', 'BASH_FUNC_x%%', 'PLAIN')])"
    words = [str(SCRIPTS / command), "python", "-c", code]
    assert run(words, tmp_path, environment("http://x", tmp_path, **long)) == (0, "[131000, 131000, 131000]\n", "")


@BOTH
@pytest.mark.parametrize("options", [["--"], ["--content", "--"]])
def test_options_may_be_ended(command: str, options: list[str], tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("import sys; print(sys.argv)")
    for program in (["python", "x.py", "--", "-a"], ["x.py", "--", "-a"]):
        words = [str(SCRIPTS / command), *options, *program]
        assert run(words, tmp_path, environment("http://x", tmp_path)) == (0, "['x.py', '--', '-a']\n", "")


def test_same_process(tmp_path: Path) -> None:
    words = [str(SCRIPTS / "obs-run"), "sh", "-c", "echo $$"]
    with subprocess.Popen(words, env=environment("", tmp_path), stdout=subprocess.PIPE, text=True) as process:
        assert process.communicate()[0] == f"{process.pid}\n"


def test_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(SCRIPTS / "obs-run")
    outcome = run([str(tmp_path / "link"), "--version"], tmp_path, environment("", tmp_path))
    assert outcome.out.startswith("obs-run ")
