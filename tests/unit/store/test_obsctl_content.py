"""What ``obsctl show`` prints of conversations, details, repeated lines, and in narrow or plain terminals."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk.trace import Event

from obs_run import cli
from obs_run.store.exporters import StoreLogExporter, StoreSpanExporter
from tests.unit.store import making

if TYPE_CHECKING:
    from pathlib import Path

MANY = 1 << 30
ASKED = [
    {"role": "system", "parts": [{"type": "text", "content": "Be brief."}]},
    {"role": "user", "parts": [{"type": "text", "content": "Weather?\n\x1b[31mIn Oslo"}]},
]
CALLED = {
    "role": "assistant",
    "parts": [
        {"type": "reasoning", "content": "a tool knows"},
        {"type": "tool_call", "id": "c1", "name": "weather", "arguments": {"city": "Oslo"}},
    ],
    "finish_reason": "tool_call",
}
ANSWERED = {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": {"degrees": 3}}]}
SAID = {
    "role": "assistant",
    "parts": [
        {"type": "text", "content": "Cold."},
        {"type": "refusal", "content": "No more."},
        {"type": "omitted_blob", "modality": "image", "mime_type": "image/png", "size": 2048},
        {"type": "uri", "uri": "https://x.test/map", "modality": "image"},
    ],
    "finish_reason": "stop",
}


def chat(at: float, number: int, told: list[Any], answer: Any) -> Any:
    sent_back = {name: value for name, value in answer.items() if name != "finish_reason"}
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": json.dumps(told),
        "gen_ai.output.messages": json.dumps([answer]),
    }
    told.append(sent_back)
    return making.span("chat m", at, 5, id=number, parent=1, attributes=attributes)


@pytest.fixture
def talk(store: Path) -> Path:
    told = list(ASKED)
    first = chat(1, 2, told, CALLED)
    told.append(ANSWERED)
    hits = [{"id": "d1", "content": "Oslo is cold", "score": 0.91}, {"id": "d2"}]
    spans = [
        making.span("agent", 0, 50, id=1),
        first,
        making.span(
            "execute_tool weather",
            10,
            5,
            id=3,
            parent=1,
            attributes={
                "gen_ai.operation.name": "execute_tool",
                "gen_ai.tool.call.arguments": '{"city": "Oslo"}',
                "gen_ai.tool.call.result": "3 degrees",
            },
        ),
        making.span(
            "retrieval notes",
            16,
            1,
            id=5,
            parent=1,
            attributes={"gen_ai.retrieval.query.text": "Oslo", "gen_ai.retrieval.documents": json.dumps(hits)},
            events=(Event("cache", {"hit": True}, making.AT + 17 * making.MS),),
        ),
        chat(20, 4, told, SAID),
    ]
    StoreSpanExporter(store, MANY).export(spans)
    return store


@pytest.mark.usefixtures("talk")
def test_the_conversation_with_arguments_results_and_hits(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show", "--last", "--content"]) == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert shown.out.splitlines()[1:] == [
        "  agent  50ms",
        "    chat m  5.0ms",
        "      system:  Be brief.",
        "      user:  Weather?",
        "        \\x1b[31mIn Oslo",
        "      assistant:  (thinks) a tool knows",
        '        calls weather {"city":"Oslo"}',
        "    execute_tool weather  5.0ms",
        '      arguments:  {"city":"Oslo"}',
        "      result:  3 degrees",
        "    retrieval notes  1.0ms",
        "      query:  Oslo",
        "      hit 1 (0.91):  Oslo is cold",
        '      hit 2:  {"id":"d2"}',
        "    chat m  5.0ms",
        "      (3 messages as before)",
        '      tool:  {"degrees":3}',
        "      assistant:  Cold.",
        "        (refusal) No more.",
        "        [image/png, 2.0 KiB]",
        "        [image https://x.test/map]",
    ]


@pytest.mark.usefixtures("talk")
def test_details_are_attributes_and_events_and_no_content(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show", "--last", "--details"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "      gen_ai.operation.name=execute_tool" in lines
    assert "      +0.017s  event cache  hit=true" in lines
    assert "Oslo" not in "".join(lines)


def test_content_that_was_not_recorded_is_said(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    StoreSpanExporter(store, MANY).export([making.span("agent")])
    assert cli.main(["show", "--last", "--content"]) == 0
    assert capsys.readouterr().err == (
        "obsctl: no content of this trace was recorded: obs-run --content python agent.py\n"
    )


@pytest.fixture
def noisy(store: Path) -> Path:
    StoreSpanExporter(store, MANY).export([making.span("agent", 0, 100)])
    errors = [making.log(f"payment {n} failed after 30.{n}s", 10 + n, severity=SeverityNumber.ERROR) for n in range(12)]
    where = {"thread.name": "worker-1", "code.function.name": "pay"}
    StoreLogExporter(store, MANY).export([
        making.log("=" * 80, 1),
        *errors,
        making.log("two alike 1", 40), making.log("two alike 2", 41),
        making.log("x" * 300, 50, attributes=where),
    ])  # fmt: skip
    return store


@pytest.mark.usefixtures("noisy")
def test_lines_that_are_nearly_equal_stand_as_one_and_rulers_are_short(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show", "--last"]) == 0
    assert capsys.readouterr().out.splitlines()[2:] == [
        "    +0.001s  INFO  agent.tools: ===",
        "    +0.010s  ERROR  12 alike until +0.021s  agent.tools: payment 0 failed after 30.0s",
        "    +0.040s  INFO  agent.tools: two alike 1",
        "    +0.041s  INFO  agent.tools: two alike 2",
        f"    +0.050s  INFO  agent.tools: {'x' * 300}",
    ]


@pytest.mark.usefixtures("noisy")
def test_details_show_each_line_and_where_it_was_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show", "--last", "--details"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum("payment" in line for line in lines) == 12
    assert "      thread.name=worker-1 code.function.name=pay" in lines


def on_terminal(columns: int, *command: str, **environment: str) -> list[str]:
    """Return what a terminal of so many columns shows, without its colours."""
    pty = pytest.importorskip("pty")
    master, slave = pty.openpty()
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": str(columns), "NO_COLOR": "1", "TZ": "UTC", **environment}
    done = subprocess.Popen([sys.executable, "-m", "obs_run.cli", *command], stdout=slave, env=environ)
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 65536)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(master)
    assert done.wait() == 0
    return re.sub(r"\x1b\[[\d;]*m", "", shown.decode()).replace("\r", "").splitlines()


def test_a_list_fits_into_80_and_40_columns(store: Path) -> None:
    long_name = "a name that is much longer than what fits"
    usage = {"gen_ai.operation.name": "chat", "gen_ai.usage.input_tokens": 12345678, "obs.cost.total": 12.5}
    StoreSpanExporter(store, MANY).export([
        making.span(long_name, 0, 100, trace=1, attributes=usage),
        making.span("second", 60_000, 100, trace=2, error="bad"),
    ])  # fmt: skip
    wide, usual, narrow = (on_terminal(width, "list", "--store", str(store)) for width in (140, 80, 40))

    assert wide[0].split() == ["TRACE", "STARTED", "TOOK", "SPANS", "ERRORS", "IN", "OUT", "COST", "SERVICE", "NAME"]
    assert wide[2].endswith(long_name)
    assert usual[0].split() == ["TRACE", "STARTED", "TOOK", "ERRORS", "COST", "SERVICE", "NAME"]
    assert usual[1].startswith("000000000000  2026-09-21 14:14:20  100ms")
    assert narrow[0].split() == ["TRACE", "STARTED", "TOOK", "NAME"]
    assert narrow[2].startswith("00000000  09-21 14:13  100ms  a name")
    for width, lines in ((140, wide), (80, usual), (40, narrow)):
        assert len(lines) == 3
        assert max(map(len, lines)) <= width
    assert usual[2].endswith("…")


def test_log_lines_and_messages_fit_into_40_columns(talk: Path, noisy: Path) -> None:
    assert talk == noisy
    lines = on_terminal(40, "show", "--last", "--content", "--store", str(talk))
    logs = [line for line in lines if "INFO" in line or "ERROR" in line]
    assert logs
    assert max(map(len, logs)) <= 40
    assert "   │     system:  Be brief." in lines


def test_a_terminal_without_unicode_gets_branches_of_its_own(noisy: Path) -> None:
    lines = on_terminal(60, "show", "--last", "--store", str(noisy), PYTHONIOENCODING="ascii")
    assert lines[1] == "`- agent  100ms"
    assert lines[2] == "   |- +0.001s  INFO  agent.tools: ==="
    assert lines[-1].startswith("   `- +0.050s  INFO  agent.tools: xxx")
    assert all(line.isascii() for line in lines)
    assert not any("\\u" in line for line in lines)


@pytest.mark.usefixtures("talk")
@pytest.mark.parametrize("ending", ["…", "..."])
def test_an_id_may_be_copied_with_its_ellipsis(ending: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["show", f"00000000{ending}"]) == 0
    assert "agent" in capsys.readouterr().out


def test_an_agent_that_runs_and_only_logs_is_listed_and_shown(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    StoreSpanExporter(store, MANY).export([making.span("earlier", 0, 10, trace=1)])
    StoreLogExporter(store, MANY).export([making.log("at work", 5000, trace=2)])
    assert cli.main(["list", "--store", str(store)]) == 0
    first = capsys.readouterr().out.splitlines()[1]
    assert first.startswith(f"{2:032x}")
    assert first.endswith("(no span has ended yet)")
    assert cli.main(["show", "--last", "--store", str(store)]) == 0
    head, line = capsys.readouterr().out.splitlines()
    assert "no span has ended yet, or it is not sampled" in head
    assert line == "  +0.000s  INFO  agent.tools: at work"
