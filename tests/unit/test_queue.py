from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from obs_run.core.sink import LogRecord, OperationRecord, Timing
from obs_run.pipeline import queue as queue_module
from obs_run.pipeline.items import LogItem, SpanItem
from obs_run.pipeline.losses import Losses
from obs_run.pipeline.queue import Queue
from obs_run.process import threads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.otlp_receiver import Receiver
    from tests.unit.agents import Run


class Destination:
    """Stands in for the export: keeps what it gets, or blocks until it is let go."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self.batches: list[int] = []
        self.dropped = 0
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Event()

    def export(self, items: list[Any], _deadline: float | None) -> None:
        self.entered.set()
        self.open.wait(60)
        self.batches.append(len(items))
        self.items.extend(items)

    def retry_pending(self, _deadline: float | None, dropped: int) -> None:
        self.dropped += dropped

    def seconds_until_due(self) -> float | None:
        return None

    def close(self, _deadline: float, dropped: int, left: int) -> None:
        self.dropped += dropped + left

    def load(self) -> None:
        pass

    def give_up(self, left: int) -> None:
        self.dropped += left

    def after_fork(self) -> None:
        pass


class Small:
    def __init__(self, size: int = 100) -> None:
        self.size = size


@pytest.fixture
def to() -> Iterator[Destination]:
    made = Destination()
    yield made
    made.open.set()


def _queue(to: Destination, monkeypatch: pytest.MonkeyPatch, **settings: str) -> Any:
    for name, value in {"OTEL_BSP_SCHEDULE_DELAY": "10", **settings}.items():
        monkeypatch.setenv(name, value)
    return Queue(lambda: to, Losses())


def _in(seconds: float) -> float:
    return time.monotonic() + seconds


def test_items_of_many_threads_all_arrive(to: Destination, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = _queue(to, monkeypatch)
    threads = [threading.Thread(target=lambda: [queue.put(Small()) for _ in range(2000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert queue.flush(_in(20))
    assert len(to.items) == 8000
    assert max(to.batches) <= 512
    assert queue._bytes == 0


def test_items_go_by_themselves_after_the_delay(to: Destination, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = _queue(to, monkeypatch)
    for _ in range(3):
        queue.put(Small())
        assert to.entered.wait(60)
        to.entered.clear()


def test_a_full_batch_does_not_wait_for_the_delay(to: Destination, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = _queue(to, monkeypatch, OTEL_BSP_SCHEDULE_DELAY="60000", OBS_BATCH_BYTES="1000")
    for _ in range(12):
        queue.put(Small())
    assert to.entered.wait(60)


def test_a_full_queue_drops_the_oldest_and_counts_them(to: Destination, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = _queue(to, monkeypatch, OBS_QUEUE_BYTES="1000", OBS_BATCH_BYTES="100")
    to.open.clear()
    first = Small()
    queue.put(first)
    queue.flush(_in(0))
    assert to.entered.wait(60)
    items = [Small() for _ in range(25)]
    for item in items:
        queue.put(item)
    assert queue._bytes == 1000
    to.open.set()

    assert queue.flush(_in(10))
    assert to.items == [first, *items[-10:]]
    assert to.dropped == 15


def test_items_larger_than_the_queue_are_kept_and_throw_out_no_other(
    to: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = _queue(to, monkeypatch, OBS_QUEUE_BYTES="1000", OTEL_BSP_SCHEDULE_DELAY="60000")
    items = [Small(), Small(50_000), Small(100), Small(50_000)]
    for item in items:
        queue.put(item)
    assert queue.flush(_in(10))
    assert to.items == items


def test_a_flush_does_not_wait_past_its_deadline(to: Destination, monkeypatch: pytest.MonkeyPatch) -> None:
    queue = _queue(to, monkeypatch)
    to.open.clear()
    queue.put(Small())
    assert to.entered.wait(60)
    begun = time.monotonic()

    assert not queue.flush(begun + 0.2)
    assert 0.15 < time.monotonic() - begun < 10


def test_a_flush_in_the_midst_of_another_keeps_its_deadline_too(
    to: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the export thread cannot be started at the end, and a signal interrupts the flush."""
    queue = _queue(to, monkeypatch, OTEL_BSP_SCHEDULE_DELAY="60000")
    monkeypatch.setattr(queue, "_start", lambda: None)
    to.open.clear()
    queue.put(Small())
    first = threading.Thread(target=queue.flush, args=(_in(100),))
    first.start()
    assert to.entered.wait(60)
    begun = time.monotonic()
    assert not queue.flush(begun + 0.2)
    assert time.monotonic() - begun < 10
    to.open.set()
    first.join()
    assert len(to.items) == 1


