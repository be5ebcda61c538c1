"""What the agent can see of itself is the same with obs-run and without: the stack, tracebacks, functions, children."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tests.launch import running

if TYPE_CHECKING:
    from pathlib import Path

    from tests.launch.running import Outcome
    from tests.otlp_receiver import Receiver

PYTHON = running.HERE.python
OBS_RUN = running.HERE.command("obs-run")


def both(folder: Path, receiver: Receiver, source: str, **more: str) -> Outcome:
    """Run a program by plain Python and by obs-run; return what came of it, which must be the same."""
    (folder / "agent.py").write_text(dedent(source))
    env = running.environment(receiver.endpoint, folder, **more)
    plain = running.run([PYTHON, "agent.py"], folder, env)
    launched = running.run([OBS_RUN, "python", "agent.py"], folder, env)
    assert launched == plain
    return launched


STACKS = {
    "the caller as loguru's documents have it found": """
        import inspect, logging

        class InterceptHandler(logging.Handler):
            def emit(self, record):
                frame, depth = inspect.currentframe(), 0
                while frame and (depth == 0 or frame.f_code.co_filename == logging.__file__):
                    frame = frame.f_back
                    depth += 1
                print(frame.f_code.co_filename, frame.f_lineno, depth)

        logging.basicConfig(handlers=[InterceptHandler()], level=0)
        def work():
            logging.info("said")
            logging.getLogger("other").warning("said")
        work()
    """,
    "the stack in a handler, a filter and a formatter": """
        import logging, traceback

        class Walker(logging.Handler):
            def emit(self, record):
                traceback.print_stack()

        class Filter(logging.Filter):
            def filter(self, record):
                traceback.print_stack()
                return True

        class Formatter(logging.Formatter):
            def format(self, record):
                return "".join(traceback.format_stack())

        stream = logging.StreamHandler()
        stream.setFormatter(Formatter())
        logging.basicConfig(handlers=[Walker(), stream], level=0)
        logger = logging.getLogger("x")
        logger.addFilter(Filter())
        logger.warning("said")
    """,
    "logging's own words for the stack": """
        import logging
        logging.basicConfig(format="%(pathname)s %(lineno)d %(funcName)s %(message)s %(stack_info)s")
        def work():
            logging.warning("said", stack_info=True)
            logging.warning("%d", "no number")
            logging.getLogger("x").error("said", stacklevel=2)
        work()
    """,
    "an error raised by a handler": """
        import logging

        class Failing(logging.Handler):
            def emit(self, record):
                raise RuntimeError("on purpose")

        logging.getLogger().addHandler(Failing())
        logging.warning("said")
    """,
    "a logger's methods called and looked at otherwise": """
        import copy, inspect, logging, pickle
        from unittest import mock
        record = logging.LogRecord("x", 30, "p", 1, "said %s", ("x",), None)
        logger = logging.getLogger("x")
        logging.Logger.callHandlers(logger, record)
        print(inspect.signature(logging.Logger.callHandlers), logging.Logger.callHandlers.__qualname__)
        print(inspect.signature(logger.callHandlers), logger.callHandlers.__self__ is logger)
        print(inspect.isfunction(logging.Logger.callHandlers), inspect.ismethod(logger.callHandlers))
        assert pickle.loads(pickle.dumps(logging.Logger.callHandlers)) is logging.Logger.callHandlers
        assert copy.deepcopy(logging.Logger.callHandlers) is logging.Logger.callHandlers
        with mock.patch.object(logging.Logger, "callHandlers", autospec=True) as called:
            logger.warning("unheard")
            print(called.call_count)
        class Own(logging.Logger):
            def callHandlers(self, record):
                print("own")
                super().callHandlers(record)
        Own("own").warning("said")
        print(inspect.getsource(logging.Logger.callHandlers)[:40])
    """,
    "an error amid an import": """
        import os, sys, traceback
        os.makedirs("folder/openai", exist_ok=True)
        open("folder/openai/__init__.py", "w").write("import traceback; traceback.print_stack(); from openai import resources")
        open("folder/openai/resources.py", "w").write("import warnings; warnings.warn('old', stacklevel=2); 1 / 0")
        sys.path.insert(0, "folder")
        try:
            import openai
        except ZeroDivisionError:
            traceback.print_exc()
        import ollama
    """,
    "an error amid the import of a watched module": """
        import sys, os, traceback
        os.makedirs("folder", exist_ok=True)
        open("folder/ollama.py", "w").write("import traceback, warnings\\ntraceback.print_stack()\\nwarnings.warn('old', DeprecationWarning, stacklevel=2)\\n1 / 0")
        sys.path.insert(0, "folder")
        import ollama
    """,
    "a thread and a thread pool inside of a span": """
        import threading, traceback
        from concurrent.futures import ThreadPoolExecutor
        from opentelemetry import trace

        def work():
            traceback.print_stack()
            raise RuntimeError("on purpose")

        with trace.get_tracer("t").start_as_current_span("s"):
            thread = threading.Thread(target=work, name="worker")
            thread.start()
            thread.join()
            with ThreadPoolExecutor() as pool:
                future = pool.submit(work)
        traceback.print_exception(future.exception())
    """,
    "a failing subprocess": """
        import subprocess, traceback
        for words, options in (
            (["no-such-program"], {}),
            (["sh", "-c", "exit 3"], {"check": True}),
            (["a\\0b"], {}),
            (["sh"], {"cwd": "/no/such/folder"}),
            (["sh"], {"unknown": 1}),
            ([], {}),
        ):
            try:
                subprocess.run(words, **options)
            except Exception:
                traceback.print_exc()
        subprocess.run(["true"], preexec_fn=traceback.print_stack)
        subprocess.Popen()
    """,
    "a process of multiprocessing": """
        import multiprocessing, traceback

        def work():
            traceback.print_stack()
            raise RuntimeError("on purpose")

        if __name__ == "__main__":
            process = multiprocessing.get_context("fork").Process(target=work, name="worker")
            print(process.start())
            process.join()
            try:
                multiprocessing.get_context("spawn").Process(args=[open(__file__)]).start()
            except Exception:
                traceback.print_exc()
            process.start()
    """,
    "a failing exec, exit and spawn": """
        import os, sys, traceback
        for function, arguments in (
            (os.execv, ("/no/such/file", ["x"])),
            (os.execve, ("/no/such/file", ["x"], {})),
            (os.execve, ("/no/such/file", [], {})),
            (os.execvp, ("no-such-file", ["x"])),
            (os.execl, ("/etc/passwd", "x")),
            (os.execv, ()),
            (os._exit, ()),
            (os._exit, ("x",)),
            (os.posix_spawn, ("/no/such/file", ["x"], os.environ)),
            (os.posix_spawnp, ("no-such-file", ["x"], os.environ)),
            (os.posix_spawn, ("x",)),
            (os.system, ()),
            (sys.exit, (1, 2)),
            (sys.exit, (3,)),
            (sys.exit, ()),
        ):
            try:
                function(*arguments)
            except BaseException:
                traceback.print_exc()
        sys.exit(4)
    """,
}


@pytest.mark.parametrize("name", STACKS)
def test_the_stack_has_no_frame_of_ours(name: str, tmp_path: Path, receiver: Receiver) -> None:
    ran = both(tmp_path, receiver, STACKS[name])
    assert "obs_run" not in ran.out + ran.err
    assert ran.out + ran.err
