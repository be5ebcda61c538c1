"""What is begun elsewhere continues the trace, baggage too: threads, executors, tasks of pools, processes, programs."""

from __future__ import annotations

import re
from textwrap import dedent, indent
from typing import TYPE_CHECKING, Any

import pytest

from tests.launch.running import SCRIPTS, environment, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver, Span

RECORD = """
    import sys
    from opentelemetry import baggage, trace

    def record(name):
        with trace.get_tracer("a").start_as_current_span(f"child of {name}") as span:
            span.set_attribute("tenant", str(baggage.get_baggage("tenant")))

    if __name__ == "__main__":
        record(sys.argv[1])
"""

HEAD = """
    import asyncio, concurrent.futures, multiprocessing, multiprocessing.dummy, multiprocessing.pool, os, subprocess
    import sys, threading
    from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
    from contextlib import contextmanager
    from opentelemetry import baggage, context, trace
    from record import record

    WORDS = [sys.executable, "record.py"]

    @contextmanager
    def around(name, tenant="blue"):
        token = context.attach(baggage.set_baggage("tenant", tenant))
        with trace.get_tracer("a").start_as_current_span(name):
            yield
        context.detach(token)

    async def record_soon(name):
        await asyncio.sleep(0)
        record(name)

    class OwnThread(threading.Thread):
        def run(self):
            record(self.name)

    class OwnProcess(multiprocessing.Process):
        def run(self):
            record(self.name)

    def started(worker):
        worker.start()
        worker.join()

    def in_own_loop(name):
        asyncio.run(record_soon(name))

    def wait(pid):
        os.waitpid(pid, 0)

    def forked(call):
        pid = os.fork()
        if pid == 0:
            call()
            os._exit(0)
        wait(pid)

    async def in_executor(name, executor=None):
        await asyncio.get_running_loop().run_in_executor(executor, record, name)

    async def program(name):
        await (await asyncio.create_subprocess_exec(*WORDS, name)).wait()

    async def shell(name):
        await (await asyncio.create_subprocess_shell(" ".join([*WORDS, name]))).wait()
"""

THREADS = """
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()
    pool, dummy = ThreadPoolExecutor(1), multiprocessing.dummy.Pool(1)
    with around("warming", "red"):
        pool.submit(int).result()
        dummy.apply(int)
    cells = {
        "thread": lambda name: started(threading.Thread(target=record, args=(name,))),
        "own-thread": lambda name: started(OwnThread(name=name)),
        "timer": lambda name: started(threading.Timer(0, record, (name,))),
        "loop-in-thread": lambda name: started(threading.Thread(target=in_own_loop, args=(name,))),
        "loop-of-thread": lambda name: asyncio.run_coroutine_threadsafe(record_soon(name), loop).result(),
        "run-in-executor": lambda name: asyncio.run(in_executor(name)),
        "to-thread": lambda name: asyncio.run(asyncio.to_thread(record, name)),
        "submit": lambda name: pool.submit(record, name).result(),
        "executor-map": lambda name: list(pool.map(record, [name])),
        "own-loop-in-executor": lambda name: pool.submit(in_own_loop, name).result(),
        "apply": lambda name: dummy.apply(record, (name,)),
        "apply-async": lambda name: dummy.apply_async(record, (name,)).get(),
        "map": lambda name: dummy.map(record, [name]),
        "starmap": lambda name: dummy.starmap(record, [(name,)]),
        "imap": lambda name: list(dummy.imap(record, [name])),
        "imap-unordered": lambda name: list(dummy.imap_unordered(record, [name], 3)),
    }
"""

