"""Agents that do with logging, frames and signals what is rarely done are as they are without us."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit import agents

if TYPE_CHECKING:
    from pathlib import Path

BEGIN = """
import logging, sys
logging.basicConfig(level=logging.DEBUG, format="%(funcName)s %(message)s", stream=sys.stdout)
logging.getLogger("obs_run").setLevel(100)
log = logging.getLogger("odd")

def boil(name):
    log.info(f"Boiling {name}")
    log.info(f"Boiled {name}")

"""
TEXTS = r"""
class Talking:
    def __str__(self):
        boil("inside")
        return "text"

class Mute:
    def __str__(self):
        raise ValueError("no text")

pattern = "\d+"
logging.raiseExceptions = False

def load(thing):
    log.info("Loading %s", thing)
    log.info("Loaded %s %s", thing)
    log.info("Loaded %s", thing)

load(Talking())
load(Mute())
"""
LOGGERS = """
class Renaming(logging.Logger):
    def makeRecord(self, name, level, path, line, *rest, **more):
        return super().makeRecord(name, level, "/nowhere.py", 7, *rest, **more)

    def findCaller(self, *_):
        return "elsewhere.py", -1, None, None

class Shouting(logging.LogRecord):
    def getMessage(self):
        return super().getMessage().upper()

class Changing(logging.Filter):
    def filter(self, record):
        record.msg, record.args, record.lineno, record.pathname = f"changed {record.msg}", (), "x", None
        return True

class Dropping(logging.Filter):
    def filter(self, record):
        return "Boiling" not in record.getMessage()

class Echo(logging.Handler):
    def emit(self, record):
        log.removeHandler(self)
        boil("echo")

class Failing(logging.Handler):
    def emit(self, record):
        raise KeyError("handler")

def say(text):
    log.info(text, stacklevel=2)

def far():
    log.info("Boiling", stacklevel=50)
    say("Freezing")
    say("Frozen")

for each in (Changing(), Dropping()):
    log.addFilter(each)
    boil("filtered")
    log.removeFilter(each)
for each in (Echo(), Failing()):
    log.addHandler(each)
    try:
        boil("handled")
    except KeyError as error:
        print(error, error.__context__)
    log.removeHandler(each)
for factory in (Shouting, lambda *given, **more: logging.LogRecord(*given, **more)):
    logging.setLogRecordFactory(factory)
    boil("made")
far()
logging.disable(logging.INFO)
boil("nothing")
logging.disable(logging.NOTSET)
log.__class__ = Renaming
boil("renamed")
"""
TRACING = """
import io, pdb
seen = []

def trace(frame, event, argument):
    if frame.f_code.co_filename == __file__:
        seen.append((frame.f_code.co_name, event, frame.f_lineno))
    return trace

def boil_traced(fails):
    log.info("Boiling traced")
    sys.settrace(trace)
    boil("inside")
    try:
        if fails:
            raise ValueError("cold")
        sys._getframe().f_trace = trace
        seen.append("here")
    except ValueError as error:
        log.error(f"Boiling traced failed: {error}")
    sys.settrace(None)
    log.info("Boiled traced")

def stop():
    log.info("Boiling stopped")
    debugger = pdb.Pdb(stdin=io.StringIO("n\\nn\\nw\\np made\\nc\\n"), nosigint=True, readrc=False)
    debugger.set_trace()
    made = 1
    log.info("Boiled stopped")

boil_traced(False)
boil_traced(True)
sys.setprofile(lambda frame, event, _: frame.f_code.co_filename == __file__ and seen.append(event))
boil("profiled")
sys.setprofile(None)
stop()
sys.settrace(None)
print(seen)
"""
ENDS = """
import asyncio, os, threading, warnings

def drip():
    log.info("Dripping started")
    yield 1
    log.info("Dripping finished")

async def wait():
    log.info("Waiting for water started")
    await asyncio.sleep(100)
    log.info("Waiting for water finished")

async def cancel():
    task = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        print("cancelled")

def deepen(depth):
    if depth:
        return deepen(depth - 1)
    boil("deep")

def exits():
    log.info("Boiling in a thread")
    sys.exit(4)

def forks():
    log.info("Boiling twice")
    sys.stdout.flush()
    child = os.fork()
    if not child:
        log.info("Boiled twice")
        sys.stdout.flush()
        os._exit(3)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    log.info("Boiled twice")

kept = [drip(), drip(), drip()]
for each in kept:
    next(each)
kept.pop().close()
del kept[0]
asyncio.run(cancel())
for left in range(40, 130, 7):
    try:
        deepen(sys.getrecursionlimit() - left)
    except RecursionError:
        pass
thread = threading.Thread(target=exits)
thread.start()
thread.join()
warnings.simplefilter("ignore")
forks()
text = 'def boil_more():\\n    log.info("Boiling more")\\n    log.info("Boiled more")\\nboil_more()'
for name in (__file__, "<made>", "\\0"):
    exec(compile(text, name, "exec"))
[log.info(f"Boiling {each}") or log.info(f"Boiled {each}") for each in range(2)]
(lambda: (log.info("Boiling here"), log.info("Boiled here")))()

def leave():
    log.info("Boiling for good")
    sys.exit(7)

leave()
"""
AGENTS = {"texts": TEXTS, "loggers": LOGGERS, "tracing": TRACING, "ends": ENDS}
THROWN_IN = """
import signal
from opentelemetry import trace
from opentelemetry.sdk.trace import SpanProcessor

class LimitError(Exception):
    pass

def over(number, frame):
    raise LimitError("over")

class Interrupting(SpanProcessor):
    def on_end(self, span):
        if span.name != "agent.py":
            signal.raise_signal(signal.SIGALRM)

signal.signal(signal.SIGALRM, over)
trace.get_tracer_provider().add_span_processor(Interrupting())
try:
    boil("egg")
    for _ in range(100):
        len("")
    print("went on")
except LimitError as error:
    print("interrupted", type(error) is LimitError, error)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "source",
    [each if name == "texts" else pytest.param(each, marks=pytest.mark.slow) for name, each in AGENTS.items()],
    ids=list(AGENTS),
)
def test_the_agent_is_as_it_is_without_us(tmp_path: Path, source: str) -> None:
    plain, bridged = (
        agents.run(tmp_path, BEGIN + source, start=start, OBS_BRIDGE="automatic") for start in (False, True)
    )
    assert bridged == plain


def test_what_a_signal_handler_raises_while_a_span_is_ended_reaches_the_agent(tmp_path: Path) -> None:
    ran = agents.run(tmp_path, BEGIN + THROWN_IN, OBS_BRIDGE="automatic")
    assert ran.out.splitlines()[-1] == "interrupted True over"
    assert "Activation" not in ran.err
