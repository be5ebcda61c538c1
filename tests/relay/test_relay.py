"""Agents whose telemetry a relay exports: as they would be without us, and nothing of them is lost."""

from __future__ import annotations

import marshal
import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest

from obs_run.buffer import codec, relay_client, segment
from obs_run.core.semconv import OBS_EXPORT_POSSIBLE_DUPLICATE as REPEATED
from obs_run.core.sink import SpanRecord
from obs_run.process import relay
from obs_run.relay import progress, supervisor
from obs_run.relay.agent import Position
from tests.launch.running import Outcome, on_terminal
from tests.otlp_receiver import Receiver
from tests.ports import free_port
from tests.refusing_server import answering
from tests.relay.agents import OBS_RUN, OBSCTL, PYTHON, SECONDS, launch, relayed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.otlp_receiver import Span

    Launch = Callable[..., Outcome]


@pytest.fixture
def agent(memory: Path, tmp_path: Path, receiver: Receiver) -> Launch:
    return partial(launch, memory, tmp_path, receiver.endpoint)


def run_span(receiver: Receiver) -> Span:
    assert receiver.wait_for(lambda got: any("obs.run.kind" in span.attributes for span in got.spans))
    (span,) = [span for span in receiver.spans if "obs.run.kind" in span.attributes]
    return span


STORY = """\
import logging, os, signal, sys
from opentelemetry import trace
from obs_run.tracing import get_tracer
logging.basicConfig(handlers=[logging.NullHandler()])
tracer = get_tracer("story")
with tracer.span("outer"):
    logging.warning("inside of %s", "outer")
    with trace.get_tracer("other").start_as_current_span("inner", attributes={"a": 1}) as span:
        span.add_event("happened")
    exec(sys.argv[1] if len(sys.argv) > 1 else "pass")
"""


@pytest.mark.slow
def test_spans_and_log_lines_arrive_as_one_trace(agent: Launch, receiver: Receiver) -> None:
    assert agent(STORY) == Outcome(0, "", "")
    run = run_span(receiver)
    assert receiver.wait_for(lambda got: len(got.spans) == 3 and len(got.logs) == 1)
    (outer,), (inner,) = receiver.named("outer"), receiver.named("inner")
    assert (outer.parent_id, inner.parent_id) == (run.span_id, outer.span_id)
    assert inner.attributes["a"] == 1
    assert inner.events == ["happened"]
    (log,) = receiver.logs
    assert (log.body, log.span_id) == ("inside of outer", outer.span_id)
    assert run.resource["service.name"] == "agent"
    assert {span.resource["service.instance.id"] for span in receiver.spans} == {run.resource["service.instance.id"]}


ENDS: list[Any] = [
    pytest.param("os._exit(3)", 3, {"obs.run.exit_code": 3}, 2, id="os._exit"),
    pytest.param("os.kill(os.getpid(), 9)", -9, {"obs.run.signal": "SIGKILL"}, 2, id="kill -9"),
    pytest.param("os.kill(os.getpid(), 15)", -15, {"obs.run.signal": "SIGTERM"}, 0, id="SIGTERM"),
    pytest.param("import ctypes; ctypes.string_at(0)", -11, {"obs.run.signal": "SIGSEGV"}, 2, id="segfault"),
    pytest.param("os.abort()", -6, {"obs.run.signal": "SIGABRT"}, 2, id="abort"),
]


@pytest.mark.sampled
@pytest.mark.parametrize(("last", "code", "end", "status"), ENDS)
def test_what_was_open_is_there_with_the_way_the_process_ended(
    agent: Launch, receiver: Receiver, last: str, code: int, end: dict[str, Any], status: int
) -> None:
    outcome = agent(STORY, last)
    assert (outcome.code, outcome.out, outcome.err) == (code, "", "")
    run = run_span(receiver)
    assert {name: run.attributes[name] for name in end} == end
    assert run.status == status
    assert receiver.wait_for(lambda got: len(got.spans) == 3 and len(got.logs) == 1)
    (outer,) = receiver.named("outer")
    assert outer.attributes["obs.span.unfinished"] is True
    assert outer.attributes["obs.span.ended_by"] == end.get("obs.run.signal", "exit")
    assert "obs.span.unfinished" not in receiver.named("inner")[0].attributes


