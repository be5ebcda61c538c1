from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.agents import Run

SOURCE = """
    from obs_run.logging import get_distributed_logger, LogCategory
    logger = get_distributed_logger()
    with logger.context(user_id="u1", correlation_id="c1"):
        logger.warning("login failed", category=LogCategory.SECURITY, data={"password": "hunter2!x", "tries": 3})
    logger.info("not about security", category=LogCategory.API)
    logger.critical("locked", category="security", exception=PermissionError("no"))
    import telemetry_probe; telemetry_probe.show()
"""


def test_records_of_security_go_to_the_audit_trail_and_carry_their_place_there(agent: Run, tmp_path: Path) -> None:
    trail = tmp_path / "trail" / "audit.jsonl"
    logs = agent(SOURCE, OBS_AUDIT_FILE=str(trail)).logs()
    sealed = [json.loads(line) for line in trail.read_text().splitlines()]

    assert [each["entry"]["record"]["action"] for each in sealed] == ["login failed", "locked"]
    assert sealed[0]["entry"]["record"]["actor"] == "u1"
    assert sealed[0]["entry"]["record"]["context"]["correlation_id"] == "c1"
    assert sealed[0]["entry"]["record"]["data"]["tries"] == 3
    assert sealed[0]["entry"]["record"]["trace_id"] == logs["login failed"]["trace"]
    assert sealed[1]["entry"]["record"]["exception"] == "PermissionError: no"
    assert "hunter2!x" not in trail.read_text()
    for each, body in zip(sealed, ("login failed", "locked"), strict=True):
        told = logs[body]["attributes"]
        assert (told["obs.audit.sequence"], told["obs.audit.hash"]) == (each["entry"]["sequence"], each["hash"])
    assert "obs.audit.sequence" not in logs["not about security"]["attributes"]
    verify = [sys.executable, "-m", "obs_run.cli", "audit", "verify"]
    environment = {"OBS_AUDIT_FILE": str(trail), "HOME": str(tmp_path)}
    verified = subprocess.run(verify, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_without_the_audit_trail_the_records_are_records(agent: Run, tmp_path: Path) -> None:
    ran = agent(SOURCE, OBS_AUDIT="false", OBS_AUDIT_FILE=str(tmp_path / "audit.jsonl"))
    assert "obs.audit.sequence" not in ran.logs()["locked"]["attributes"]
    assert not (tmp_path / "audit.jsonl").exists()


def test_with_telemetry_switched_off_handlers_and_audit_go_on(agent: Run, tmp_path: Path) -> None:
    source = SOURCE.replace("import telemetry_probe; telemetry_probe.show()", "")
    ran = agent(source, OTEL_SDK_DISABLED="true", OBS_AUDIT_FILE=str(tmp_path / "audit.jsonl"))
    assert (ran.code, ran.err) == (0, "")
    assert len(ran.out.splitlines()) == 4
    assert len((tmp_path / "logs" / "application.log").read_text().splitlines()) == 3
    assert len((tmp_path / "audit.jsonl").read_text().splitlines()) == 2
    assert not any((tmp_path / ".local").rglob("store.db"))


CONFIGURATION = """
file_format: "1.0"
logger_provider:
  processors:
    - simple:
        exporter:
          console: {}
"""


def test_providers_of_a_configuration_file_get_the_records(agent: Run, tmp_path: Path) -> None:
    file = tmp_path / "otel.yaml"
    file.write_text(CONFIGURATION)
    source = """
    from obs_run.logging import DistributedLogger
    DistributedLogger("x").info("told", data={"password": "hunter2!x", "n": 1})
    """
    ran = agent(source, OTEL_CONFIG_FILE=str(file), OTEL_LOGS_EXPORTER="console")
    assert ran.code == 0, ran.err
    told = json.loads(ran.out)
    assert (told["body"], told["severity_text"], told["attributes"]["n"]) == ("told", "INFO", 1)
    assert "hunter2!x" not in ran.out
