"""Records that a library makes in a block of ours which mutes them."""

from __future__ import annotations

import threading

import pytest

from obs_run.core import log_records

pytestmark = pytest.mark.usefixtures("fake")


def test_what_is_logged_in_the_block_is_not_recorded() -> None:
    with log_records.Muted():
        with log_records.Muted():
            pass
        assert not log_records.is_wanted()
    assert log_records.is_wanted()


def test_another_thread_is_heard_meanwhile() -> None:
    heard: list[bool] = []
    with log_records.Muted():
        thread = threading.Thread(target=lambda: heard.append(log_records.is_wanted()))
        thread.start()
        thread.join()
    assert heard == [True]
