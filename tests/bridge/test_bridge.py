"""Log lines as spans, as agents meet them: in a process of their own, by the setting alone."""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.unit.agents import Ran, Run

PRELUDE = """
    import asyncio, logging, threading
    import telemetry_probe
    logging.basicConfig(level=0, handlers=[logging.NullHandler()])
    log = logging.getLogger("agent")
"""


def bridged(agent: Run, source: str, **environment: str) -> Ran:
    """Run an agent whose lines become spans."""
    shown = f"{PRELUDE}\n{indent(source, '')}\n    telemetry_probe.show()"
    ran = agent(shown, **{"OBS_BRIDGE": "automatic", **environment})
    assert (ran.code, ran.err) == (0, "")
    return ran


def tree(ran: Ran) -> list[tuple[str, str | None, str, str]]:
    """Return name, parent's name, how its end is known, and status of each span, in the order of their ends."""
    names = {span["span"]: span["name"] for span in ran.seen["spans"]}
    return [
        (span["name"], names.get(span["parent"]), _end(span["attributes"]), span["status"])
        for span in ran.seen["spans"]
        if "obs.bridge.rule" in span["attributes"]
    ]


def _end(attributes: dict[str, Any]) -> str:
    return "unfinished" if "obs.span.unfinished" in attributes else str(attributes["obs.bridge.end"])


LOAD = """
    def load(name, fail=False):
        log.info(f"Loading model {name}")
        try:
            if fail:
                raise MemoryError("too large")
            log.info(f"Loaded model {name} in 0.2 seconds")
        except MemoryError as error:
            log.error(f"Failed to load model {name}: {error}")
"""


def test_two_lines_of_a_function_are_a_span_that_is_current_between_them(agent: Run) -> None:
    ran = bridged(
        agent,
        LOAD
        + """
    def answer():
        log.info("Answering question 7")
        load("a")
        log.info("Question 7 answered")
    answer()
    """,
    )
    assert tree(ran) == [
        ("Loading model", "Answering question 7", "line", "UNSET"),
        ("Answering question 7", None, "line", "UNSET"),
    ]
    loading = ran.spans()["Loading model"]["attributes"]
    assert loading["obs.bridge.rule"] == "automatic"
    assert loading["obs.bridge.end.line"] == loading["code.line.number"] + 4
    lines = ran.logs()
    assert lines["Loading model a"]["span"] == lines["Loaded model a in 0.2 seconds"]["span"]
    assert lines["Loading model a"]["span"] == ran.spans()["Loading model"]["span"]


def test_a_failure_is_the_span_s_with_its_exception(agent: Run) -> None:
    ran = bridged(agent, LOAD + "    load('b', fail=True)")
    (span,) = ran.seen["spans"]
    assert (span["status"], span["attributes"]["error.type"]) == ("ERROR", "MemoryError")
    assert "Failed to load model b: too large" in str(span)


def test_a_failure_that_is_overcome_is_none(agent: Run) -> None:
    ran = bridged(
        agent,
        """
    def fetch():
        log.info("Fetching prices")
        try:
            raise TimeoutError("slow")
        except TimeoutError as error:
            log.warning(f"Fetching prices failed: {error}, using the cache")
        log.info("Prices fetched")
    fetch()
    """,
    )
    assert tree(ran) == [("Fetching prices", None, "line", "UNSET")]


def test_what_no_line_ends_ends_with_its_function(agent: Run) -> None:
    ran = bridged(
        agent,
        """
    def index(pages):
        log.info("Indexing pages")
        if not pages:
            return
        raised = 1 / (pages - 1)
        log.info("Pages indexed")
    index(0)
    try:
        index(1)
    except ZeroDivisionError:
        pass
    log.info("after")
    """,
    )
    assert tree(ran) == [
        ("Indexing pages", None, "return", "UNSET"),
        ("Indexing pages", None, "return", "ERROR"),
    ]
    assert ran.logs()["after"]["span"] not in {span["span"] for span in ran.seen["spans"]}


