"""``obsctl doctor`` says what is taken out of telemetry, and what is wrong with the choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obs_run import cli

if TYPE_CHECKING:
    from pathlib import Path

TITLE = "# What is taken out of it"


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))


def said(capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str]]:
    code = cli.main(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    after = lines[lines.index(TITLE) + 1 :]
    return code, after[: next(at for at, line in enumerate(after) if line.startswith("#"))]


def test_what_is_chosen(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code, (secrets, personal) = said(capsys)
    assert (code, personal) == (0, "-    personal data: left in (OBS_PRIVACY)")
    assert secrets.startswith("ok   secrets: ")
    rules = tmp_path / "rules.yaml"
    rules.write_text("actions: {email: hash}\nrules: {badge: {patterns: ['B-[0-9]{4}'], action: drop}}\n")
    monkeypatch.setenv("OBS_PRIVACY_RULES", str(rules))
    monkeypatch.setenv("OBS_PRIVACY", "none,email,phone,badge")
    assert said(capsys) == (
        0,
        [
            "-    secrets: left in (OBS_PRIVACY)",
            "ok   personal data: 2 kinds of 66 taken out: hash 1, mask 1",
            "ok   own kinds: badge (drop)",
        ],
    )


def test_what_is_wrong(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_PRIVACY", "secrets,fon")
    code, (line,) = said(capsys)
    assert code == 1
    assert line.startswith("FAIL OBS_PRIVACY: 'fon' is not allowed; allowed: none, secrets, ")
    assert line.endswith("until that is right, all built-in kinds are masked")