# So long that the relay sees it before it is gone, also on a busy machine.
SLOW = pytest.mark.slow
SLEEP = "import os, time; time.sleep(1); "


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("program", "code", "end"),
    [
        pytest.param("1/0", 1, {"obs.run.exit_code": 1, "error.type": "ZeroDivisionError"}, id="first line"),
        pytest.param("import nothing_of_this_name", 1, {"error.type": "ModuleNotFoundError"}, id="missing module"),
        pytest.param("import sys; sys.exit(5)", 5, {"obs.run.exit_code": 5}, id="sys.exit"),
        pytest.param(SLEEP + "os._exit(6)", 6, {"obs.run.exit_code": 6}, id="os._exit", marks=SLOW),
        pytest.param(SLEEP + "os.kill(os.getpid(), 9)", -9, {"obs.run.signal": "SIGKILL"}, id="kill -9", marks=SLOW),
        pytest.param(SLEEP + "os.kill(os.getpid(), 15)", -15, {"obs.run.signal": "SIGTERM"}, id="SIGTERM"),
    ],
)
def test_a_run_that_recorded_nothing_and_did_not_end_well_is_there(
    agent: Launch, receiver: Receiver, memory: Path, tmp_path: Path, program: str, code: int, end: dict[str, Any]
) -> None:
    subprocess.run([OBSCTL, "relay", "start"], env=relayed(memory, tmp_path, receiver.endpoint), check=True)
    assert agent(program).code == code
    run = run_span(receiver)
    assert {name: run.attributes[name] for name in end} == end


def test_spans_have_the_ids_of_the_log_context(agent: Launch, receiver: Receiver) -> None:
    agent("""\
from obs_run.logging import DistributedLogger
from obs_run.tracing import trace_tool
@trace_tool
def search():
    pass
with DistributedLogger("shop").context(user_id="u-1", request_id=7):
    search()
""")
    assert receiver.wait_for(lambda got: len(got.spans) == 2)
    (span,) = receiver.named("execute_tool search")
    assert (span.attributes["user_id"], span.attributes["request_id"]) == ("u-1", "7")


def test_a_relay_that_comes_too_late_to_see_the_end_says_so(agent: Launch, receiver: Receiver) -> None:
    agent("import os; os.kill(os.getpid(), 9)")
    ended_by = run_span(receiver).attributes["obs.span.ended_by"]
    assert ended_by in ("unknown", "SIGKILL")


@pytest.mark.slow
def test_a_run_that_ends_well_and_recorded_nothing_leaves_nothing(
    agent: Launch, receiver: Receiver, memory: Path
) -> None:
    agent("pass")
    agent(STORY)
    assert receiver.wait_for(lambda got: len(got.spans) == 3)
    assert not list(memory.glob("*.run"))


def test_the_agents_process_is_as_it_would_be(agent: Launch, receiver: Receiver) -> None:
    outcome = agent(
        """\
import os, signal, threading
from obs_run.tracing import get_tracer
with get_tracer("x").span("work"):
    pass
print(threading.active_count(), len(os.listdir("/proc/self/task")))
print([signal.getsignal(number) == signal.SIG_DFL for number in (signal.SIGTERM, signal.SIGHUP)])
print(os._exit.__module__)
"""
    )
    assert outcome == Outcome(0, "1 1\n[True, True]\nposix\n", "")
    assert receiver.wait_for(lambda got: bool(got.named("work")))


@pytest.mark.slow
def test_the_agents_own_metrics_arrive(agent: Launch, receiver: Receiver) -> None:
    program = """\
from opentelemetry import metrics
counter = metrics.get_meter("mine").create_counter("things")
counter.add(2, {"kind": "a"})
"""
    agent(program)
    assert receiver.wait_for(lambda got: any(metric.name == "things" for metric in got.metrics))


def test_the_local_store_has_a_run_at_once(memory: Path, tmp_path: Path) -> None:
    outcome = launch(memory, tmp_path, "", STORY, "os.kill(os.getpid(), 9)")
    assert outcome.code == -9
    shown = subprocess.run(
        [OBSCTL, "show"], env=relayed(memory, tmp_path, ""), capture_output=True, text=True, check=True
    )
    first, *_ = shown.stdout.splitlines()
    assert "agent" in first
    assert "signal=SIGKILL" in shown.stdout
    assert "outer" in shown.stdout


