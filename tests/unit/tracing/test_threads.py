"""The current context goes along into threads and into the work of thread pools, and nobody notices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.agents import Run

WITH_KEY = """
    from opentelemetry import context
    from opentelemetry.context import attach, detach, get_value, set_value
    import threading, gc, inspect, sys, weakref
    from concurrent.futures import ThreadPoolExecutor

    class Told: pass

    def inside(told, function):
        token = attach(set_value("told", told))
        try:
            return function()
        finally:
            detach(token)

    def told():
        return get_value("told")
"""


@pytest.mark.parametrize("start", [True, False])
def test_threads_and_work_get_the_context_of_who_began_them(agent: Run, *, start: bool) -> None:
    ran = agent(
        f"""
    import obs_run.context.threads
    {"" if start else "obs_run.context.threads.install()"}
    {WITH_KEY}
    import asyncio
    seen = {{}}
    def note(name):
        seen[name] = told()

    class Own(threading.Thread):
        def run(self):
            note("own run")

    class OwnPool(ThreadPoolExecutor):
        def submit(self, fn, /, *args, **kwargs):
            return super().submit(lambda: fn(*args, **kwargs))

    async def gather():
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, note, "run_in_executor")
        await asyncio.to_thread(note, "to_thread")

    def everything():
        threads = [
            threading.Thread(target=note, args=("thread",)),
            threading.Thread(target=note, args=("daemon",), daemon=True),
            threading.Timer(0.001, note, args=("timer",)),
            Own(),
            threading.Thread(target=lambda: asyncio.run(gather())),
        ]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        with OwnPool() as pool: pool.submit(note, "subclass").result()
        with ThreadPoolExecutor() as pool: list(pool.map(note, ["map"]))
        done = threading.Event()
        with ThreadPoolExecutor() as pool:
            future = pool.submit(int)
            future.add_done_callback(lambda _: (note("callback"), done.set()))
            done.wait()
    inside("here", everything)
    assert set(seen.values()) == {{"here"}}, seen
    assert len(seen) == 9, seen
    """,
        start=start,
    )
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_a_pool_gives_each_piece_of_work_its_own_context(agent: Run) -> None:
    ran = agent(f"""{WITH_KEY}
    barrier = threading.Barrier(4)
    def work():
        barrier.wait()
        return told()
    with ThreadPoolExecutor(4, initializer=lambda: begun.append(told())) as pool:
        begun = []
        futures = [inside(number, lambda: pool.submit(work)) for number in range(4)]
        assert [future.result() for future in futures] == [0, 1, 2, 3]
        barrier = threading.Barrier(1)
        assert pool.submit(work).result() is None
        assert begun == [None] * 4
    """)
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_without_a_context_nothing_is_attached_and_the_run_is_the_parent(agent: Run) -> None:
    ran = agent(f"""{WITH_KEY}
    from opentelemetry import trace
    from obs_run.context.threads import own_context
    from obs_run.process import run

    def look():
        own.append((own_context(), trace.get_current_span().get_span_context().span_id))
    own = []
    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    with ThreadPoolExecutor() as pool: pool.submit(look).result()
    assert own == [(None, run.identity().span_id)] * 2, own
    """)
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_nothing_is_held_longer_than_the_thread_or_the_work_needs(agent: Run) -> None:
    ran = agent(f"""{WITH_KEY}
    gc.disable()
    def fail():
        raise ValueError("of the work")

    def start(function):
        thread = threading.Thread(target=function)
        thread.start()
        return thread

    def gone(function):
        context = Told()
        held = weakref.ref(context)
        given = inside(context, function)
        del context
        return held, given

    held, thread = gone(lambda: start(int))
    thread.join()
    assert held() is None

    with ThreadPoolExecutor(1) as pool:
        held, future = gone(lambda: pool.submit(fail))
        error = future.exception()
        pool.submit(int).result()
        assert held() is None
        held, future = gone(lambda: pool.submit(int))
        future.result()
        pool.submit(int).result()
        assert held() is None
    """)
    assert (ran.code, ran.out, ran.err) == (0, "", "")


@pytest.mark.slow
def test_threads_that_serve_others_do_not_inherit(agent: Run) -> None:
    ran = agent(f"""{WITH_KEY}
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor
    from obs_run.context import threads
    from obs_run.runtime.process_runtime import runtime

    carried = []
    context_for = threads._context_for
    def watch(thread):
        carried.append((type(thread).__name__, getattr(thread._target, "__name__", None), context_for(thread)))
        return carried[-1][2]
    threads._context_for = watch

    def several():
        with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
            assert pool.submit(abs, -3).result() == 3
        runtime().set_up()
        with ThreadPoolExecutor() as pool: pool.submit(int).result()

    if __name__ == "__main__":
        inside("here", several)
        assert {{name for name, _, _ in carried}} >= {{"_ExecutorManagerThread", "Thread"}}, carried
        assert {{target for _, target, _ in carried}} >= {{"_worker", "_feed"}}, carried
        assert {{context for _, _, context in carried}} == {{None}}, carried
    """)
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_what_an_agent_can_see_of_threads_and_pools_is_as_ever(agent: Run) -> None:
    ran = agent(
        f"""
    import inspect, threading, pickle, traceback
    from concurrent.futures import thread as pools
    import concurrent.futures
    pool = concurrent.futures.ThreadPoolExecutor
    before = [
        threading.Thread.start, threading.Thread.run, threading.Thread.__init__, threading.Timer.run,
        inspect.signature(threading.Thread), inspect.signature(pool.submit), pool.submit, pool._adjust_thread_count,
        sorted(vars(threading.Thread)), sorted(vars(pools._WorkItem)), inspect.signature(pools._WorkItem),
    ]
    import obs_run.auto
    {WITH_KEY}
    after = [
        threading.Thread.start, threading.Thread.run, threading.Thread.__init__, threading.Timer.run,
        inspect.signature(threading.Thread), inspect.signature(pool.submit), pool.submit, pool._adjust_thread_count,
        sorted(vars(threading.Thread)), sorted(vars(pools._WorkItem)), inspect.signature(pools._WorkItem),
    ]
    assert before == after

    def fail():
        raise ValueError("of the work")

    def check():
        thread = threading.Thread(target=fail)
        names = set(vars(thread))
        seen = []
        threading.excepthook = lambda args: seen.append(traceback.format_tb(args.exc_traceback))
        thread.start()
        thread.join()
        assert set(vars(thread)) - names <= {{"_handle"}}, set(vars(thread)) - names
        with ThreadPoolExecutor() as workers:
            seen.append(traceback.format_tb(workers.submit(fail).exception().__traceback__))
        assert seen[0] and seen[1]
        assert "obs_run" not in str(seen), seen
        try:
            thread.start()
        except RuntimeError as error:
            assert "obs_run" not in str(traceback.format_tb(error.__traceback__))
        try:
            workers.submit(fail)
        except RuntimeError as error:
            assert "obs_run" not in str(traceback.format_tb(error.__traceback__))
    inside("here", check)
    """,
        start=False,
    )
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_another_instrumentor_of_threads_changes_nothing(agent: Run) -> None:
    ran = agent(f"""{WITH_KEY}
    import functools
    from opentelemetry.context import get_current

    def start(self):
        self._otel_context = get_current()
        return started(self)
    def run(self):
        token = attach(self._otel_context)
        try:
            return ran(self)
        finally:
            detach(token)
    def submit(self, fn, /, *args, **kwargs):
        context = get_current()
        def wrapped(*args, **kwargs):
            token = attach(context)
            try:
                return fn(*args, **kwargs)
            finally:
                detach(token)
        return submitted(self, wrapped, *args, **kwargs)
    started, ran, submitted = threading.Thread.start, threading.Thread.run, ThreadPoolExecutor.submit
    threading.Thread.start, threading.Thread.run, ThreadPoolExecutor.submit = start, run, submit

    def both():
        seen = []
        thread = threading.Thread(target=lambda: seen.append(told()))
        thread.start()
        thread.join()
        with ThreadPoolExecutor(1) as pool: seen.append(pool.submit(told).result())
        return seen
    assert inside("here", both) == ["here", "here"]
    """)
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_work_left_at_the_exit_still_has_its_context(agent: Run) -> None:
    ran = agent(f"""{WITH_KEY}
    pool = ThreadPoolExecutor(1)
    begun, ending = threading.Event(), threading.Event()
    threading._register_atexit(ending.set)
    def work(name):
        begun.set()
        ending.wait()
        print(name, told(), flush=True)
    inside("a", lambda: pool.submit(work, "first"))
    inside("b", lambda: pool.submit(print, "second"))
    inside("c", lambda: threading.Thread(target=work, args=("thread",)).start())
    begun.wait()
    """)
    assert (ran.code, sorted(ran.out.splitlines()), ran.err) == (0, ["first a", "second", "thread c"], "")


@pytest.mark.parametrize("off", ["false", "0"])
def test_the_setting_leaves_threads_alone(agent: Run, off: str) -> None:
    ran = agent(
        f"""{WITH_KEY}
    import obs_run.context.threads
    obs_run.context.threads.install()
    def both():
        seen = []
        thread = threading.Thread(target=lambda: seen.append(told()))
        thread.start()
        thread.join()
        with ThreadPoolExecutor(1) as pool: seen.append(pool.submit(told).result())
        return seen
    assert inside("here", both) == [None, None]
    """,
        OBS_PROPAGATE_THREADS=off,
    )
    assert (ran.code, ran.out, ran.err) == (0, "", "")


def test_programs_without_opentelemetry_load_nothing_for_their_threads(agent: Run) -> None:
    ran = agent("""
    import sys, threading
    from concurrent.futures import ThreadPoolExecutor
    with ThreadPoolExecutor() as pool: pool.submit(int).result()
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    assert "obs_run.context.threads" not in sys.modules
    assert not [name for name in sys.modules if name.startswith("opentelemetry")]
    """)
    assert (ran.code, ran.out, ran.err) == (0, "", "")
