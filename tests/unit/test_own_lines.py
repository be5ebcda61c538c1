"""What our own warnings, the audit trail and rules of the user's show of secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obs_run.base import held_values, masking

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.unit.agents import Run

KEY = "Zk39fjQ0pL8x" + "W2mN7vT4"


@pytest.fixture
def _held() -> Iterator[None]:
    held_values.hold(KEY)
    yield
    held_values.forget()


@pytest.mark.usefixtures("_held")
def test_a_held_value_is_masked_in_our_lines() -> None:
    assert masking.masked(f"export failed: {KEY} was refused") == "export failed: ******** was refused"


@pytest.mark.parametrize("path", [KEY, f"/keys/{KEY}", "0123456789abcdef" * 4, "q8Zr+1x/9kkd8Q=="])
def test_a_key_where_a_path_belongs_is_masked(path: str) -> None:
    assert masking.masked_path(path) == "********"


@pytest.mark.parametrize(
    "path", ["/no/such/audit-key-2026", "keys/audit.key", "/etc/passwd", "~/.obs/privacy-hash-key"]
)
def test_paths_are_shown(path: str) -> None:
    assert masking.masked_path(path) == path
    assert masking.masked(f"OBS_STORE_FILE={path}: cannot be opened") == f"OBS_STORE_FILE={path}: cannot be opened"


def test_a_key_in_place_of_the_audit_keys_file(agent: Run) -> None:
    ran = agent(
        """
    import obs_run.audit_trail
    obs_run.audit_trail.audit("login")
    import telemetry_probe
    telemetry_probe.show()
    """,
        OBS_AUDIT_KEY_FILE=KEY,
    )
    assert "OBS_AUDIT_KEY_FILE" in ran.err
    assert KEY not in ran.err + ran.out


def test_the_service_in_the_audit_trail_is_scrubbed(agent: Run, tmp_path: Path) -> None:
    trail = tmp_path / "audit.jsonl"
    ran = agent(
        """
    import obs_run.audit_trail
    obs_run.audit_trail.audit("login")
    import telemetry_probe
    telemetry_probe.show()
    """,
        OBS_AUDIT_FILE=str(trail),
        OTEL_SERVICE_NAME="agent password=hunter2",
    )
    assert ran.code == 0, ran.err
    entries = trail.read_text()
    assert '"service":"agent password=[password]"' in entries
    assert "hunter2" not in entries


def test_a_rule_that_matches_inside_of_a_telling_name(agent: Run, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("rules: {x: {patterns: ['ss', 'ke']}}\n")
    ran = agent(
        """
    import json, logging
    import telemetry_probe
    logging.getLogger("a").error(json.dumps({"password": "hunter2", "api_key": "otter"}))
    logging.getLogger("a").error("fields", extra={"password": "hunter2"})
    telemetry_probe.show()
    """,
        OBS_PRIVACY_RULES=str(rules),
    )
    assert "hunter2" not in ran.out
    assert "otter" not in ran.out