def test_a_relay_that_is_killed_is_begun_again_and_loses_nothing(
    receiver: Receiver, memory: Path, tmp_path: Path
) -> None:
    program = """\
import time
from obs_run.tracing import get_tracer
tracer = get_tracer("x")
for number in range(200):
    with tracer.span(f"span {number}"):
        time.sleep(0.01)
"""
    (tmp_path / "agent.py").write_text(program)
    env = relayed(memory, tmp_path, receiver.endpoint)
    running = subprocess.Popen([OBS_RUN, PYTHON, "agent.py"], cwd=tmp_path, env=env)
    killed = 0
    while running.poll() is None:
        time.sleep(0.3)
        for place in relay_client.configurations(str(memory)):
            pid = relay_client.status(place).get("pid")
            if pid:
                try:
                    os.kill(pid, signal.SIGKILL)
                    killed += 1
                except ProcessLookupError:
                    pass
    assert killed > 1
    names = {f"span {number}" for number in range(200)}
    assert receiver.wait_for(lambda got: names <= {span.name for span in got.spans})
    assert receiver.wait_for(lambda got: any("obs.run.kind" in span.attributes for span in got.spans))
    assert not any(span.status for span in receiver.spans)
    marks = [(span.span_id, bool(span.attributes.get(REPEATED))) for span in receiver.spans]
    assert max(Counter(span_id for span_id, is_marked in marks if not is_marked).values()) == 1


def test_a_collector_that_comes_late_gets_everything(memory: Path, tmp_path: Path) -> None:
    port = free_port()
    begun = time.monotonic()
    outcome = launch(memory, tmp_path, f"http://127.0.0.1:{port}", STORY)
    assert outcome == Outcome(0, "", "")
    assert time.monotonic() - begun < SECONDS / 2
    with Receiver(port=port) as late:
        assert late.wait_for(lambda got: len(got.spans) == 3 and len(got.logs) == 1)


@pytest.mark.slow
def test_obsctl_relay_says_how_it_is(memory: Path, tmp_path: Path, receiver: Receiver, agent: Launch) -> None:
    env = relayed(memory, tmp_path, receiver.endpoint)
    obsctl = partial(subprocess.run, env=env, capture_output=True, text=True, check=False)
    before = obsctl([OBSCTL, "relay"])
    assert before.returncode == 1
    assert before.stdout.startswith("no relay runs")
    agent(STORY)
    assert obsctl([OBSCTL, "relay", "flush"]).returncode == 0
    assert len(receiver.spans) == 3
    running = obsctl([OBSCTL, "relay"])
    assert running.returncode == 0
    assert running.stdout.startswith("relay: process ")
    assert receiver.endpoint in running.stdout
    assert obsctl([OBSCTL, "relay", "stop"]).returncode == 0
    assert obsctl([OBSCTL, "relay"]).returncode == 1


def test_nobody_else_can_enter_the_folder(agent: Launch, memory: Path) -> None:
    agent(STORY)
    for path in (memory, *memory.rglob("*")):
        assert path.lstat().st_mode & 0o077 == 0, path


def test_a_folder_that_others_can_enter_is_not_used(agent: Launch, memory: Path, receiver: Receiver) -> None:
    memory.chmod(0o755)
    assert agent(STORY) == Outcome(0, "", "")
    # Then the agent exports itself.
    assert len(receiver.spans) == 3
    assert not list(memory.iterdir())


@pytest.mark.slow
def test_the_unit_runs_a_relay(agent: Launch, memory: Path, tmp_path: Path, receiver: Receiver) -> None:
    unit = (Path(__file__).parents[2] / "configs" / "obs-run-relay.service").read_text()
    (command,) = [line.removeprefix("ExecStart=") for line in unit.splitlines() if line.startswith("ExecStart=")]
    env = relayed(memory, tmp_path, receiver.endpoint)
    with subprocess.Popen(command.split(), env=env) as running:
        while supervisor.running(str(memory)) is None:
            time.sleep(0.01)
        assert supervisor.running(str(memory)) == running.pid
        second = subprocess.run(command.split(), env=env, capture_output=True, text=True, check=False)
        assert (second.returncode, second.stderr) == (
            2,
            f"obsctl: process {running.pid} is the relay already; obsctl relay stop\n",
        )
        agent(STORY)
        assert receiver.wait_for(lambda got: len(got.spans) == 3)
        running.terminate()
    assert running.returncode == 0


