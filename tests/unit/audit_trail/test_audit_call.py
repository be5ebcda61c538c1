"""obs_run.audit() and append(), as an agent calls them."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import obs_run
from obs_run import privacy
from obs_run.audit_trail import append
from tests.examples import examples
from tests.unit.audit_trail import trails

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.agents import Run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith(("OBS_", "OTEL_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OBS_AUDIT_FILE", str(tmp_path / "audit.jsonl"))
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    privacy.forget()
    return tmp_path


def records(folder: Path) -> list[dict[str, Any]]:
    return [entry["record"] for entry in trails.entries(folder)]


def test_what_is_written(folder: Path) -> None:
    receipt = obs_run.audit("user.login", actor="alice", outcome="denied", ip="10.0.0.1", tries=3)
    assert receipt
    assert receipt.sequence == 1
    entry = json.loads((folder / "audit.jsonl").read_bytes())
    assert entry["hash"] == receipt.hash
    record = entry["entry"]["record"]
    record.pop("trace_id", None)
    record.pop("span_id", None)
    assert record == {
        "action": "user.login", "actor": "alice", "outcome": "denied", "details": {"ip": "10.0.0.1", "tries": 3}
    }  # fmt: skip
    assert (entry["entry"]["service"], entry["entry"]["process"]) == ("shop", os.getpid())


def test_a_record_of_a_logger(folder: Path) -> None:
    receipt = append({"message": "login", "category": "security", "data": {"a": [1, 2]}})
    assert receipt
    assert receipt.sequence == 1
    assert records(folder) == [{"message": "login", "category": "security", "data": {"a": [1, 2]}}]


def test_secrets_are_taken_out(folder: Path) -> None:
    secret = "ghp_" + "aB3" * 12
    assert obs_run.audit(
        f"used {secret}", actor=secret, password="hunter2", headers={"Authorization": f"Bearer {secret}"}
    )
    written = (folder / "audit.jsonl").read_text()
    assert secret not in written
    assert "hunter2" not in written
    assert trails.problem(folder) is None


def test_switched_off(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBS_AUDIT", "false")
    assert obs_run.audit("nothing") is None
    assert append({"message": "nothing"}) is None
    assert list(folder.iterdir()) == []


def test_with_a_key(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    key_file = tmp_path_factory.mktemp("key") / "key"
    key_file.write_bytes(trails.KEY + b"\n")
    monkeypatch.setenv("OBS_AUDIT_KEY_FILE", str(key_file))
    assert obs_run.audit("one")
    assert trails.verify(folder, trails.KEY).records == 1


@pytest.mark.parametrize("content", [None, b"", b" \n"])
def test_a_key_file_without_a_key(
    content: bytes | None, folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    key_file = folder / "key"
    if content is not None:
        key_file.write_bytes(content)
    monkeypatch.setenv("OBS_AUDIT_KEY_FILE", str(key_file))
    assert obs_run.audit("one")
    assert obs_run.audit("two")
    assert len(caplog.messages) == 1
    assert "OBS_AUDIT_KEY_FILE" in caplog.messages[0]
    assert str(key_file) in caplog.messages[0]


class Broken:
    """An object that refuses everything."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)

    def __repr__(self) -> str:
        raise RuntimeError

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]


def cycle() -> list[Any]:
    around: list[Any] = []
    around.append({"again": around})
    return around


wild = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.binary() | st.text(st.characters())
    | st.sampled_from([cycle(), object, b"\xff" * 5000, "\ud800", "x" * 10**5, ValueError("x"), {1}]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers() | st.none(), inner) | st.tuples(inner),
    max_leaves=10,
)  # fmt: skip


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(action=wild, actor=wild, outcome=wild, details=st.dictionaries(st.text(), wild))
def test_wild_values_are_recorded(folder: Path, action: Any, actor: Any, outcome: Any, details: dict[str, Any]) -> None:
    details = {name: value for name, value in details.items() if name not in ("action", "actor", "outcome")}
    receipt = obs_run.audit(action, actor=actor, outcome=outcome, **details)
    assert receipt
    assert receipt.sequence
    given_receipt = append({"any": action, "more": details})
    assert given_receipt
    assert given_receipt.sequence == receipt.sequence + 1
    assert trails.verify(folder).head.sequence == given_receipt.sequence


@pytest.mark.parametrize("make", [Broken, lambda: 10**6000, lambda: {Broken: Broken()}, lambda: [object()] * 100_000])
def test_values_that_refuse_to_be_shown(make: Callable[[], Any], folder: Path) -> None:
    assert obs_run.audit(make(), actor=make(), outcome=make(), detail=make())
    assert append({"value": make()})
    assert append(make())
    assert trails.verify(folder).records == 3


def test_the_export_carries_sequence_and_hash(agent: Run, tmp_path: Path) -> None:
    ran = agent("""
    import obs_run, telemetry_probe
    from obs_run.context import log_context
    from opentelemetry import trace
    with trace.get_tracer("t").start_as_current_span("work"), log_context.attached(user_id="u1", correlation_id="c1"):
        receipt = obs_run.audit("file.deleted", actor="bob", outcome="done", path="/x", password="hunter2", size=[1, 2])
    assert receipt.sequence == 1
    telemetry_probe.show()
    """)
    log = ran.logs()["file.deleted"]
    entry = json.loads((tmp_path / ".local/share/obs-run/audit/audit.jsonl").read_bytes())
    attributes = log["attributes"]
    assert (attributes["obs.audit.sequence"], attributes["obs.audit.hash"]) == (1, entry["hash"])
    assert (attributes["obs.audit.actor"], attributes["obs.audit.outcome"]) == ("bob", "done")
    assert attributes["obs.log.category"] == "security"
    assert (attributes["user_id"], attributes["correlation_id"], attributes["path"]) == ("u1", "c1", "/x")
    assert attributes["size"] == "[1,2]"
    record = entry["entry"]["record"]
    assert record["context"] == {"correlation_id": "c1", "user_id": "u1"}
    span = ran.spans()["work"]
    assert (record["trace_id"], record["span_id"]) == (span["trace"], span["span"])
    assert log["trace"] == span["trace"]
    assert entry["entry"]["service"] == "agent"


def test_in_a_process_that_nobody_started_obs_run_in(agent: Run, tmp_path: Path) -> None:
    ran = agent(
        """
        import obs_run
        print(obs_run.audit("one").sequence, obs_run.audit("two").sequence)
        """,
        start=False,
        OTEL_TRACES_EXPORTER="none",
        OTEL_METRICS_EXPORTER="none",
        OTEL_LOGS_EXPORTER="console",
    )
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("1 2\n")
    assert '"obs.audit.sequence": 2' in ran.out
    assert len((tmp_path / ".local/share/obs-run/audit/audit.jsonl").read_bytes().splitlines()) == 2


def test_a_folder_that_cannot_be_written(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    (folder / "audit.jsonl").mkdir()
    assert [obs_run.audit("one"), obs_run.audit("two")] == [None, None]
    assert len(caplog.messages) == 1
    assert str(folder / "audit.jsonl") in caplog.messages[0]