def test_what_is_awaited_read_or_a_block_has_returned_when_it_is_over(agent: Run) -> None:
    ran = bridged(
        agent,
        """
    import contextlib

    async def fetch(pages):
        log.info("Fetching pages")
        await asyncio.sleep(0.01)
        if not pages:
            return
        log.info("Pages fetched")

    async def main():
        await asyncio.gather(fetch(0), fetch(0))
        await fetch(0)

    @contextlib.contextmanager
    def open_shop(hours):
        log.info("Preparing shop")
        yield
        if hours:
            log.info("Shop prepared")

    def read(prices):
        log.info("Reading prices")
        yield 1
        yield 2
        if prices:
            log.info("Prices read")

    asyncio.run(main())
    with open_shop(0):
        pass
    for price in read(0):
        break
    del price
    log.info("after")
    """,
    )
    assert tree(ran) == [("Fetching pages", None, "return", "UNSET")] * 3 + [
        ("Preparing shop", None, "return", "UNSET"),
        ("Reading prices", None, "return", "UNSET"),
    ]


def test_a_request_is_linked_to_the_run_and_stays_in_a_server_s_trace(agent: Run) -> None:
    ran = bridged(
        agent,
        """
    from opentelemetry import trace
    def handle(request):
        log.info(f"Received request: {request}")
        log.info("Sending response")
    handle("a")
    with trace.get_tracer("t").start_as_current_span("server"):
        handle("b")
    """,
    )
    first, second = (span for span in ran.seen["spans"] if span["name"] == "Received request")
    server = ran.spans()["server"]
    assert (second["parent"], second["trace"], second["links"]) == (server["span"], server["trace"], [])
    # That of the server is the run's.
    assert (first["parent"], first["links"]) == (None, [server["trace"]])
    assert first["trace"] != server["trace"]


def test_ids_tell_pieces_of_work_apart(agent: Run) -> None:
    ran = bridged(
        agent,
        """
    async def work(task_id, pause):
        log.info(f"Executing task {task_id}")
        await asyncio.sleep(pause)
        log.info(f"Task {task_id} completed")

    def both():
        for job_id in (1, 2):
            log.info(f"Submitting job {job_id}")
        for job_id in (1, 2):
            log.info(f"Job {job_id} submitted")

    async def main():
        await asyncio.gather(work("a", 0.02), work("b", 0.01))

    asyncio.run(main())
    """,
    )
    keys = [span["attributes"]["obs.bridge.key"] for span in ran.seen["spans"]]
    assert sorted(keys) == ["task_id=a", "task_id=b"]
    assert {row[1:] for row in tree(ran)} == {(None, "line", "UNSET")}


def test_a_request_begins_a_trace_of_its_own(agent: Run) -> None:
    ran = bridged(
        agent,
        """
    def serve(requests):
        for request in requests:
            log.info(f"Received request: {request}")
            log.info("Looking up the answer")
            log.info("Answer found")
            log.info("Sending response")
    serve(["a", "b"])
    """,
    )
    requests = [span for span in ran.seen["spans"] if span["name"] == "Received request"]
    assert len({span["trace"] for span in requests}) == 2
    assert {span["kind"] for span in requests} == {"CONSUMER"}
    inner = [span["parent"] for span in ran.seen["spans"] if span["name"] == "Looking up the answer"]
    assert inner == [span["span"] for span in requests]


def test_a_method_may_begin_what_another_ends(agent: Run) -> None:
    ran = bridged(
        agent,
        """
    class Recorder:
        def begin(self, clip_id):
            log.info(f"Recording clip {clip_id}")

        def finish(self, clip_id):
            log.info(f"Clip {clip_id} recorded")
    recorder = Recorder()
    recorder.begin(1); recorder.begin(2)
    thread = threading.Thread(target=recorder.finish, args=(1,)); thread.start(); thread.join()
    recorder.finish(2)
    """,
    )
    assert tree(ran) == [("Recording clip", None, "line", "UNSET")] * 2
    assert [span["attributes"]["obs.bridge.key"] for span in ran.seen["spans"]] == ["clip_id=1", "clip_id=2"]


