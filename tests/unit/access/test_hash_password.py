from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING

import pytest

from obs_run import cli
from tests.unit.access.serving import basic, serving

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.slow
def test_the_line_is_what_the_endpoint_checks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    users = tmp_path / "users"
    for user, password in (("prometheus", "a long: word"), ("zoë", "pässword")):
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{password}\r\nmore\n"))
        assert cli.main(["hash-password", user]) == 0
        line = capsys.readouterr().out
        assert line.startswith(f"{user}:$scrypt$ln=15,r=8,p=1$")
        assert password not in line
        with users.open("a") as file:
            file.write(line)
    users.chmod(0o600)
    with serving(tmp_path, OBS_PROMETHEUS_USERS_FILE=users) as agent:
        assert agent.ask(basic("prometheus", "a long: word"))[0] == 200
        assert agent.ask(basic("zoë", "pässword"))[0] == 200
        assert agent.ask(basic("zoë", "a long: word"))[0] == 401
    assert agent.err == ""


@pytest.mark.parametrize(("user", "password"), [("a:b", "word"), ("", "word"), (" a", "word"), ("#a", "x"), ("a", "")])
def test_a_mistake_is_one_line(
    user: str, password: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(password))
    assert cli.main(["hash-password", user]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("obsctl: ")
    assert len(err.splitlines()) == 1
