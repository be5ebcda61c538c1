from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import trustme

from obs_run import cli
from obs_run.base import guard
from tests.ports import nobody

if TYPE_CHECKING:
    from pathlib import Path

CA = trustme.CA()


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(guard, "_said", set())
    monkeypatch.setenv("OBS_STORE_FILE", str(tmp_path / "store.db"))


def written(path: Path, content: bytes = b"", mode: int = 0o600) -> str:
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


def told(capsys: pytest.CaptureFixture[str], about: str) -> tuple[int, list[str]]:
    code = cli.main(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    return code, [line for line in lines if line.partition(": ")[0].split()[-1:] == [about]]


@pytest.fixture
def prometheus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    monkeypatch.setenv("OTEL_METRICS_EXPORTER", "prometheus")
    certificate = CA.issue_cert("127.0.0.1")
    return {
        "OBS_PROMETHEUS_CERTIFICATE": written(tmp_path / "pem", certificate.cert_chain_pems[0].bytes()),
        "OBS_PROMETHEUS_KEY": written(tmp_path / "key", certificate.private_key_pem.bytes()),
        "OBS_PROMETHEUS_USERS_FILE": written(tmp_path / "users", b"a:b"),
        "OBS_PROMETHEUS_TOKENS_FILE": written(tmp_path / "tokens", b"t"),
        "OBS_PROMETHEUS_CLIENT_CERTIFICATES": written(tmp_path / "ca", CA.cert_pem.bytes()),
    }


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ([], "http://127.0.0.1:9464/metrics, asks for nothing"),
        (["TOKENS_FILE"], "http://127.0.0.1:9464/metrics, asks for bearer authentication"),
        (["CERTIFICATE", "KEY"], "https://127.0.0.1:9464/metrics, asks for nothing"),
        (["CERTIFICATE", "KEY", "CLIENT_CERTIFICATES"],
         "https://127.0.0.1:9464/metrics, asks for a client certificate"),
        (["CERTIFICATE", "KEY", "CLIENT_CERTIFICATES", "USERS_FILE", "TOKENS_FILE"],
         "https://127.0.0.1:9464/metrics, asks for basic or bearer authentication and a client certificate"),
    ],
)  # fmt: skip
def test_what_the_endpoint_asks_for(
    settings: list[str],
    said: str,
    prometheus: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in settings:
        monkeypatch.setenv(f"OBS_PROMETHEUS_{name}", prometheus[f"OBS_PROMETHEUS_{name}"])
    assert told(capsys, "metrics") == (0, [f"ok   metrics: prometheus, served at {said}"])


def test_an_endpoint_that_will_not_be_there_fails(
    prometheus: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OBS_PROMETHEUS_KEY", prometheus["OBS_PROMETHEUS_KEY"])
    line = "FAIL metrics: prometheus, not served: OBS_PROMETHEUS_CERTIFICATE is not set, but OBS_PROMETHEUS_KEY is"
    assert told(capsys, "metrics") == (1, [line])


def test_certificates_and_headers_for_the_collector_that_do_not_do_fail(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "headers", b"x-a: 1\nno header hunter2\n")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"https://{nobody()}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_CLIENT_KEY", path)
    monkeypatch.setenv("OBS_OTLP_HEADERS_FILE", path)
    assert told(capsys, "traces") == (
        1,
        [
            f"ok   traces: otlp (http/protobuf) to https://{nobody()}/v1/traces",
            "FAIL traces: OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE is not set, but OTEL_EXPORTER_OTLP_CLIENT_KEY is",
            f"FAIL traces: OBS_OTLP_HEADERS_FILE: {path} line 2 is not key=value or key: value",
        ],
    )


@pytest.mark.parametrize("name", ["OBS_PRIVACY_HASH_KEY_FILE", "OBS_AUDIT_KEY_FILE", "OTEL_EXPORTER_OTLP_CLIENT_KEY"])
def test_files_of_secrets_that_everybody_may_read_are_looked_at(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "secret", b"secret", 0o644)
    monkeypatch.setenv(name, path)
    line = f"!    {name}: {path} is open to every user of this machine (mode 0644); chmod 600 would close it"
    assert told(capsys, name)[1] == [line]
    written(tmp_path / "secret", b"secret", 0o640)
    assert told(capsys, name)[1] == []