def test_secrets_that_the_agent_holds_are_taken_out(agent: Launch, receiver: Receiver) -> None:
    program = """\
import logging, os
from opentelemetry import trace
from obs_run.base import held_values
logging.basicConfig(handlers=[logging.NullHandler()])
logging.warning("one %s", os.environ["SERVICE_TOKEN"])
os.environ["LATE_API_KEY"] = "of-a-file-Zq7Rk29xPm"
logging.warning("two %s", os.environ["LATE_API_KEY"])
held_values.hold("of-a-client-Qk3Wv81yTn")
with trace.get_tracer("x").start_as_current_span("three of-a-client-Qk3Wv81yTn"):
    logging.warning("four of-a-client-Qk3Wv81yTn")
"""
    assert agent(program, SERVICE_TOKEN="of-the-start-Lm5Xc62wBd").code == 0
    assert receiver.wait_for(lambda got: len(got.logs) == 3 and len(got.spans) == 2)
    told = " ".join([str(log.body) for log in receiver.logs] + [span.name for span in receiver.spans])
    assert all(word in told for word in ("one", "two", "three", "four"))
    assert not [part for part in ("Lm5Xc62wBd", "Zq7Rk29xPm", "Qk3Wv81yTn") if part in told], told


def test_wrong_values_of_the_standard_variables_stop_no_relay(agent: Launch, receiver: Receiver) -> None:
    outcome = agent(STORY, OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT="abc", OTEL_METRICS_EXEMPLAR_FILTER="all")
    assert (outcome.code, outcome.out) == (0, "")
    assert receiver.wait_for(lambda got: len(got.spans) == 3 and "inside of outer" in [log.body for log in got.logs])


@pytest.mark.slow
def test_a_terminal_is_told_what_becomes_of_the_telemetry(memory: Path, tmp_path: Path) -> None:
    program = "from obs_run.tracing import get_tracer\nget_tracer('x').start_span('work')\n"
    with answering(400) as endpoint:
        env = relayed(memory, tmp_path, endpoint)
        told = ""
        until = time.monotonic() + SECONDS
        while "refused traces" not in told and time.monotonic() < until:
            told = on_terminal(tmp_path, program, **env)
    assert f"obs-run: {endpoint} refused" in told


@pytest.mark.slow
def test_damaged_and_hostile_buffers_stop_nothing(agent: Launch, receiver: Receiver, memory: Path) -> None:
    agent(STORY)
    assert receiver.wait_for(lambda got: len(got.spans) == 3)
    (place,) = map(Path, relay_client.configurations(str(memory)))
    chance = random.Random(7)
    own = segment.HEAD.pack(segment.MAGIC, os.getpid(), 0, segment.SIZE, segment.OPEN, 0).ljust(
        segment.HEAD_SIZE, b"\0"
    )
    hostile = [
        b"",
        b"short",
        chance.randbytes(segment.SIZE),
        own + chance.randbytes(5000),
        own + segment.RECORD_HEAD.pack(1 << 31, 1) + b"x" * 100,
        *(
            own + framed(payload)
            for payload in (b"", b"x", b"[\xff\xff\xff\x7f", marshal.dumps((1,)), chance.randbytes(300))
        ),
        own + framed(marshal.dumps((5, "only", "two"), 2)) + framed(codec.encode(codec.Lost(3))),
    ]
    for number, data in enumerate(hostile):
        (place / f"{os.getpid()}-hostile{number}.0").write_bytes(data)
    # One whose beginning is gone, and one that is no file.
    (place / f"{os.getpid()}-hole.7").write_bytes(own + framed(b"x"))
    (place / f"{os.getpid()}-folder.0").mkdir()
    agent(STORY)
    assert receiver.wait_for(lambda got: len(got.spans) == 6)


def framed(payload: bytes) -> bytes:
    return segment.RECORD_HEAD.pack(len(payload), crc32(payload)) + payload


LONG = """\
import time
from obs_run.tracing import get_tracer
tracer = get_tracer("x")
for number in range({number}):
    with tracer.span(f"span {{number}}"):
        time.sleep(0.01)
"""


def start(memory: Path, home: Path, endpoint: str, program: str, **more: str) -> subprocess.Popen[bytes]:
    (home / "agent.py").write_text(program)
    return subprocess.Popen([OBS_RUN, PYTHON, "agent.py"], cwd=home, env=relayed(memory, home, endpoint, **more))