def test_a_context_manager_and_a_decorator(agent: Run) -> None:
    ran = bridged(
        agent,
        """
    import contextlib, functools

    @contextlib.contextmanager
    def lamp():
        log.info("beam on")
        yield
        log.info("beam off")

    class Boat:
        def __enter__(self):
            log.info("cast off")
        def __exit__(self, *_):
            log.info("moored again")

    def traced(function):
        @functools.wraps(function)
        def wrapper(*args):
            log.debug(f">> {function.__name__}")
            try:
                return function(*args)
            finally:
                log.debug(f"<< {function.__name__}")
        return wrapper

    @traced
    def step():
        with lamp():
            with Boat():
                log.info("inside")
    step()
    """,
    )
    assert [row[:3] for row in tree(ran)] == [
        ("cast off", "beam", "line"),
        ("beam", "call", "line"),
        ("call", None, "line"),
    ]
    assert ran.logs()["inside"]["span"] == ran.spans()["cast off"]["span"]


@pytest.mark.sampled
@pytest.mark.parametrize(
    "lines",
    [
        ("Waiting for the messages", "Waited for the messages"),
        ("Starting background thread...", "Background thread started"),
        ("Server started", "Server stopped"),
        ("timeout: 5s", "retrying in 2s"),
        ("Done: 3, failed: 0", "uptime 9h"),
    ],
)
def test_lines_that_begin_and_end_nothing(agent: Run, lines: tuple[str, str]) -> None:
    ran = bridged(
        agent,
        f"""
    def run():
        log.info({lines[0]!r})
        log.info({lines[1]!r})
    run()
    """,
    )
    assert ran.seen["spans"] == []


def test_a_run_that_ends_amid_it_marks_it(agent: Run) -> None:
    ran = agent(
        f"""{PRELUDE}
    import sys
    def load():
        log.info("Loading model")
        telemetry_probe.show()
        if sys.argv:
            sys.exit(0)
        log.info("Loaded model")
    load()
    """,
        OBS_BRIDGE="automatic",
    )
    assert (ran.code, ran.seen["spans"]) == (0, [])


def test_the_function_s_frame_and_result_are_its_own(agent: Run) -> None:
    ran = bridged(
        agent,
        LOAD
        + """
    import gc, sys, weakref
    class Thing: pass
    def hold():
        thing = Thing()
        log.info("Building thing")
        log.info("Thing built")
        return weakref.ref(thing)
    gone = hold()
    assert gone() is None
    assert sys.gettrace() is None
    """,
    )
    assert [row[0] for row in tree(ran)] == ["Building thing"]


@pytest.mark.parametrize("choice", ["off", "rules"])
def test_it_can_be_left_out(agent: Run, choice: str) -> None:
    ran = bridged(agent, LOAD + "    load('a')", OBS_BRIDGE=choice)
    assert ran.seen["spans"] == []


SURE_AND_NOT = """
    def load(name):
        log.info("Loading model %s", name)
        log.info("Loaded model %s", name)

    def brew():
        log.info("Stirring the pot")
        log.info("Done")

    load("a")
    brew()
"""


@pytest.mark.parametrize(("choice", "evidence"), [("safe", ["verb"]), ("automatic", ["verb", "completion"])])
def test_what_is_not_sure_can_be_left_out(agent: Run, choice: str, evidence: list[str]) -> None:
    spans = bridged(agent, SURE_AND_NOT, OBS_BRIDGE=choice).seen["spans"]
    assert [span["attributes"]["obs.bridge.evidence"] for span in spans] == evidence


def test_what_a_line_has_ended_is_over_though_a_traceback_keeps_its_function(agent: Run) -> None:
    ran = bridged(
        agent,
        """
    kept = []
    def serve():
        for request in ("a", "b"):
            log.info(f"Received request: {request}")
            try:
                raise ValueError(request)
            except ValueError as error:
                kept.append(error)
            log.info("Sent response")
    serve()
    from obs_run.core.open_recordings import Ending, open_recordings
    open_recordings.end_all(Ending("exit"))
    """,
    )
    assert tree(ran) == [("Received request", None, "line", "UNSET")] * 2


