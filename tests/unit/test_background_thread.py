from __future__ import annotations

import logging
import signal
import threading

import pytest

from obs_run.process import threads
from obs_run.process.threads import BackgroundThread


def test_threading_forgets_a_thread_that_logs() -> None:
    seen: list[int] = []
    before = threading.active_count()

    def work() -> None:
        logging.getLogger("test").debug("line")
        threading.current_thread()
        seen.append(threading.active_count())
        threads.hide()
        seen.append(threading.active_count())

    thread = BackgroundThread(work)
    thread.start()
    assert thread.join(60)
    assert seen == [before + 1, before]
    assert not thread.is_alive()


def test_signals_are_blocked_in_it_and_nowhere_else() -> None:
    masks: list[set[int]] = []
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    thread = BackgroundThread(lambda: masks.append(signal.pthread_sigmask(signal.SIG_BLOCK, ())))
    thread.start()
    assert thread.join(60)
    assert {signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGALRM} <= masks[0]
    assert signal.SIGSEGV not in masks[0]
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_a_thread_that_cannot_begin_is_not_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> int:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads, "start_new_thread", refuse)
    thread = BackgroundThread(print)
    with pytest.raises(RuntimeError):
        thread.start()
    assert not thread.is_alive()