def workers_of(memory: Path) -> list[int]:
    """Return the numbers of the processes that read a folder in ``memory``."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if any(b"import work;" in word for word in words) and any(os.fsencode(memory) in word for word in words):
            found.append(int(path.parent.name))
    return found


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.slow
def test_two_relays_do_not_read_the_same(receiver: Receiver, memory: Path, tmp_path: Path) -> None:
    first = start(memory, tmp_path, receiver.endpoint, LONG.format(number=150))
    assert receiver.wait_for(lambda got: bool(got.spans))
    (worker,) = workers_of(memory)
    killed = supervisor.running(str(memory))
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    second = start(memory, tmp_path, receiver.endpoint, LONG.format(number=50))
    assert (first.wait(), second.wait()) == (0, 0)
    assert receiver.wait_for(lambda got: len({span.span_id for span in got.spans}) == 202)
    # The old one gave way to that of the new supervisor, and nothing came twice.
    wait_until(lambda: worker not in workers_of(memory))
    assert len(receiver.spans) == 202


@pytest.mark.slow
def test_how_an_agent_ended_is_known_though_the_relay_was_killed_with_it(
    receiver: Receiver, memory: Path, tmp_path: Path
) -> None:
    subprocess.run([OBSCTL, "relay", "start"], env=relayed(memory, tmp_path, receiver.endpoint), check=True)
    above = supervisor.running(str(memory))
    assert above is not None
    # By the time that it looks the agent has been writing for long.
    os.kill(above, signal.SIGSTOP)
    running = start(memory, tmp_path, receiver.endpoint, LONG.format(number=1000))
    wait_until(lambda: any(map(segment.parse_name, (path.name for path in memory.glob("*/*")))))
    os.kill(above, signal.SIGCONT)
    assert receiver.wait_for(lambda got: bool(got.spans))
    (worker,) = workers_of(memory)
    os.kill(worker, signal.SIGKILL)
    running.kill()
    running.wait()
    assert run_span(receiver).attributes["obs.run.signal"] == "SIGKILL"


@pytest.mark.slow
def test_a_relay_ends_with_its_folder(receiver: Receiver, memory: Path, tmp_path: Path) -> None:
    running = start(memory, tmp_path, receiver.endpoint, LONG.format(number=100))
    assert receiver.wait_for(lambda got: bool(got.spans))
    killed = supervisor.running(str(memory))
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    shutil.rmtree(memory)
    wait_until(lambda: not workers_of(memory))
    assert running.wait() == 0


@pytest.mark.slow
def test_nothing_comes_twice_where_a_relay_is_stopped_and_started_amid_work(
    receiver: Receiver, memory: Path, tmp_path: Path
) -> None:
    env = relayed(memory, tmp_path, receiver.endpoint)
    running = start(memory, tmp_path, receiver.endpoint, LONG.format(number=300))
    for number in (1, 60):
        assert receiver.wait_for(lambda got, number=number: len(got.spans) >= number)  # type: ignore[misc]
        for action in ("stop", "start"):
            subprocess.run([OBSCTL, "relay", action], env=env, check=True, capture_output=True)
    assert running.wait() == 0
    assert receiver.wait_for(lambda got: len({span.span_id for span in got.spans}) == 301)
    assert len(receiver.spans) == 301


@pytest.mark.slow
def test_an_agent_that_never_pauses_loses_nothing(
    agent: Launch, receiver: Receiver, memory: Path, tmp_path: Path
) -> None:
    # Something always waits to be gathered, and the buffer is smaller than what comes in all.
    more = {"OTEL_BSP_SCHEDULE_DELAY": "300", "OBS_QUEUE_BYTES": "4MiB"}
    assert agent(STORY, **more).code == 0
    assert receiver.wait_for(lambda got: len(got.spans) == 3)
    program = LONG.format(number=600).replace('f"span {number}"', 'f"{number} " + "x" * 10000')
    running = start(memory, tmp_path, receiver.endpoint, program, **more)
    assert running.wait() == 0
    assert receiver.wait_for(lambda got: len(got.named("agent")) == 2)
    numbers = {span.name.partition(" ")[0] for span in receiver.spans if "xxx" in span.name}
    assert numbers == set(map(str, range(600)))


HEAD_OF_ONE_GONE = segment.HEAD.pack(segment.MAGIC, 1 << 22, 0, segment.SIZE, segment.SEALED, 0).ljust(
    segment.HEAD_SIZE, b"\0"
)
"""How a segment begins whose process is gone."""


def place_of_stopped(receiver: Receiver, memory: Path, tmp_path: Path) -> Path:
    """Return the folder of a relay that has exported an agent's spans, and was stopped."""
    launch(memory, tmp_path, receiver.endpoint, STORY)
    assert receiver.wait_for(lambda got: len(got.spans) == 3)
    env = relayed(memory, tmp_path, receiver.endpoint)
    subprocess.run([OBSCTL, "relay", "stop"], env=env, check=True)
    (place,) = map(Path, relay_client.configurations(str(memory)))
    return place


