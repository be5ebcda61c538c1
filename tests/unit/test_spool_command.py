"""``obsctl spool``: what it says of a spool, what it sends and what it drops."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from obs_run import cli, settings
from obs_run.pipeline.losses import NOT_DELIVERED, Losses
from obs_run.pipeline.otlp_destination import OtlpDestination
from obs_run.runtime import destinations
from tests import outages
from tests.otlp_receiver import Receiver
from tests.unit.store import making

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    for setting in settings.SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)
    monkeypatch.setenv("OBS_SPOOL_FOLDER", str(tmp_path / "spool"))
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> str:
    """An endpoint that nobody listens at, with traces in the spool."""
    with Receiver() as closed:
        endpoint = closed.endpoint
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    _keep("traces", "a", "b")
    _keep("logs", "line")
    return endpoint


def _keep(signal: str, *names: str) -> None:
    losses = Losses()
    [destination] = destinations.of(signal, losses, destinations.make_spool(losses))  # type: ignore[arg-type]
    assert isinstance(destination, OtlpDestination)
    if signal == "traces":
        destination.export([making.span(name) for name in names], None)
    else:
        destination.export([making.log(name) for name in names], None)
    destination.buffer.close(NOT_DELIVERED)
    destination._transport.close()
    assert losses.take_counts() == {}


def _said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> list[str]:
    assert cli.main(["spool", *words]) == code
    captured = capsys.readouterr()
    return [*captured.out.splitlines(), *captured.err.splitlines()]


def test_an_empty_spool(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert _said(capsys, "status") == [f"spool {tmp_path}/spool: 0 requests, 0 B of 256.0 MiB, kept 7d"]
    assert _said(capsys, "replay") == []
    assert _said(capsys, "drop", "--all") == []


def test_status_says_what_waits_for_whom(capsys: pytest.CaptureFixture[str], away: str) -> None:
    first, logs, traces = _said(capsys, "status")
    assert re.search(r": 2 requests, \d+ B of 256.0 MiB, kept 7d$", first)
    since = r"\d+ B, since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d\+00:00"
    assert re.fullmatch(
        rf"logs-\w{{16}}  logs to {away}/v1/logs \(http/protobuf\): 1 request, 1 log record, {since}", logs
    )
    assert re.fullmatch(
        rf"traces-\w{{16}}  traces to {away}/v1/traces \(http/protobuf\): 1 request, 2 spans, {since}", traces
    )


def test_replay_while_it_is_away_keeps_all(capsys: pytest.CaptureFixture[str], away: str) -> None:
    said = _said(capsys, "replay", code=1)
    assert len(said) == 2
    assert f": the rest waits, {away}/v1/traces is away (ConnectionRefusedError: " in said[1]
    assert "2 requests" in _said(capsys, "status")[0]
    assert "may have arrived" not in "".join(_said(capsys, "status"))


def test_replay_sends_what_is_for_the_settings(
    capsys: pytest.CaptureFixture[str], away: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Receiver() as receiver:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.endpoint)
        [left] = _said(capsys, "replay")
        assert left == "obsctl: left as they are: 2 entries, not for the endpoints of the settings"
        name = _said(capsys, "status")[2].split()[0]
        # To another place, because somebody says so.
        assert _said(capsys, "replay", name[:10]) == [f"{name}: sent 2 spans to {receiver.endpoint}/v1/traces"]
        assert sorted(span.name for span in receiver.spans) == ["a", "b"]
        [logs] = _said(capsys, "status")[1:]
        assert logs.startswith(f"logs-{logs[5:21]}  logs to {away}")


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_another_account_at_the_same_place_gets_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, protocol: str
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    with outages.backend("refused", protocol) as backend:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", backend.endpoint)
        for account in ("mine", "theirs"):
            monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", f"authorization=Basic {account}")
            _keep("traces", account)
        backend.mend()
        headers = tmp_path / "headers"
        headers.write_text("x-turn: 1")
        headers.chmod(0o600)
        monkeypatch.setenv("OBS_OTLP_HEADERS_FILE", str(headers))
        said = _said(capsys, "replay")
        assert "obsctl: left as they are: 1 entry, not for the endpoints of the settings" in said
        assert backend.names == {"theirs": 1}


def test_replay_tells_what_was_refused(
    capsys: pytest.CaptureFixture[str], away: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    del away
    with Receiver() as receiver:
        name = _said(capsys, "status")[2].split()[0]
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{receiver.endpoint}/unknown")
        monkeypatch.setattr(receiver, "mood", "gone")
        said = _said(capsys, "replay", name, code=1)
    assert said == [f"{name}: the rest waits, {receiver.endpoint}/unknown is away (status 503)"]


def test_drop_deletes_what_is_named(capsys: pytest.CaptureFixture[str], away: str) -> None:
    del away
    names = [line.split()[0] for line in _said(capsys, "status")[1:]]
    assert _said(capsys, "drop", code=2) == ["obsctl: say which: a NAME as obsctl spool status prints it, or --all"]
    assert _said(capsys, "drop", "x", code=2) == ["obsctl: no entry of the spool is called 'x'"]
    assert _said(capsys, "drop", names[0]) == [f"{names[0]}: dropped 1 log record"]
    assert [line.split()[0] for line in _said(capsys, "status")[1:]] == names[1:]
    assert _said(capsys, "drop", "--all") == [f"{names[0]}: dropped 0 log records", f"{names[1]}: dropped 2 spans"]
    assert len(_said(capsys, "status")) == 1


def test_what_a_program_that_runs_has_is_left_to_it(capsys: pytest.CaptureFixture[str], away: str) -> None:
    del away
    losses = Losses()
    spool = destinations.make_spool(losses)
    assert spool is not None
    [destination] = destinations.of("traces", losses, spool)
    assert isinstance(destination, OtlpDestination)
    destination.export([making.span("c")], None)
    assert destination.buffer.spool_all()
    name = next(line for line in _said(capsys, "status") if line.startswith("traces")).split()[0]
    assert "2 requests, 3 spans" in "".join(_said(capsys, "status"))
    assert "in use by a program that runs" in "".join(_said(capsys, "status"))
    assert _said(capsys, "drop", name) == [
        f"{name}: dropped 2 spans",
        f"{name}: a program that runs has the rest, and sends it",
    ]
    destination.buffer.close(NOT_DELIVERED)
    assert "1 request, 1 span" in "".join(_said(capsys, "status"))


def test_a_spool_that_is_damaged_is_told_of(capsys: pytest.CaptureFixture[str], away: str, tmp_path: Path) -> None:
    del away
    [path] = (tmp_path / "spool").glob("traces-*/*.segment")
    path.write_bytes(b"\x1b[31mnothing")
    (path.parent / "destination.json").write_text('{"signal": "traces", "protocol": "", "endpoint": "\\u001b[31m"}')
    line = _said(capsys, "status")[2]
    assert "1 damaged place" in line
    assert line.isprintable()