def test_a_failing_export_ends_neither_the_thread_nor_the_flush(
    to: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = _queue(to, monkeypatch)
    monkeypatch.setattr(to, "export", lambda *_: 1 / 0)
    queue.put(Small())
    assert queue.flush(_in(10))
    monkeypatch.undo()
    queue.put(Small())
    assert queue.flush(_in(10))
    assert len(to.items) == 1


def test_sizes_count_texts_wherever_they_are() -> None:
    from opentelemetry.sdk.trace import Event, ReadableSpan

    text = "x" * 10_000
    operation = OperationRecord("ToolCall", {}, {"a": text}, Timing(1), {}, content_size=len(text))
    log: dict[str, Any] = {"time_ns": 1, "severity": 9, "severity_text": "", "trace": (0, 0, 0), "scope": ""}
    items: list[Any] = [
        SpanItem(ReadableSpan("s", attributes={"a": text})),
        SpanItem(ReadableSpan("s", events=[Event("e", {"a": text})])),
        SpanItem(ReadableSpan("s"), operation),
        LogItem(LogRecord(body=text, attributes={}, **log)),
        LogItem(LogRecord(body=None, attributes={"a": text}, **log)),
        LogItem(LogRecord(body={"deep": [text]}, attributes={}, **log)),
    ]
    assert all(10_000 < item.size < 14_500 for item in items)


def test_roots_and_errors_go_first_where_there_is_no_time_for_all(
    to: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.trace import SpanContext, Status, StatusCode

    def span(name: str, parent: SpanContext | None, status: Status | None = None) -> SpanItem:
        return SpanItem(ReadableSpan(name, parent=parent, status=status or Status()))

    here, elsewhere = SpanContext(1, 2, is_remote=False), SpanContext(1, 2, is_remote=True)
    log: dict[str, Any] = {"time_ns": 1, "severity_text": "", "trace": (0, 0, 0), "scope": "", "attributes": {}}
    inside = [span("a", here), LogItem(LogRecord(body="b", severity=9, **log)), Small()]
    first = [
        span("failed", here, Status(StatusCode.ERROR)),
        LogItem(LogRecord(body="error", severity=17, **log)),
        span("from elsewhere", elsewhere),
        span("root", None),
    ]
    queue = _queue(to, monkeypatch, OTEL_BSP_SCHEDULE_DELAY="60000")
    for item in (inside[0], first[0], inside[1], first[1], inside[2], *first[2:]):
        queue.put(item)
    queue._order_items()
    assert queue.flush(_in(60))
    assert to.items == [*first, *inside]


# In processes of their own


def test_a_wrong_size_is_said_once_by_the_log_record_that_makes_the_queue(agent: Run) -> None:
    ran = agent(
        "import logging; logging.basicConfig(); logging.warning('first'); logging.warning('second')",
        OBS_QUEUE_BYTES="many",
    )
    assert ran.code == 0
    assert ran.err.count("OBS_QUEUE_BYTES: 'many' is not allowed") == 1
    assert ran.err.index("first") < ran.err.index("OBS_QUEUE_BYTES") < ran.err.index("second")


def test_put_from_a_signal_handler(agent: Run) -> None:
    ran = agent(
        """
    import logging, signal, time
    import telemetry_probe
    logging.basicConfig(handlers=[logging.NullHandler()], level=logging.INFO)
    logging.info("loads what is needed")
    count = 0
    def handler(*_):
        global count
        count += 1
        logging.info("signal")
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    end = time.monotonic() + 1
    told = 0
    while time.monotonic() < end or count <= 20:
        logging.info("main")
        told += 1
    signal.setitimer(signal.ITIMER_REAL, 0)
    telemetry_probe.collected()
    from obs_run.pipeline import memory
    bodies = [log.log_record.body for log in memory.exporter("logs").items]
    assert bodies.count("signal") == count, (bodies.count("signal"), count)
    assert bodies.count("main") == told
    """,
        OBS_QUEUE_BYTES="2GiB",
    )
    assert (ran.code, ran.err) == (0, "")


@pytest.mark.slow
def test_put_at_the_interpreters_shutdown_neither_hangs_nor_prints(agent: Run) -> None:
    ran = agent("""
    import atexit, logging
    logging.basicConfig(handlers=[logging.NullHandler()])

    class Late:
        def __del__(self):
            logging.warning("in __del__ at the end")
    late = Late()
    atexit.register(logging.warning, "at exit")
    """)
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_a_record_made_at_exit_is_delivered(agent: Run, receiver: Receiver) -> None:
    ran = agent(
        """
        import atexit, logging
        logging.basicConfig(handlers=[logging.NullHandler()])
        logging.warning("before")
        atexit.register(logging.warning, "at exit")
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
    )
    assert (ran.code, ran.err) == (0, "")
    assert receiver.wait_for(lambda got: [log.body for log in got.logs] == ["before", "at exit"])


FORKING = """
import logging, os, sys, threading, time
from opentelemetry import metrics, trace

logging.basicConfig(handlers=[logging.NullHandler()], level=logging.INFO)
tracer = trace.get_tracer("t")
def child(number):
    tracer.start_span(f"child {number}").end()
    counter.add(1, {"who": "child"})
    logging.info("child %d", number)
"""


@pytest.mark.slow
def test_forks_in_the_middle_of_everything(agent: Run, receiver: Receiver) -> None:
    ran = agent(
        FORKING
        + """
counter = metrics.get_meter("m").create_counter("work")
made = 0
stop = threading.Event()
def busy():
    global made
    while not stop.is_set():
        with tracer.start_as_current_span("busy"):
            logging.info("busy")
        counter.add(1, {"who": "parent"})
        made += 1
        time.sleep(0.001)
thread = threading.Thread(target=busy)
thread.start()
pids = []
for number in range(20):
    pid = os.fork()
    if not pid:
        child(number)
        os._exit(0)
    pids.append(pid)
    time.sleep(0.01)
codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
stop.set()
thread.join()
print(made, codes)
""",
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        PYTHONWARNINGS="ignore",  # Python 3.12 warns of the agent's own thread
        OBS_FLUSH_SECONDS="30",  # twenty children at once on a busy machine
    )
    assert (ran.code, ran.err) == (0, "")
    made, codes = ran.out.split(" ", 1)
    assert codes.strip() == str([0] * 20)
    children = {f"child {number}" for number in range(20)}
    assert receiver.wait_for(lambda got: children <= {span.name for span in got.spans})
    names = [span.name for span in receiver.spans]
    assert sorted(name for name in names if name.startswith("child")) == sorted(children), "once each"
    assert names.count("busy") == int(made), "the parent's spans come once, and from the parent"
    assert {log.body for log in receiver.logs} >= children
    assert sum(log.body == "busy" for log in receiver.logs) == int(made)
    (run,) = receiver.named("agent")
    assert {span.trace_id for span in receiver.spans} == {run.trace_id}
    instances = {span.resource["service.instance.id"] for span in receiver.spans}
    assert len(instances) == 21


@pytest.mark.slow
def test_a_childs_counts_begin_at_zero_and_its_spans_are_not_its_parents(agent: Run) -> None:
    ran = agent(
        FORKING
        + """
import telemetry_probe
counter = metrics.get_meter("m").create_counter("work")
counter.add(5, {"who": "parent"})
tracer.start_span("before").end()
with tracer.start_as_current_span("open"):
    pid = os.fork()
    if not pid:
        child(1)
if not pid:
    telemetry_probe.show(pid=os.getpid())
    os._exit(0)
os.waitpid(pid, 0)
child(2)
telemetry_probe.show(pid=os.getpid())
"""
    )
    import json

    of_child, of_parent = (json.loads(line) for line in ran.out.splitlines() if line)
    assert ran.err == ""
    assert [span["name"] for span in of_child["spans"]] == ["child 1"]
    assert {span["name"] for span in of_parent["spans"]} == {"before", "open", "child 2"}
    (opened,) = [span for span in of_parent["spans"] if span["name"] == "open"]
    assert of_child["spans"][0]["parent"] == opened["span"]
    points = {point["attributes"]["who"]: point["value"] for point in of_child["metrics"]["work"]["points"]}
    assert points == {"child": 1}
    points = {point["attributes"]["who"]: point["value"] for point in of_parent["metrics"]["work"]["points"]}
    assert points == {"parent": 5, "child": 1}
    resource = of_child["spans"][0]["resource"]
    assert resource["process.pid"] == of_child["pid"] == of_child["logs"][0]["resource"]["process.pid"]
    assert resource["service.name"] == opened["resource"]["service.name"]
    assert resource["service.instance.id"] != opened["resource"]["service.instance.id"]


def test_a_fork_while_another_thread_sets_up_leaves_the_child_able_to(agent: Run, receiver: Receiver) -> None:
    ran = agent(
        """
        import os, threading, time
        from opentelemetry import trace

        tracer = trace.get_tracer("t")
        thread = threading.Thread(target=lambda: tracer.start_span("thread").end())
        thread.start()
        pids = []
        while thread.is_alive() or not pids:
            pid = os.fork()
            if not pid:
                tracer.start_span("child").end()
                os._exit(0)
            pids.append(pid)
            time.sleep(0.02)
        print(len(pids), {os.waitpid(pid, 0)[1] for pid in pids})
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        PYTHONWARNINGS="ignore",
    )
    assert (ran.code, ran.err) == (0, "")
    forks, statuses = ran.out.split(" ", 1)
    assert statuses == "{0}\n"
    assert receiver.wait_for(lambda got: len(got.named("child")) == int(forks))
    assert len(receiver.named("thread")) == 1


@pytest.mark.slow
def test_forks_beside_a_silent_collector_are_not_each_delayed(agent: Run, receiver: Receiver) -> None:
    receiver.mood = "silent"
    ran = agent(
        """
        import logging, os, time
        logging.basicConfig(handlers=[logging.NullHandler()])
        logging.warning("sets the thread to work")
        time.sleep(0.5)
        begun = time.monotonic()
        for _ in range(10):
            pid = os.fork()
            if not pid:
                os.kill(os.getpid(), 9)
            os.waitpid(pid, 0)
        print(time.monotonic() - begun, flush=True)
        os.kill(os.getpid(), 9)
        """,
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        OBS_FLUSH_SECONDS="20",
        PYTHONWARNINGS="ignore",
    )
    assert (ran.code, ran.err) == (-9, "")
    # Were each to wait for what is under way, they would take 200.
    assert float(ran.out) < 10


def test_a_fork_of_an_idle_agent_brings_no_warning_of_threads(agent: Run) -> None:
    ran = agent(
        """
        import os, time
        from opentelemetry import trace
        for _ in range(3):
            trace.get_tracer("t").start_span("work").end()
            time.sleep(0.1)
            pid = os.fork()
            if not pid:
                os._exit(0)
            os.waitpid(pid, 0)
        """,
        PYTHONWARNINGS="error",
    )
    assert (ran.code, ran.err) == (0, "")


def test_drops_are_said_once_and_counted_in_a_metric(agent: Run) -> None:
    ran = agent(
        """
        import logging
        import telemetry_probe
        logging.basicConfig()
        quiet = logging.getLogger("quiet")
        quiet.propagate = False
        for number in range(200):
            quiet.warning("x" * 1000)
        telemetry_probe.collected()
        telemetry_probe.show()
        """,
        OBS_QUEUE_BYTES="20KB",
        OTEL_BSP_SCHEDULE_DELAY="60000",
    )
    dropped = ran.seen["metrics"]["obs.export.dropped"]
    assert dropped["unit"] == "{item}"
    assert dropped["points"][0]["value"] + len(ran.seen["logs"]) >= 200
    assert ran.err.count("were dropped") == 1


def test_a_destination_that_is_instrumented_itself_does_not_feed_itself(agent: Run) -> None:
    ran = agent("""
    import logging
    import time
    import telemetry_probe
    from opentelemetry import trace
    from obs_run.pipeline import memory

    logging.basicConfig(handlers=[logging.NullHandler()])
    tracer = trace.get_tracer("t")
    class Talking(memory.Memory):
        def export(self, batch):
            with tracer.start_as_current_span("by the exporter"):
                logging.warning("by the exporter")
            super().export(batch)
    memory._exporters["traces"] = Talking()
    tracer.start_span("work").end()
    time.sleep(0.5)
    telemetry_probe.show()
    """)
    assert [span["name"] for span in ran.seen["spans"]] == ["work"]
    assert ran.seen["logs"] == []


def test_a_flush_amid_the_making_of_the_consumer_waits_no_longer_than_its_deadline(
    to: Destination, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads.BackgroundThread, "start", _no_more_threads)
    # Who waited for that long would be ended by the time limit of tests.
    monkeypatch.setattr(queue_module, "_MOST_LOADING_SECONDS", threading.TIMEOUT_MAX)
    done: list[bool] = []

    def make() -> Destination:
        done.append(queue.flush(_in(0.05)))
        return to

    queue: Any = Queue(make, Losses())
    queue.put(Small())
    queue.load()
    assert done == [False]
    assert queue.flush(_in(60))
    assert len(to.items) == 1


def _no_more_threads(_: object) -> None:
    raise RuntimeError("can't start new thread")