@pytest.mark.slow
def test_what_may_have_arrived_before_the_relay_was_killed_is_marked(
    memory: Path, tmp_path: Path, receiver: Receiver
) -> None:
    place = place_of_stopped(receiver, memory, tmp_path)
    buffer = f"{os.getpid()}-left"
    records = b""
    for name in ("exported", "not read"):
        span = SpanRecord(name, "INTERNAL", 1, 1, len(name), 2, scope=codec.OURS)
        records += framed(codec.encode(codec.Ended(span)))
        if name == "exported":
            progress.write_given(str(place), {buffer: (0, len(HEAD_OF_ONE_GONE) + len(records))})
    (place / f"{buffer}.0").write_bytes(HEAD_OF_ONE_GONE + records)
    launch(memory, tmp_path, receiver.endpoint, STORY)
    assert receiver.wait_for(lambda got: len(got.spans) == 8)
    assert receiver.named("exported")[0].attributes == {REPEATED: True}
    assert receiver.named("not read")[0].attributes == {}


@pytest.mark.slow
def test_what_was_read_is_not_read_again_where_a_relay_was_killed_before_it_could_delete_it(
    memory: Path, tmp_path: Path, receiver: Receiver
) -> None:
    place = place_of_stopped(receiver, memory, tmp_path)
    left = place / f"{os.getpid()}-left.0"
    span = SpanRecord("read", "INTERNAL", 1, 1, 1, 2, scope=codec.OURS)
    left.write_bytes(HEAD_OF_ONE_GONE + framed(codec.encode(codec.Ended(span))))
    progress.write(str(place), {f"{os.getpid()}-left": Position(1, segment.HEAD_SIZE, None, None, ())})
    launch(memory, tmp_path, receiver.endpoint, STORY)
    assert receiver.wait_for(lambda got: len(got.spans) == 6)
    wait_until(lambda: not left.exists())
    assert not receiver.named("read")


@pytest.mark.parametrize("value", ["ON", " on"])
def test_the_launcher_and_the_agent_read_the_variable_alike(
    agent: Launch, receiver: Receiver, memory: Path, value: str
) -> None:
    assert agent(STORY, OBS_RELAY=value).code == 0
    assert receiver.wait_for(lambda got: len(got.spans) == 3)
    assert supervisor.running(str(memory)) is not None


def test_a_flush_has_the_metrics_of_agents_that_are_gone_exported(
    agent: Launch, receiver: Receiver, memory: Path, tmp_path: Path
) -> None:
    program = "from obs_run.tracing import trace_tool\n@trace_tool\ndef search():\n    pass\nsearch()\n"
    agent(program, OTEL_METRIC_EXPORT_INTERVAL="600000")
    assert receiver.wait_for(lambda got: len(got.spans) == 2)
    (place,) = map(Path, relay_client.configurations(str(memory)))
    wait_until(lambda: not any(segment.parse_name(path.name) for path in place.iterdir()))
    subprocess.run([OBSCTL, "relay", "flush"], env=relayed(memory, tmp_path, receiver.endpoint), check=True)
    assert receiver.metrics


@pytest.mark.slow
def test_a_relay_stays_as_long_as_it_is_told(agent: Launch, receiver: Receiver, memory: Path) -> None:
    agent(STORY, OBS_RELAY_SECONDS="0.5")
    assert receiver.wait_for(lambda got: len(got.spans) == 3)
    until = time.monotonic() + SECONDS / 2
    while supervisor.running(str(memory)) is not None and time.monotonic() < until:
        time.sleep(0.05)
    assert supervisor.running(str(memory)) is None


def test_a_folder_that_cannot_be_written_is_not_used(monkeypatch: pytest.MonkeyPatch, memory: Path) -> None:
    monkeypatch.setattr(relay, "_found", {})
    monkeypatch.setenv("OBS_RELAY", "on")
    monkeypatch.setenv("OBS_RELAY_FOLDER", str(memory))
    for name in relay._EXPORTERS:
        monkeypatch.delenv(name, raising=False)
    # Root may write whatever the mode is; what a file system that is read-only says is the same for all.
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert relay.folder() == ""