PROGRAMS = """
    ENV = dict(os.environ)
    cells = {
        "run": lambda name: subprocess.run([*WORDS, name]),
        "run-env": lambda name: subprocess.run([*WORDS, name], env=ENV),
        "popen": lambda name: subprocess.Popen([*WORDS, name]).wait(),
        "check-output": lambda name: subprocess.check_output([*WORDS, name]),
        "call-shell": lambda name: subprocess.call(" ".join([*WORDS, name]), shell=True),
        "getoutput": lambda name: subprocess.getoutput(" ".join([*WORDS, name])),
        "create-exec": lambda name: asyncio.run(program(name)),
        "create-shell": lambda name: asyncio.run(shell(name)),
        "in-thread": lambda name: started(threading.Thread(target=subprocess.run, args=([*WORDS, name],))),
        "in-executor": lambda name: ThreadPoolExecutor(1).submit(subprocess.run, [*WORDS, name]).result(),
        "system": lambda name: os.system(" ".join([*WORDS, name])),
        "os-popen": lambda name: os.popen(" ".join([*WORDS, name])).read(),
        "posix-spawn": lambda name: wait(os.posix_spawn(sys.executable, [*WORDS, name], os.environ)),
        "posix-spawnp": lambda name: wait(os.posix_spawnp(sys.executable, [*WORDS, name], ENV)),
        "spawnv": lambda name: os.spawnv(os.P_WAIT, sys.executable, [*WORDS, name]),
        "spawnve": lambda name: os.spawnve(os.P_WAIT, sys.executable, [*WORDS, name], ENV),
        "spawnlp": lambda name: os.spawnlp(os.P_WAIT, sys.executable, *WORDS, name),
        "execv": lambda name: forked(lambda: os.execv(sys.executable, [*WORDS, name])),
        "execve": lambda name: forked(lambda: os.execve(sys.executable, [*WORDS, name], ENV)),
        "execvp": lambda name: forked(lambda: os.execvp(sys.executable, [*WORDS, name])),
        "execlpe": lambda name: forked(lambda: os.execlpe(sys.executable, *WORDS, name, ENV)),
        "fork": lambda name: forked(lambda: record(name)),
        "fork-system": lambda name: forked(lambda: os.system(" ".join([*WORDS, name]))),
    }
"""

PROCESSES = """
    method = sys.argv[1]
    multiprocessing.set_start_method(method)
    OwnProcess._start_method = method
    with around("warming", "red"):
        pool, executor = multiprocessing.Pool(1), ProcessPoolExecutor(1)
        pool.apply(int)
        executor.submit(int).result()
    cells = {
        "process": lambda name: started(multiprocessing.Process(target=record, args=(name,))),
        "own-process": lambda name: started(OwnProcess(name=name)),
        "in-thread": lambda name: started(threading.Thread(target=lambda: pool.apply(record, (name,)))),
        "executor-submit": lambda name: executor.submit(record, name).result(),
        "executor-map": lambda name: list(executor.map(record, [name], chunksize=2)),
        "run-in-executor": lambda name: asyncio.run(in_executor(name, executor)),
        "own-loop": lambda name: executor.submit(in_own_loop, name).result(),
        "apply": lambda name: pool.apply(record, (name,)),
        "apply-async": lambda name: pool.apply_async(record, (name,)).get(),
        "map": lambda name: pool.map(record, [name]),
        "map-async": lambda name: pool.map_async(record, [name]).get(),
        "starmap": lambda name: pool.starmap(record, [(name,)]),
        "imap": lambda name: list(pool.imap(record, [name])),
        "imap-unordered": lambda name: list(pool.imap_unordered(record, [name], 3)),
        "new-pool": lambda name: multiprocessing.Pool(1).apply(record, (name,)),
        "program-of-process": lambda name: pool.apply(subprocess.call, ([*WORDS, name],)),
    }
"""

TAIL = """
    for name, cell in cells.items():
        with around(name):
            cell(name)
    print(*cells)
    if "pool" in globals() and hasattr(pool, "terminate"):
        pool.close()
        pool.join()
"""

GROUPS: dict[str, tuple[str, tuple[str, ...]]] = {
    "threads": (THREADS, ()),
    "programs": (PROGRAMS, ()),
    **{method: (PROCESSES, (method,)) for method in ("fork", "spawn", "forkserver")},
}


