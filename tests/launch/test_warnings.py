"""A warning that Python shows once is shown once, whatever is recorded in between."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tests.examples import one_in
from tests.launch.running import SCRIPTS, environment, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.otlp_receiver import Receiver

PROGRAM = """
    import logging, warnings
    from opentelemetry import metrics, trace, _logs

    def work(number):
        warnings.warn("outdated", DeprecationWarning, stacklevel=1)
        warnings.warn("careful", UserWarning, stacklevel=1)
        with trace.get_tracer(f"library {number}").start_as_current_span("work"):
            logging.getLogger(f"library {number}").warning("a record")
        metrics.get_meter(f"library {number}").create_counter(f"counted_{number}").add(1)
        _logs.get_logger(f"library {number}").emit(_logs.LogRecord(body="x", attributes={}))

    logging.getLogger().addHandler(logging.NullHandler())
    for number in range(5):
        work(number)
    """


@pytest.mark.sampled
@pytest.mark.parametrize(
    "option", one_in(2, ["-Wdefault", "-Wonce", "-Wmodule", "-Wignore", "-Wd::DeprecationWarning"])
)
def test_a_warning_is_shown_as_often_as_without_us(option: str, receiver: Receiver, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(dedent(PROGRAM))
    env = environment(receiver.endpoint, tmp_path)
    words = [str(SCRIPTS / "python"), option, "agent.py"]
    plain = run(words, tmp_path, env)
    launched = run([str(SCRIPTS / "obs-run"), *words], tmp_path, env)
    assert launched == plain
    assert len(receiver.named("work")) == 5
