"""Records of the logging module: what they carry, and the JSON console."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.unit.agents import Run

SOURCE = """
    import logging, sys
    from obs_run.context.log_context import attached
    from opentelemetry import trace

    logging.getLogger("last").warning("by the last resort")
    plain = logging.StreamHandler(sys.stdout)
    plain.setFormatter(logging.Formatter("mine: %(message)s"))
    file = logging.FileHandler("own.log", "w")
    quiet = logging.getLogger("quiet")
    quiet.propagate = False
    quiet.addHandler(plain)
    quiet.addHandler(file)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")

    def work():
        with attached(user_id="u1", correlation_id="c1"), trace.get_tracer("t").start_as_current_span("work"):
            quiet.warning("quiet %s", "one", extra={"user_id": "own", "shape": [1]})
            logging.info("root")
        try:
            int("x")
        except ValueError:
            logging.exception("failed")
    work()
    import pathlib; print(pathlib.Path("own.log").read_text(), end="")
    sys.stdout.flush()
"""


def test_records_carry_the_log_context(agent: Run) -> None:
    logs = agent(SOURCE + "\n    import telemetry_probe; telemetry_probe.show()").logs()
    quiet, root, failed = logs["quiet one"]["attributes"], logs["root"]["attributes"], logs["failed"]["attributes"]
    assert (quiet["user_id"], quiet["correlation_id"], quiet["shape"]) == ("own", "c1", "[1]")
    assert (root["user_id"], root["correlation_id"]) == ("u1", "c1")
    assert "user_id" not in failed


@pytest.mark.slow
def test_without_the_setting_the_output_is_the_agents_own(agent: Run) -> None:
    alone = agent(SOURCE, start=False)
    for setting in ({}, {"OBS_LOG_CONSOLE": "human"}, {"OBS_LOG_CONSOLE": "none"}):
        ran = agent(SOURCE, **setting)
        assert (ran.out, ran.code) == (alone.out, 0)
        assert [line for line in ran.err.splitlines() if "File" not in line] == [
            line for line in alone.err.splitlines() if "File" not in line
        ]


def test_the_console_is_json_by_one_setting(agent: Run) -> None:
    ran = agent(SOURCE + "\n    import telemetry_probe; telemetry_probe.show()", OBS_LOG_CONSOLE="json")
    first, own_file, *_ = ran.out.splitlines()
    quiet = json.loads(first)
    last, root, failed = (json.loads(line) for line in ran.err.splitlines())
    span = ran.spans()["work"]

    assert own_file == "quiet one"
    assert quiet["message"] == "quiet one"
    assert quiet["context"] == {"user_id": "u1", "correlation_id": "c1"}
    assert (quiet["data"]["user_id"], quiet["data"]["shape"], quiet["data"]["logger"]) == ("own", [1], "quiet")
    assert (quiet["trace_id"], quiet["span_id"]) == (span["trace"], span["span"])
    assert (root["message"], root["level"], root["context"]["user_id"]) == ("root", "info", "u1")
    assert (last["message"], last["level"]) == ("by the last resort", "warning")
    assert failed["exception"].startswith("ValueError")
    assert 'int("x")' in failed["stack_trace"]


def test_the_console_is_json_without_the_launcher_and_without_export(agent: Run) -> None:
    source = "import obs_run.logging\nimport logging\nlogging.warning('w')"
    ran = agent(source, start=False, OBS_LOG_CONSOLE="json")
    assert json.loads(ran.err)["message"] == "w"
    ran = agent("import logging\nlogging.warning('w')", OBS_LOG_CONSOLE="json", OBS_LOGS="false")
    assert json.loads(ran.err)["message"] == "w"


def test_secrets_come_to_no_json_console(agent: Run) -> None:
    secret = "sk-proj-" + "aB3" * 16
    ran = agent(
        f"import logging\nlogging.warning('key {secret}', extra={{'password': 'hunter2!x'}})", OBS_LOG_CONSOLE="json"
    )
    assert json.loads(ran.err)["message"].startswith("key ")
    assert secret not in ran.err
    assert "hunter2!x" not in ran.err


def test_a_wrong_setting_of_privacy_is_said_and_stops_nothing(agent: Run) -> None:
    wrong = {"OBS_PRIVACY": "nonsense", "OBS_LOG_CONSOLE": "json"}
    for source in (
        "import logging; logging.warning('w')",
        "import logging, obs_run.logging as l; l.get_distributed_logger(); logging.warning('w')",
    ):
        ran = agent(source, **wrong)
        assert ran.code == 0
        assert json.loads(ran.err.splitlines()[-1])["message"] == "w"
        assert "nonsense" in ran.err
