"""What a signal handler or another thread of the agent throws while our code runs is the agent's: it reaches it.

Time limits are made that way: by ``signal.alarm``, of celery's tasks, of tests, of whoever stops a thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.launch.beside_plain import both

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver

# Each limit comes at another moment of the work. The program ends by itself where one is lost.
PROGRAM = """
import functools, logging, signal, sys
from opentelemetry import metrics, trace

logger = logging.getLogger("case")
logger.propagate = False
logger.addHandler(logging.NullHandler())
logger.setLevel(1)
tracer = trace.get_tracer("case")
counter = metrics.get_meter("case").create_counter("counted")

class TimeLimitError({base}):
    pass

class Limits:
    sent = 0
    reached = 0

    def handle(self, number, frame):
        self.sent += 1
        raise {error}

limits = Limits()
signal.signal(signal.SIGALRM, {handler})

def log():
    logger.info("%s of %s", 1, 2, extra={{"a": {{"b": [1]}}}})

def log_formatted():
    logger.info("a long text " * 200 + "%s", ("x", [1, 2]))

def span():
    tracer.start_span("work", attributes={{"a": 1}}).end()

def count():
    counter.add(1, {{"a": "b"}})

for work in (log, log_formatted, span, count):
    work()
    for attempt in range(60):
        before = limits.sent
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.0005 + attempt * 0.00003)
            while limits.sent == before:
                work()
        except {caught} as error:
            limits.reached += 1
            assert error.__traceback__.tb_frame is sys._getframe()
    print(work.__name__, limits.sent - limits.reached)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("handler", "base", "error", "caught"),
    [
        ("limits.handle", "Exception", "TimeLimitError()", "TimeLimitError"),
        pytest.param("limits.handle", "Exception", "TimeoutError('too late')", "TimeoutError", marks=pytest.mark.slow),
        pytest.param(
            "lambda *given: limits.handle(*given)",
            "Exception",
            "TimeLimitError('late')",
            "TimeLimitError",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "functools.partial(Limits.handle, limits)",
            "BaseException",
            "TimeLimitError(1)",
            "TimeLimitError",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_what_a_signal_handler_raises(
    handler: str, base: str, error: str, caught: str, receiver: Receiver, tmp_path: Path
) -> None:
    program = PROGRAM.format(handler=handler, base=base, error=error, caught=caught)
    outcome = both(tmp_path, receiver, program)
    assert (outcome.out, outcome.err, outcome.code) == ("log 0\nlog_formatted 0\nspan 0\ncount 0\n", "", 0)


@pytest.mark.slow
def test_what_another_thread_throws(receiver: Receiver, tmp_path: Path) -> None:
    outcome = both(
        tmp_path, receiver,
        """
        import ctypes, gc, logging, threading, time

        # What is collected while the exception is on its way swallows it: Python's own ``__del__`` and callbacks do.
        gc.disable()
        logger = logging.getLogger("case")
        logger.propagate = False
        logger.addHandler(logging.NullHandler())
        logger.setLevel(1)
        logger.info("first")

        class Stopped(Exception):
            pass

        def work():
            global lost
            try:
                begun.set()
                while not over.is_set():
                    logger.info("%s of %s", 1, 2)
            except Stopped:
                return
            lost += 1

        lost = 0
        for attempt in range(40):
            begun, over = threading.Event(), threading.Event()
            thread = threading.Thread(target=work)
            thread.start()
            begun.wait()
            time.sleep(0.001 + attempt * 0.00005)
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Stopped))
            thread.join(10)
            over.set()
            thread.join()
        # Python itself swallows what is thrown into a destructor, of which logging has none and we have few.
        print("lost" if lost > 2 else "stopped")
        # Nothing of theirs lives on in what handled it.
        print(sum(isinstance(each, Stopped) for each in gc.get_objects()))
        """,
        # More than is logged: what is dropped is told.
        OBS_QUEUE_BYTES="1000000000",
    )  # fmt: skip
    assert (outcome.out, outcome.err, outcome.code) == ("stopped\n0\n", "", 0)


def test_what_our_own_code_and_the_agents_objects_raise_stays_with_us(receiver: Receiver, tmp_path: Path) -> None:
    both(
        tmp_path, receiver,
        """
        import logging, signal, sys

        class Refusing:
            def __str__(self, number=14, frame=None):
                raise TimeoutError

        logging.basicConfig(stream=sys.stdout, format="said")
        signal.signal(signal.SIGALRM, lambda number, frame: logging.warning("%s", 1, extra={"it": Refusing()}))
        signal.raise_signal(signal.SIGALRM)
        logging.warning("%s", 1, extra={"it": Refusing()})
        """,
    )  # fmt: skip


@pytest.mark.sampled
@pytest.mark.parametrize(
    "module", ["opentelemetry.sdk.resources", "opentelemetry.sdk.trace", "opentelemetry.sdk._logs"]
)
def test_what_a_signal_handler_raises_while_the_first_span_loads_the_sdk(
    module: str, receiver: Receiver, tmp_path: Path
) -> None:
    outcome = both(
        tmp_path, receiver,
        f"""
        import signal, sys
        from opentelemetry import trace

        def handle(number, frame):
            raise TimeoutError("late")

        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name == {module!r} and not seen:
                    seen.append(name)
                    signal.raise_signal(signal.SIGALRM)

        seen = []
        signal.signal(signal.SIGALRM, handle)
        sys.meta_path.insert(0, Finder())
        try:
            trace.get_tracer("case").start_span("work").end()
            raised = None
        except TimeoutError as error:
            raised = error
        # Without obs-run nothing is loaded.
        print(bool(raised) == bool(seen))
        trace.get_tracer("case").start_span("more work").end()
        """,
    )  # fmt: skip
    assert (outcome.out, outcome.err, outcome.code) == ("True\n", "", 0)
    assert "more work" in {span.name for span in receiver.spans}
