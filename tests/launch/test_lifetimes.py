"""Objects of the agent live no longer than without us: what a function has opened is closed as it ends."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

from tests.launch.beside_plain import LIBRARIES, both

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver

BEGIN = """
import gc, logging, os, sys, weakref
gc.collect()
gc.disable()

class Held:
    pass

def works(work):
    for time in range(2):
        held = Held()
        reference = weakref.ref(held)
        try:
            work(held)
        except Exception as error:
            error.held = held
        del held
        print(work.__name__, time, reference() is None)
    return work
"""
FIRST = """
    @works
    def first_record(held):
        logging.warning("said")

    @works
    def records(held):
        logging.warning("said", extra={"held": held, "within": [held]})
        logging.warning("said", extra={"error": ValueError(held)})
        try:
            1 / 0
        except ZeroDivisionError:
            logging.exception("failed")

    @works
    def failing_handler(held):
        class Failing(logging.Handler):
            def emit(self, record):
                raise ValueError
        logger = logging.getLogger("failing")
        logger.addHandler(Failing())
        try:
            logger.warning("said", extra={"held": held})
        finally:
            logger.handlers.clear()

    @works
    def children(held):
        import subprocess
        subprocess.run(["true"])
        os.system("true")
        if not (child := os.fork()):
            os._exit(0)
        os.waitpid(child, 0)
        subprocess.run(["no-such-program"])

    @works
    def exits(held):
        try:
            sys.exit(3)
        except SystemExit:
            pass
        os.execv("/no/such/file", ["x"])

    @works
    def imports(held):
        import multiprocessing.process, http.client
        import no_such_module
    """
SPANS = """
    import asyncio, threading
    from concurrent.futures import ThreadPoolExecutor
    from opentelemetry import trace
    import ollama
    CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}

    @works
    def threads(held):
        with trace.get_tracer("t").start_as_current_span("s"):
            thread = threading.Thread(target=lambda: held)
            thread.start()
            thread.join()
            with ThreadPoolExecutor(1) as pool:
                pool.submit(lambda: held.nothing).result()

    @works
    def call(held):
        client = ollama.Client()
        client.held = held
        client._request(dict, "POST", "/api/chat", json=CHAT)

    @works
    def stream(held):
        client = ollama.Client()
        client.held = held
        list(client._request(dict, "POST", "/api/chat", json=CHAT, stream=True))

    @works
    def abandoned_stream(held):
        client = ollama.Client()
        client.held = held
        next(client._request(dict, "POST", "/api/chat", json=CHAT, stream=True))

    @works
    def in_loop(held):
        async def main():
            client = ollama.AsyncClient()
            client.held = held
            try:
                await client._request(dict, "POST", "/api/chat", json=CHAT)
            except ValueError:
                pass
            async for chunk in await client._request(dict, "POST", "/api/chat", json=CHAT, stream=True):
                pass
        asyncio.run(main())
    """


def test_what_a_function_holds_is_gone_when_it_ends(tmp_path: Path, receiver: Receiver) -> None:
    ran = both(tmp_path, receiver, BEGIN + dedent(FIRST), PYTHONWARNINGS="ignore")
    assert "first_record 0 True" in ran.out
    assert ran.code == 0


def test_what_a_recorded_call_holds_is_gone_when_it_ends(tmp_path: Path, receiver: Receiver) -> None:
    ran = both(tmp_path, receiver, BEGIN + LIBRARIES + dedent(SPANS), PYTHONWARNINGS="ignore")
    assert ran.code == 0
    assert receiver.wait_for(lambda got: len(got.named("chat m")) == 10)
