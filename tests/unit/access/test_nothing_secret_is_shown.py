"""A secret is planted in every setting; neither obsctl nor an agent ever prints it."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from obs_run import cli, settings
from obs_run.base import guard
from obs_run.privacy import forget
from tests.examples import one_in
from tests.ports import nobody

TOKEN = "sk-" + "proj-Zq8vT3xL0aBcD1eF2gH3"
WORD = "hunter2X9"
FORMS = {
    "a key in the wrong place": TOKEN,
    "a URL": f"http://me:{WORD}@{nobody()}/base?api_key={WORD}&x=1",
    "a URL that is none": f"htp//x://me:{WORD}@host",
    "pairs": f"team=a,authorization=Bearer {TOKEN},db.password={WORD},apiKey={WORD}",
    "a pair": f"client_secret={WORD}",
}
# A path is shown up to its end; what a setting holds is known to end at a comma.
WORDS = {"words": f"team=a,password={WORD} {WORD},tier=1"}
SCRIPTS = Path(sysconfig.get_path("scripts"))
# With them there is nothing to see of the others.
ALONE = ("OTEL_SDK_DISABLED", "OTEL_CONFIG_FILE")


def planted(form: str, *without: str) -> dict[str, str]:
    return {setting.name: (FORMS | WORDS)[form] for setting in settings.SETTINGS if setting.name not in without}


def assert_nothing_secret(shown: str) -> None:
    lines = [line for line in shown.splitlines() if TOKEN in line or WORD in line or TOKEN[8:] in line]
    assert lines == []


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(guard, "_said", set())
    monkeypatch.setattr(guard, "_failures", set())
    monkeypatch.setattr(settings, "_said", set())
    monkeypatch.setattr(settings, "_read", {})
    monkeypatch.setenv("OBS_STORE_FILE", str(tmp_path / "store.db"))
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("form", FORMS | WORDS)
def test_settings_shows_none(form: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in planted(form).items():
        monkeypatch.setenv(name, text)
    for command in (["settings"], ["settings", "--set"]):
        assert cli.main(command) == 0
        shown = capsys.readouterr().out
        assert len(shown.splitlines()) > len(settings.SETTINGS)
        assert_nothing_secret(shown)


def test_resource_attributes_are_shown_as_telemetry_has_them(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "team=billing,contact=jo@example.org,service.instance.id=123e4567-e89b-12d3-a456-426614174000"
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", text)
    for privacy, contact in (("secrets", "jo@example.org"), ("secrets,email", "[email]")):
        monkeypatch.setenv("OBS_PRIVACY", privacy)
        forget()
        assert cli.main(["settings", "--set"]) == 0
        told = text.replace("jo@example.org", contact)
        assert f"OTEL_RESOURCE_ATTRIBUTES={told}  (environment)" in capsys.readouterr().out.splitlines()
    monkeypatch.undo()
    forget()


@pytest.mark.parametrize("form", FORMS | WORDS)
def test_a_problem_shows_none(form: str) -> None:
    for problem in settings.problems(planted(form)):
        assert_nothing_secret(problem)


def somewhere(form: str) -> dict[str, str]:
    """Return an address for each signal, where what is planted is none: without any it would be a Collector's port."""
    if form == "a URL":
        return {}
    return {f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT": f"http://{nobody()}" for signal in ("TRACES", "METRICS", "LOGS")}


@pytest.mark.sampled
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("exporter", ["otlp", "prometheus,console", "store"])
def test_doctor_shows_none(
    form: str, exporter: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {**planted(form, *ALONE), **somewhere(form)}.items():
        monkeypatch.setenv(name, text)
    for signal in ("TRACES", "LOGS", "METRICS"):
        monkeypatch.setenv(f"OTEL_{signal}_EXPORTER", exporter if signal == "METRICS" else exporter.partition(",")[0])
    for protocol in ("http/protobuf", "grpc"):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
        cli.main(["doctor", "--send"])
    out, err = capfd.readouterr()
    assert "# Where telemetry goes" in out
    assert_nothing_secret(out + err)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("setting", ALONE)
def test_doctor_shows_none_of_what_stands_alone(
    form: str, setting: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(setting, FORMS[form])
    cli.main(["doctor"])
    assert_nothing_secret("".join(capfd.readouterr()))


AGENT = """
import logging
import openai, threading
from opentelemetry import metrics, trace
with trace.get_tracer("agent").start_as_current_span("work"):
    logging.getLogger("agent").warning("a record")
metrics.get_meter("agent").create_counter("jobs").add(1)
getattr(trace.get_tracer_provider(), "force_flush", int)()
"""


def agent(folder: Path, given: dict[str, str]) -> str:
    (folder / "agent.py").write_text(AGENT)
    kept = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
    done = subprocess.run(
        [SCRIPTS / "obs-run", "python", "agent.py"],
        cwd=folder,
        env={**kept, "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}", "HOME": str(folder), **given},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def forms_with_protocols() -> list[Any]:
    """Return each form with each protocol; after each change each protocol with one of the forms."""
    return one_in(4, [(form, protocol) for form in FORMS for protocol in ("http/protobuf", "grpc", "none")])


@pytest.mark.slow
@pytest.mark.parametrize(("form", "protocol"), forms_with_protocols())
def test_an_agent_shows_none(tmp_path: Path, form: str, protocol: str) -> None:
    kept = (*ALONE, "OBS_VERBOSE", "OBS_STORE_FILE", "OBS_LOG_FOLDER")
    given = {name: text for name, text in planted(form, *kept).items() if not name.endswith("_PROTOCOL")}
    given |= somewhere(form)
    given |= {"OBS_VERBOSE": "true", "OTEL_METRICS_EXPORTER": "prometheus", "OTEL_EXPORTER_OTLP_TIMEOUT": "300"}
    given |= dict.fromkeys(("OTEL_TRACES_EXPORTER", "OTEL_LOGS_EXPORTER"), "otlp" if protocol != "none" else "store")
    if protocol != "none":
        given["OTEL_EXPORTER_OTLP_PROTOCOL"] = protocol
    said = agent(tmp_path, given)
    assert "a record" in said
    assert "is not allowed" in said
    assert_nothing_secret(said)


@pytest.mark.slow
@pytest.mark.parametrize("form", one_in(len(FORMS), FORMS))
def test_an_agent_with_a_file_of_settings_shows_none(tmp_path: Path, form: str) -> None:
    (tmp_path / "otel.yaml").write_text(
        f"file_format: '9'\ntracer_provider:\n  x: {{endpoint: 'http://me:{WORD}@h', headers: 'api-key={TOKEN}'}}\n"
    )
    assert_nothing_secret(agent(tmp_path, {"OTEL_CONFIG_FILE": "otel.yaml", "OTEL_RESOURCE_ATTRIBUTES": FORMS[form]}))
    assert_nothing_secret(agent(tmp_path, {"OTEL_CONFIG_FILE": FORMS[form]}))