@pytest.mark.parametrize(
    "group", [pytest.param(name, marks=() if name in ("threads", "fork") else pytest.mark.slow) for name in GROUPS]
)
def test_children_are_inside_of_what_was_current(group: str, receiver: Receiver, tmp_path: Path) -> None:
    cells, words = GROUPS[group]
    body = indent(dedent(cells) + dedent(TAIL), "    ")
    (tmp_path / "record.py").write_text(dedent(RECORD))
    (tmp_path / "agent.py").write_text(f"{dedent(HEAD)}\nif __name__ == '__main__':\n{body}")
    ran = run(
        [str(SCRIPTS / "obs-run"), "python", "agent.py", *words], tmp_path, environment(receiver.endpoint, tmp_path)
    )
    assert (ran.code, ran.err) == (0, "")
    names = ran.out.split()
    receiver.wait_for(lambda got: len([span for span in got.spans if span.name.startswith("child")]) >= len(names))
    assert {name: seen(name, receiver.spans) for name in names} == dict.fromkeys(names, (["IS INSIDE"], ["blue"]))


def seen(name: str, spans: list[Span]) -> Any:
    """Return where the children of a cell are, and the baggage that they had."""
    children = [span for span in spans if span.name == f"child of {name}"]
    return [place_of(child, name, spans) for child in children], [child.attributes["tenant"] for child in children]


def place_of(child: Span, name: str, spans: list[Span]) -> str:
    by_id = {span.span_id: span for span in spans}
    parent = by_id.get(child.parent_id)
    while parent is not None and "obs.run.kind" in parent.attributes and parent.parent_id:
        parent = by_id.get(parent.parent_id)
    if parent is None or parent.trace_id != child.trace_id:
        return "nowhere"
    return "IS INSIDE" if parent.name == name else parent.name


SEEN = """
    import functools, inspect, multiprocessing, multiprocessing.dummy, traceback
    from concurrent.futures import ProcessPoolExecutor, wait

    def fail(n):
        raise ValueError(n)

    def stack():
        return [(frame.filename, frame.function) for frame in inspect.stack()]

    class Adder(functools.partial):
        pass

    def outcome(call):
        try:
            return call()
        except Exception as error:
            return traceback.format_exception(error)

    if __name__ == "__main__":
        for method in ("fork", "spawn"):
            pools = multiprocessing.get_context(method).Pool(1), multiprocessing.dummy.Pool(1)
            for pool in pools:
                for function, arguments in (
                    (fail, (1,)), (stack, ()), (None, ()), (lambda: 3, ()), (functools.partial(max, 3), (2,)),
                    (functools.partial(functools.partial(max, 3), key=abs), (-4,)), (Adder(max, 3), (7,)),
                    (open, ("/none",)),
                ):
                    print(type(pool).__name__, outcome(lambda: pool.apply(function, arguments)))
                print(outcome(lambda: pool.map(fail, [1, 2])), outcome(lambda: list(pool.imap(fail, [1]))))
                print(outcome(lambda: pool.map(abs, (fail(n) for n in [1]))))
                print(outcome(lambda: list(pool.imap(abs, map(fail, [1])))))
                print(outcome(lambda: pool.map_async(abs, [-1], callback=print).get()), pool.map(abs, []))
                pool.close()
                pool.join()
                print(outcome(lambda: pool.apply(abs)))
                print(hasattr(type(pool), "_quick_put"), sorted(vars(pool)))
            with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as executor:
                for function, arguments in ((fail, (1,)), (stack, ()), (None, ()), (lambda: 3, ()), (open, ())):
                    future = executor.submit(function, *arguments)
                    wait([future])
                    print(outcome(future.result), vars(future).keys())
"""


def test_tasks_of_pools_see_the_same_as_without_us(receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(dedent(SEEN))
    env = environment(receiver.endpoint, tmp_path)
    plain = run(["python", "agent.py"], tmp_path, env)
    launched = run([str(SCRIPTS / "obs-run"), "python", "agent.py"], tmp_path, env)
    assert (plain.code, plain.err) == (0, "")
    assert [masked(line) for line in launched.out.splitlines()] == [masked(line) for line in plain.out.splitlines()]
    assert (launched.code, launched.err) == (0, "")


def masked(line: str) -> str:
    return re.sub(r"0x[0-9a-f]+|/tmp/\S+?/(?=agent)", "0", line)
