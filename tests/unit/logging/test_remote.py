from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.otlp_receiver import Receiver
from tests.ports import nobody

if TYPE_CHECKING:
    from tests.unit.agents import Run
    from tests.unit.logging.conftest import Sent

LOGGER = """
    import asyncio, os, sys, time
    from obs_run.logging import DistributedLogger, RemoteLogHandler
    logger = DistributedLogger("remote")
    logger.add_handler(RemoteLogHandler("remote", os.environ["THERE"], batch_size=10))
"""


def test_records_reach_an_endpoint_of_their_own_and_the_pipeline_too(agent: Run, receiver: Receiver) -> None:
    source = (
        LOGGER
        + """
    async def main():
        async with logger.async_context(user_id="u1"):
            for number in range(25):
                await logger.info("m", data={"n": number}, tags=["t"])
        logger.error("failed", exception=ValueError("x"))
    asyncio.run(main())
    """
    )
    with Receiver() as there:
        for start in (True, False):
            ran = agent(source, start=start, THERE=there.endpoint, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
            assert (ran.code, ran.err) == (0, "")
        assert set(there.requests) == {"/v1/logs"}
        assert len(there.requests) >= 6
        assert [log.body for log in there.logs] == (["m"] * 25 + ["failed"]) * 2
        assert there.spans == []
        told = there.logs[3].attributes
        assert (told["user_id"], told["n"], told["obs.log.tags"]) == ("u1", 3, ["t"])
        assert told["code.function.name"] == "main"
        assert there.logs[25].attributes["exception.message"] == "x"
        for ours, theirs in zip(receiver.logs, there.logs, strict=True):
            assert (ours.body, ours.attributes, ours.trace_id) == (theirs.body, theirs.attributes, theirs.trace_id)


def test_no_secret_and_no_header_of_the_settings_goes_there(agent: Run) -> None:
    secret = "sk-proj-" + "aB3" * 16
    with Receiver() as there:
        agent(
            LOGGER + f"    logger.info('key {secret}', data={{'password': 'hunter2!x'}})",
            THERE=f"{there.endpoint}/v1/logs",
            OTEL_EXPORTER_OTLP_HEADERS="authorization=theirs",
        )
        assert there.logs[0].body.startswith("key ")
        assert secret not in str(there.logs)
        assert "hunter2!x" not in str(there.logs)


@pytest.mark.slow
def test_what_cannot_be_delivered_is_tried_again(agent: Run) -> None:
    with Receiver() as there:
        there.mood = "unavailable"
        source = (
            LOGGER
            + """
    import urllib.request
    for number in range(30):
        logger.info("m", n=number)
    sys.stdout.write("logged\\n"); sys.stdout.flush()
    from obs_run.runtime.process_runtime import runtime
    runtime().queue().flush(time.monotonic() + 5)
    urllib.request.urlopen(os.environ["SWITCH"]).read()
    """
        )
        import threading
        from http.server import BaseHTTPRequestHandler, HTTPServer

        class Switch(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                there.mood = "up"
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        with HTTPServer(("127.0.0.1", 0), Switch) as switch:
            serving = threading.Thread(target=switch.handle_request)
            serving.start()
            ran = agent(source, THERE=there.endpoint, SWITCH=f"http://127.0.0.1:{switch.server_port}/")
            serving.join()
        assert (ran.code, ran.err) == (0, "")
        assert [log.attributes["n"] for log in there.logs] == list(range(30))


def test_an_endpoint_that_is_away_holds_nobody_up(agent: Run) -> None:
    away = nobody()
    ran = agent(
        f"""
    import time
    from obs_run.logging import DistributedLogger, RemoteLogHandler
    logger = DistributedLogger("remote")
    logger.add_handler(RemoteLogHandler("remote", "http://{away}"))
    begun = time.perf_counter()
    for number in range(1000):
        logger.info("m")
    took = time.perf_counter() - begun
    assert took < 10, took
    """
    )
    assert ran.code == 0
    line = f"obs-run: 1000 spans, log records or metric exports wait in the spool for http://{away} (Connection"
    assert ran.err.startswith(line)
    assert ran.err.count("\n") == 1


def test_a_wrong_endpoint_is_said_and_none_is_the_pipelines(
    sent: Sent, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from obs_run.logging import DistributedLogger, RemoteLogHandler

    monkeypatch.setattr("obs_run.base.guard._said", set())
    logger = DistributedLogger("x")
    logger.add_handler(RemoteLogHandler("wrong", "ftp://somewhere"))
    logger.add_handler(RemoteLogHandler("pipeline"))
    logger.info("m")
    assert [record.getMessage() for record in caplog.records] == [
        "RemoteLogHandler: endpoint 'ftp://somewhere' is not allowed; allowed: http://host:port or https://host:port"
    ]
    assert logger.get_metrics()["failed_logs"] == len(sent) == 1