def test_a_failure_that_a_caller_tells_is_that_of_what_it_called(agent: Run) -> None:
    ran = bridged(
        agent,
        """
    def pack(name):
        log.info(f"Packing {name}")
        raise OSError("not mounted")
        log.info(f"Packed {name}")

    def back_up():
        log.info("Backing up sources")
        try:
            pack("photos")
        except OSError as error:
            log.error(f"Packing photos failed: {error}")
        log.info("Backed up all that there was")
    back_up()
    """,
    )
    assert tree(ran) == [
        ("Packing", "Backing up sources", "line", "ERROR"),
        ("Backing up sources", None, "line", "UNSET"),
    ]
    [packing] = [span for span in ran.seen["spans"] if span["name"] == "Packing"]
    assert packing["attributes"]["obs.bridge.end.line"] > packing["attributes"]["code.line.number"] + 2


def test_what_follows_upon_a_failure_is_inside_until_the_last_line_about_it(agent: Run) -> None:
    ran = bridged(
        agent,
        """
    def roll_back(number):
        log.info(f"Rolling back migration {number}")
        log.info(f"Rollback of {number} complete")

    def apply(number):
        log.info(f"Applying migration {number}")
        try:
            raise OSError("no such table")
        except OSError as error:
            log.error(f"Statement failed: {error}")
            roll_back(number)
            log.error(f"Migration {number} could not be applied")
            return
        log.info(f"Migration {number} applied")
    apply(7)
    """,
    )
    assert tree(ran) == [
        ("Rolling back migration", "Applying migration", "line", "UNSET"),
        ("Applying migration", None, "line", "ERROR"),
    ]


def test_a_function_that_logs_in_the_name_of_its_caller_is_looked_through(agent: Run) -> None:
    ran = bridged(
        agent,
        """
    def note(text, *values):
        log.info(text, *values, stacklevel=2)

    class Agent:
        def tell(self, text, level=logging.INFO):
            log.log(level, "[agent] " + text, stacklevel=2)
        def load(self, name):
            self.tell(f"Loading model {name}")
            fire("oven")
            self.tell(f"Model {name} loaded")

    def fire(kiln):
        note("Firing kiln %s", kiln)
        note("Kiln %s fired", kiln)
    Agent().load("a")
    """,
    )
    assert tree(ran) == [
        ("Firing kiln", "Loading model", "line", "UNSET"),
        ("Loading model", None, "line", "UNSET"),
    ]


def test_a_function_that_writes_what_it_is_given_stands_for_its_caller(agent: Run) -> None:
    ran = bridged(
        agent,
        """
    def note(level, text, *parts):
        line = " ".join([text, *map(str, parts)])
        log.log(level, f"(kitchen 3) {line}")

    def bake(loaf):
        note(20, f"Baking loaf {loaf}")
        log.debug("warm")
        note(20, f"Loaf {loaf} baked,", "and brown")

    bake(7)
    """,
    )
    assert tree(ran) == [("Baking loaf", None, "line", "UNSET")]


def test_a_built_in_rule_gives_way_to_what_a_line_ends(agent: Run) -> None:
    ran = bridged(
        agent,
        """
    def transcribe(number):
        log.info(f"Transcribing segment {number}")
        log.info("PERF_METRIC: [STT] - [Transcription] - Duration: 3.25ms")

    transcribe(1)
    log.info("PERF_METRIC: [STT] - [Loading] - Duration: 4.25ms")
    """,
    )
    assert tree(ran) == [("Transcribing segment", None, "line", "UNSET"), ("Loading", None, "line", "UNSET")]


def test_an_event_of_one_method_ends_what_that_of_another_began(agent: Run) -> None:
    ran = bridged(
        agent,
        """
    class Renderer:
        def submit(self, job_id):
            log.info("job.started", extra={"job_id": job_id})
        def draw(self, job_id):
            log.info("frame.begin", extra={"job_id": job_id})
            abs(job_id)
            log.info("frame.end", extra={"job_id": job_id})
        def finish(self, job_id):
            log.info("job.completed", extra={"job_id": job_id})
        def abort(self, job_id):
            log.error("job.failed", extra={"job_id": job_id})

    renderer = Renderer()
    renderer.submit(1)
    renderer.submit(2)
    renderer.draw(1)
    renderer.abort(1)
    renderer.draw(2)
    renderer.finish(2)
    """,
    )
    assert tree(ran) == [
        ("frame.begin", "job.started", "line", "UNSET"),
        ("job.started", None, "line", "ERROR"),
        ("frame.begin", "job.started", "line", "UNSET"),
        ("job.started", None, "line", "UNSET"),
    ]
