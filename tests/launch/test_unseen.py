"""What the agent can see of itself is the same with obs-run and without: the stack, tracebacks, functions, children."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tests.examples import one_in
from tests.launch.beside_plain import LIBRARIES, PYTHON, both
from tests.launch.running import assert_one_tree

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver

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
        begin = "import traceback; traceback.print_stack(); from openai import resources"
        open("folder/openai/__init__.py", "w").write(begin)
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
        lines = (
            "import traceback, warnings",
            "traceback.print_stack()",
            "warnings.warn('old', DeprecationWarning, stacklevel=2)",
            "1 / 0",
        )
        open("folder/ollama.py", "w").write("\\n".join(lines))
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
            thread = threading.Thread(target=work, name="worker", daemon=True)
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
            process = multiprocessing.get_context("fork").Process(target=work, name="worker", daemon=True)
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


@pytest.mark.sampled
@pytest.mark.parametrize("name", one_in(3, STACKS))
def test_the_stack_has_no_frame_of_ours(name: str, tmp_path: Path, receiver: Receiver) -> None:
    ran = both(tmp_path, receiver, STACKS[name])
    assert "obs_run" not in ran.out + ran.err
    assert ran.out + ran.err


THREADS = """
    import _thread, logging, sys, threading, traceback
    from opentelemetry import trace

    def walk():
        print(_thread._count())
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        for ident, frame in sys._current_frames().items():
            print(names[ident], "".join(traceback.format_stack(frame)))
        if sys.version_info >= (3, 11):
            print([names[ident] for ident in sys._current_exceptions()])

    waiting, over = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: (waiting.set(), over.wait()), name="worker", daemon=True)
    thread.start()
    waiting.wait()
    trace.get_tracer("t").start_span("s").end()
    logging.getLogger("t").warning("said")
    getattr(trace.get_tracer_provider(), "force_flush", bool)()
    walk()
    try:
        1 / 0
    except ZeroDivisionError:
        walk()
    try:
        sys._current_frames(1)
    except TypeError:
        traceback.print_exc()
    print(sys._current_frames, sys._current_frames.__name__, sys._current_frames.__class__)
    over.set()
    """


def test_who_walks_over_all_threads_does_not_meet_ours(tmp_path: Path, receiver: Receiver) -> None:
    ran = both(tmp_path, receiver, THREADS)
    assert "worker" in ran.out
    assert "obs_run" not in ran.out + ran.err
    assert receiver.wait_for(lambda got: bool(got.named("s")))


CALLS = LIBRARIES + dedent("""
    import asyncio, logging, traceback
    import ollama
    logging.basicConfig(format="%(lineno)d %(funcName)s %(message)s")

    def attempt(work, *arguments):
        try:
            print(work(*arguments))
        except Exception:
            traceback.print_exc()

    CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    client, aclient = ollama.Client(), ollama.AsyncClient()
    attempt(lambda: client._request(dict, "POST", "/api/chat", json=CHAT))
    attempt(lambda: client._request(dict, "POST", "/elsewhere"))
    attempt(lambda: client._request())
    attempt(lambda: list(client._request(dict, "POST", "/api/chat", json=CHAT, stream=True)))
    stream = client._request(dict, "POST", "/api/chat", json=CHAT, stream=True)
    print(next(stream), stream.__name__, stream.__qualname__)
    attempt(stream.throw, KeyError("mine"))
    attempt(lambda: asyncio.run(aclient._request(dict, "POST", "/api/chat", json=CHAT)))

    async def read():
        async for chunk in await aclient._request(dict, "POST", "/api/chat", json=CHAT, stream=True):
            print(chunk)
    attempt(lambda: asyncio.run(read()))
    aclient._request(dict, "POST", "/api/chat", json=CHAT)
    """)


def test_errors_and_warnings_of_a_watched_library_tell_of_the_agent(tmp_path: Path, receiver: Receiver) -> None:
    ran = both(tmp_path, receiver, CALLS, PYTHONWARNINGS="default")
    assert "obs_run" not in ran.out + ran.err
    assert ran.err.count("ValueError: streamed") == 2
    assert sorted({span.name for span in receiver.spans}) == ["agent", "chat m"]


COPIES = LIBRARIES + dedent("""
    import copy, dataclasses, inspect, multiprocessing, pickle, subprocess
    from concurrent.futures import ProcessPoolExecutor
    from unittest import mock
    import litellm, ollama
    LOADS = "import pickle, sys; sys.path.append('packages'); print(pickle.loads(bytes.fromhex(sys.argv[1])))"

    @dataclasses.dataclass
    class Holder:
        function: object

    if __name__ == "__main__":
        client = ollama._client
        for function in (litellm.completion, litellm.acompletion, client.Client._request, client.AsyncClient._request):
            for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
                pickled = pickle.dumps(function, protocol)
                assert b"obs_" not in pickled and b"wrapt" not in pickled, pickled
                assert pickle.loads(pickled) == pickle.loads(pickle._dumps(function, protocol)) == function
            # A process without obs-run gets the original.
            words = [sys.executable, "-I", "-c", LOADS, pickled.hex()]
            print(subprocess.run(words, capture_output=True, text=True).stdout.partition(" at ")[0])
            assert copy.copy(function) == copy.deepcopy(function) == dataclasses.asdict(Holder(function))["function"]
            print(copy.deepcopy(function) == function, repr(function).partition(" at ")[0], function.__doc__)
            print(inspect.signature(function), inspect.isfunction(function), inspect.iscoroutinefunction(function))
            print(inspect.signature(mock.create_autospec(function)))
        bound = ollama.Client("here")._request
        print(pickle.loads(pickle.dumps(bound)).__self__.host, copy.deepcopy(bound).__self__.host)
        print(copy.copy(bound) == bound, repr(bound).partition(" at ")[0])
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            print(repr(pool.submit(litellm.completion, "m").exception()))
    """)


@pytest.mark.slow
def test_watched_functions_are_copied_and_pickled_as_what_they_are(tmp_path: Path, receiver: Receiver) -> None:
    ran = both(tmp_path, receiver, COPIES)
    assert (ran.code, ran.err) == (0, "")
    # The child of the pool got the function that is watched there.
    assert receiver.wait_for(lambda got: "chat m" in {span.name for span in got.spans})


FUNCTIONS = """
    import copy, functools, inspect, os, pickle, posix, pydoc, sys, types, weakref
    from unittest import mock

    for function in (sys.exit, os._exit, os.execv, os.execve, os.system, os.posix_spawn, os.posix_spawnp):
        print(repr(function), function, function.__name__, function.__qualname__, function.__module__)
        print(inspect.signature(function), function.__doc__, function.__self__, function.__class__)
        print(isinstance(function, types.BuiltinFunctionType), isinstance(function, type), inspect.isroutine(function))
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            print(pickle.dumps(function, protocol), pickle._dumps(function, protocol))
            assert pickle.loads(pickle.dumps(function, protocol)) is function
        assert copy.copy(function) is function and copy.deepcopy([function])[0] is function
        print(hasattr(function, "__wrapped__"), hasattr(function, "__dict__"))
        print(sorted(dir(function)) == sorted(dir(len)), weakref.ref(function)() is function)
        print(function == function, function != function, function in {function: 1})
        print(function.__eq__(function), function.__hash__() == hash(function))
        print(pydoc.render_doc(function), functools.wraps(function)(lambda: 1).__name__)
        for change in (lambda: setattr(function, "x", 1), lambda: delattr(function, "__name__")):
            try:
                change()
            except AttributeError as error:
                print(error)
        class Holder:
            held = function
        print(Holder().held is function, Holder.held is function)
    for name in dir(posix):
        if callable(getattr(posix, name)):
            print(name, getattr(os, name, None) is getattr(posix, name))
    for place in ("sys.exit", "os._exit", "os.system", "os.execv"):
        with mock.patch(place, autospec=True) as mocked:
            module, name = place.split(".")
            getattr(sys.modules[module], name)(3)
            print(mocked.call_args)
    for wrong in (lambda: os.system(), lambda: sys.exit(a=1), lambda: os._exit(), lambda: os.execve(1)):
        try:
            wrong()
        except TypeError as error:
            print(error)
    sys.stdout.flush()
    os._exit(status=5)
    """
POOLS = """
    import multiprocessing, os, sys
    from concurrent.futures import ProcessPoolExecutor

    if __name__ == "__main__":
        for method in ("fork", "spawn", "forkserver"):
            context = multiprocessing.get_context(method)
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                print(repr(pool.submit(os._exit, 1).exception()))
            for function in (sys.exit, os._exit):
                process = context.Process(target=function, args=(7,))
                process.start()
                process.join()
                print(process.exitcode)
    """


@pytest.mark.slow
@pytest.mark.parametrize("source", [FUNCTIONS, POOLS], ids=["looked at", "sent to processes"])
def test_functions_that_are_replaced_are_what_they_were(source: str, tmp_path: Path, receiver: Receiver) -> None:
    ran = both(tmp_path, receiver, source)
    assert ran.out
    assert "obs_run" not in ran.out + ran.err


# Ours are left out, and what the shell and the two ways to start Python differ in.
CHILDREN = """
    import asyncio, multiprocessing, os, pty, subprocess, sys
    os.environ.update(KEPT="1", GONE="1", CHANGED="1")
    os.putenv("ADDED", "1")
    os.unsetenv("GONE")
    os.putenv("CHANGED", "2")
    ECHO = "echo $KEPT $GONE $CHANGED $ADDED"
    OURS = ("OBS_RUN", "PYTHONPATH", "TRACEPARENT", "_", "PATH", "SHLVL", "PWD", "OLDPWD")

    def show(*words, **options):
        text = subprocess.run(*words, stdout=subprocess.PIPE, **options).stdout.decode("latin-1")
        print(sorted(line for line in text.splitlines() if line.partition("=")[0] not in OURS), flush=True)

    async def in_loop():
        await (await asyncio.create_subprocess_exec("sh", "-c", ECHO)).wait()
        await (await asyncio.create_subprocess_shell(ECHO)).wait()

    def in_child():
        os.system(ECHO)
        show(["env"])

    if __name__ == "__main__":
        show(["env"])
        show("env", shell=True)
        show(["env"], close_fds=False)
        show(["/usr/bin/env"], close_fds=False)
        for env in ({}, {"ONE": "1"}, os.environ, {**os.environ, "MORE": "2"}, {b"BYTES": b"\\xff"}):
            show(["/usr/bin/env"], env=env)
        assert not {"TRACEPARENT", "ADDED"} & set(os.environ)
        print(os.popen(ECHO).read(), flush=True)
        os.system(ECHO)
        for env in (os.environ, {"ADDED": "x"}):
            print(os.waitpid(os.posix_spawn("/bin/sh", ["sh", "-c", ECHO], env), 0)[1], flush=True)
        os.spawnlp(os.P_WAIT, "sh", "sh", "-c", ECHO)
        os.spawnvpe(os.P_WAIT, "sh", ["sh", "-c", ECHO], os.environ)
        pty.spawn(["sh", "-c", ECHO])
        asyncio.run(in_loop())
        for method in ("fork", "spawn"):
            process = multiprocessing.get_context(method).Process(target=in_child)
            process.start()
            process.join()
        os.execlp("sh", "sh", "-c", ECHO)
    """


def test_children_have_the_variables_that_they_would_have(tmp_path: Path, receiver: Receiver) -> None:
    ran = both(tmp_path, receiver, CHILDREN)
    assert "1 2 1\n" in ran.out
    assert not ran.err


STARTS = (
    'os.system(" ".join(WORDS))',
    "subprocess.run(WORDS)",
    'subprocess.run(" ".join(WORDS), shell=True)',
    'subprocess.run(WORDS, env={**os.environ, "X": "1", "PYTHONPATH": "elsewhere"})',
    "subprocess.run(WORDS, close_fds=False)",
    "os.waitpid(os.posix_spawn(WORDS[0], WORDS, os.environ), 0)",
    "os.waitpid(os.posix_spawnp(WORDS[0], WORDS, dict(os.environ)), 0)",
    "os.spawnv(os.P_WAIT, WORDS[0], WORDS)",
)


@pytest.mark.slow
@pytest.mark.parametrize("starts", [STARTS[::3], pytest.param(STARTS, marks=pytest.mark.slow)], ids=["some", "all"])
def test_children_are_in_the_trace_of_who_started_them(
    starts: tuple[str, ...], tmp_path: Path, receiver: Receiver
) -> None:
    (tmp_path / "child.py").write_text(
        "from opentelemetry import trace; trace.get_tracer('t').start_span('in child').end()"
    )
    source = f"""
        import os, subprocess, sys
        from opentelemetry import trace
        tracer = trace.get_tracer("t")
        WORDS = [{PYTHON!r}, "child.py"]

        def start():
            {"; ".join(starts)}

        with tracer.start_as_current_span("inside"):
            start()
        start()
        """
    both(tmp_path, receiver, source)
    assert receiver.wait_for(lambda got: len(got.spans) >= 4 * len(starts) + 2)
    assert_one_tree(receiver)
    spans = {span.span_id: span for span in receiver.spans}
    parents = [spans[span.parent_id].name for span in receiver.spans if span.name == "child"]
    assert sorted(parents) == ["agent"] * len(starts) + ["inside"] * len(starts)
    assert len({span.trace_id for span in receiver.spans}) == 1
