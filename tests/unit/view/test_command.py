from __future__ import annotations

import gzip
import json
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from obs_run import cli
from obs_run.store.reader import Reader
from obs_run.telemetry.otlp_json import trace_json
from tests.ports import free_port
from tests.unit.view import serving
from tests.unit.view.recording import trace_id

if TYPE_CHECKING:
    from pathlib import Path


def said(capsys: pytest.CaptureFixture[str], *given: str) -> str:
    assert cli.main(["view", *given]) == 2
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.count("\n") == 1
    return output.err


@pytest.mark.parametrize("library", ["starlette", "uvicorn", "jinja2"])
def test_without_the_extra_it_says_what_to_install(
    library: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == library or name.startswith("obs_run.view")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, library, None)
    assert said(capsys) == f"obsctl: view needs {library}: pip install 'obs-run[view]'\n"


def test_mistakes_are_one_line(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    there = ("--store", str(store))
    assert "--port 0 is not a port: 1 to 65535" in said(capsys, "--port", "0", *there)
    assert "invalid int value" in said(capsys, "--port", "x", *there)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", free_port()))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert "cannot be listened on: Address already in use" in said(capsys, "--port", port, *there)
    assert "there is no local store at" in said(capsys, "--store", str(tmp_path / "none.db"))
    assert "none.json" in said(capsys, "--from", str(tmp_path / "none.json"))
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE a (b)")
    connection.close()
    assert "another program's database" in said(capsys, "--store", str(other))
    assert "has no index.html" in said(capsys, "--jaeger-ui", str(tmp_path), *there)
    short = tmp_path / "short"
    short.write_text("abc\n")
    assert "has no token: 16 or more printable characters" in said(capsys, "--token-file", str(short), *there)
    assert "cannot be read: Is a directory" in said(capsys, "--token-file", str(tmp_path), *there)
    assert "cannot be made" in said(capsys, "--token-file", str(tmp_path / "no" / "token"), *there)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)])
def test_it_prints_its_address_and_ends_when_it_is_told_to(
    store: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    token = tmp_path / "token"
    port = free_port()
    command = [sys.executable, "-m", "obs_run.cli", "view", "--port", str(port), "--store", str(store)]
    with subprocess.Popen([*command, "--token-file", str(token)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(rf"http://127\.0\.0\.1:{port}/\?token=(\S+)", line)
        assert found is not None
        assert str(store) in line
        assert token.read_text() == f"{found[1]}\n"
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        answer = serving.Viewer(port).ask("/data/traces", {"Authorization": f"Bearer {found[1]}"})
        assert len(answer.json["traces"]) == 2
        process.send_signal(number)
        assert process.wait(30) == code


def test_another_port_is_taken_where_the_usual_one_is(store: Path) -> None:
    command = [sys.executable, "-m", "obs_run.cli", "view", "--store", str(store)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as one:
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
            lines = [process.stdout.readline() for process in (one, other) if process.stdout is not None]
            ports = {line.partition("/?token=")[0].rpartition(":")[2] for line in lines}
            assert len(ports) == 2
            other.terminate()
        one.terminate()


@pytest.mark.parametrize("is_packed", [False, True])
def test_a_file_of_otlp_json_is_shown_and_read_again_when_it_has_changed(
    store: Path, tmp_path: Path, *, is_packed: bool
) -> None:
    path = tmp_path / ("traces.json.gz" if is_packed else "traces.json")
    with Reader(store) as reader:
        lines = [json.dumps(trace_json(reader.spans(trace_id(n)), reader.logs(trace_id(n)))) for n in (1, 2)]
    opened = gzip.open if is_packed else open
    with opened(path, "wt") as file:
        file.write(lines[0] + "\n")
    with serving.viewer(str(path)) as viewer:
        version = viewer.get("/data/version")
        assert [one["id"] for one in viewer.get("/data/traces")["traces"]] == [trace_id(1)]
        assert len(viewer.get(f"/data/traces/{trace_id(1)}")["spans"]["id"]) == 5
        with opened(path, "at") as file:
            file.write(lines[1] + "\n")
        assert viewer.get("/data/version") != version
        assert [one["id"] for one in viewer.get("/data/traces")["traces"]] == [trace_id(2), trace_id(1)]


def test_what_jaeger_answers_can_be_viewed_through_its_api(store: Path) -> None:
    """A viewer that reads another viewer as a Jaeger."""
    with serving.viewer(store) as one, serving.viewer(f"http://any:{serving.TOKEN}@127.0.0.1:{one.port}") as other:
        found = other.get(f"/data/traces/{trace_id(1)}")
        expected = one.get(f"/data/traces/{trace_id(1)}")
        assert found["spans"] == expected["spans"]
        assert found["logs"] == []


def test_a_viewer_may_be_started_before_the_first_agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.unit.view import recording

    path = tmp_path / "later" / "store.db"
    monkeypatch.setenv("OBS_STORE_FILE", str(path))
    with serving.viewer(None) as viewer:
        answer = viewer.ask("/data/traces", {"Authorization": f"Bearer {serving.TOKEN}"})
        assert answer.status == 503
        assert "run an agent first" in answer.json["error"]
        version = viewer.get("/data/version")
        recording.write(path)
        assert viewer.get("/data/version") != version
        assert len(viewer.get("/data/traces")["traces"]) == 2
