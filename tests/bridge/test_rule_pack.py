from __future__ import annotations

import logging
import sys

import pytest

from obs_run.bridge import rule_sources
from obs_run.bridge.rule_index import RuleIndex

SITE = "/venv/site-packages/"
INFO, WARNING, ERROR = logging.INFO, logging.WARNING, logging.ERROR
# Each as the library writes it: the rule, logger, level, file, text, and what is read of it.
LINES = [
    (
        "request",
        "app",
        INFO,
        "",
        "[a1b2] GET /items/7?x=1",
        {"request_id": "a1b2", "method": "GET", "path": "/items/7?x=1"},
    ),
    (
        "request-done",
        "app",
        INFO,
        "",
        "[a1b2] GET /items/7 200 (12ms)",
        {"request_id": "a1b2", "method": "GET", "path": "/items/7", "status": "200", "duration": "12ms"},
    ),
    (
        "request-done",
        "app",
        INFO,
        "",
        "[7] POST /x -> 503 (1.25 s)",
        {"request_id": "7", "method": "POST", "path": "/x", "status": "503", "duration": "1.25 s"},
    ),
    (
        "perf-metric",
        "STT",
        INFO,
        "",
        "PERF_METRIC: [STTService] - [Transcription] - Duration: 12.34ms",
        {"component": "STTService", "operation": "Transcription", "duration": "12.34ms"},
    ),
    (
        "uvicorn-access",
        "uvicorn.access",
        INFO,
        "",
        '127.0.0.1:51234 - "GET /health?a=b HTTP/1.1" 200',
        {"client": "127.0.0.1:51234", "method": "GET", "path": "/health?a=b", "status": "200"},
    ),
    (
        "gunicorn-access",
        "gunicorn.access",
        INFO,
        "",
        '127.0.0.1 - - [01/Nov/2026:10:00:00 +0000] "POST /ask HTTP/1.1" 201 13 "-" "curl/8.0"',
        {"client": "127.0.0.1", "method": "POST", "path": "/ask", "status": "201"},
    ),
    (
        "aiohttp-access",
        "aiohttp.access",
        INFO,
        "",
        '127.0.0.1 [01/Nov/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 152 "-" "Python/3.12 aiohttp/3.9"',
        {"client": "127.0.0.1", "method": "GET", "path": "/", "status": "200"},
    ),
    (
        "werkzeug-access",
        "werkzeug",
        INFO,
        "",
        '127.0.0.1 - - [01/Nov/2026 10:00:00] "GET / HTTP/1.1" 200 -',
        {"client": "127.0.0.1", "method": "GET", "path": "/", "status": "200"},
    ),
    (
        "werkzeug-access",
        "werkzeug",
        INFO,
        "",
        '127.0.0.1 - - [01/Nov/2026 10:00:00] "\x1b[33mGET /x HTTP/1.1\x1b[0m" 404 -',
        {"client": "127.0.0.1", "method": "GET", "path": "/x", "status": "404"},
    ),
    (
        "django-access",
        "django.server",
        INFO,
        "",
        '"GET /admin/ HTTP/1.1" 302 0',
        {"method": "GET", "path": "/admin/", "status": "302"},
    ),
    (
        "django-request",
        "django.request",
        ERROR,
        "",
        "Internal Server Error: /ask",
        {"what": "Internal Server Error", "path": "/ask"},
    ),
    (
        "django-request",
        "django.request",
        WARNING,
        "",
        "Method Not Allowed (GET): /ask",
        {"what": "Method Not Allowed (GET)", "path": "/ask"},
    ),
    (
        "httpx-request",
        "httpx",
        INFO,
        "",
        'HTTP Request: POST https://api.example/v1/chat "HTTP/1.1 200 OK"',
        {"method": "POST", "url": "https://api.example/v1/chat", "status": "200"},
    ),
    (
        "celery-received",
        "celery.worker.strategy",
        INFO,
        "",
        "Task proj.tasks.add[8f2a-41] received",
        {"task": "proj.tasks.add", "task_id": "8f2a-41"},
    ),
    (
        "celery-succeeded",
        "celery.app.trace",
        INFO,
        "",
        "Task proj.tasks.add[8f2a-41] succeeded in 0.012370s: 5",
        {"task": "proj.tasks.add", "task_id": "8f2a-41", "duration": "0.012370s"},
    ),
    (
        "celery-succeeded",
        "celery.app.trace",
        INFO,
        "",
        "Task a.b[1] succeeded in 3.5e-05s: None",
        {"task": "a.b", "task_id": "1", "duration": "3.5e-05s"},
    ),
    (
        "celery-not-succeeded",
        "celery.app.trace",
        ERROR,
        "",
        "Task a.b[1] raised unexpected: ValueError('x')",
        {"task": "a.b", "task_id": "1", "how": "raised unexpected"},
    ),
    (
        "celery-not-succeeded",
        "celery.app.trace",
        INFO,
        "",
        "Task a.b[1] retry: Retry in 5s",
        {"task": "a.b", "task_id": "1", "how": "retry"},
    ),
    (
        "apscheduler-job",
        "apscheduler.executors.default",
        INFO,
        "",
        'Running job "tick (trigger: interval[0:00:03], next run at: 2026-11-01 10:00:03 UTC)" (scheduled at 10:00)',
        {"job": "tick"},
    ),
    (
        "apscheduler-done",
        "apscheduler.executors.default",
        INFO,
        "",
        'Job "tick (trigger: interval[0:00:03], next run at: 2026-11-01 10:00:03 UTC)" executed successfully',
        {"job": "tick"},
    ),
    (
        "apscheduler-failed",
        "apscheduler.executors.default",
        ERROR,
        "",
        'Job "tick (trigger: interval[0:00:03], next run at: 2026-11-01 10:00:03 UTC)" raised an exception',
        {"job": "tick"},
    ),
    (
        "rq-completed",
        "rq.worker",
        INFO,
        "",
        "Successfully completed jobs.add(2, 3) job in 0:00:01.250000s on worker w1",
        {"job": "jobs.add(2, 3)", "duration": "0:00:01.250000"},
    ),
    (
        "dramatiq-message",
        "jobs.add",
        logging.DEBUG,
        SITE + "dramatiq/actor.py",
        "Received args=(1, 2) kwargs={}.",
        {"name": "jobs.add"},
    ),
    (
        "dramatiq-completed",
        "jobs.add",
        logging.DEBUG,
        SITE + "dramatiq/actor.py",
        "Completed after 1.25ms.",
        {"name": "jobs.add", "duration": "1.25ms"},
    ),
    ("huey-task", "huey", INFO, "", "Executing jobs.add: 3b2c-11", {"task": "jobs.add", "task_id": "3b2c-11"}),
    (
        "huey-executed",
        "huey",
        INFO,
        "",
        "jobs.add: 3b2c-11 executed in 0.123s",
        {"task": "jobs.add", "task_id": "3b2c-11", "duration": "0.123s"},
    ),
    ("huey-failed", "huey", ERROR, "", "Unhandled exception in task 3b2c-11.", {"task_id": "3b2c-11"}),
    ("prefect-state", "prefect.flow_runs", INFO, "", "Finished in state Completed()", {"state": "Completed"}),
    (
        "airflow-state",
        "airflow.task",
        INFO,
        "",
        "Marking task as SUCCESS. dag_id=etl, task_id=load, run_id=manual, execution_date=1",
        {"state": "SUCCESS", "dag_id": "etl", "task_id": "load"},
    ),
    ("sqlalchemy-transaction", "sqlalchemy.engine.Engine", INFO, "", "BEGIN (implicit)", {}),
    ("sqlalchemy-commit", "sqlalchemy.engine.Engine", INFO, "", "COMMIT", {}),
    ("sqlalchemy-rollback", "sqlalchemy.engine.Engine", INFO, "", "ROLLBACK", {}),
]
# What looks alike and is nothing of the kind.
NEITHER = [
    ("app", "[Executor] GET ready"),
    ("app", "[a1b2] GET /items took a while, see /docs"),
    ("app", "PERF_METRIC: cache hit rate 0.9"),
    ("httpx", "load_ssl_context verify=True"),
    ("celery.worker", "celery@host ready."),
    ("sqlalchemy.engine.Engine", "SELECT 1"),
    ("sqlalchemy.engine.Engine", "[cached since 0.1s ago] ()"),
    ("app", "COMMIT"),
    ("uvicorn.error", "Started server process [1]"),
    ("huey", "Scheduler started with 2 workers"),
]


def record(logger: str, level: int, file: str, text: str) -> logging.LogRecord:
    return logging.LogRecord(logger, level, file or "/app/agent.py", 1, text, (), None, "run")


@pytest.fixture(scope="module")
def index() -> RuleIndex:
    return RuleIndex(rule_sources.load(()).rules.values())


@pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line[0]}-{line[4][:20]}")
def test_lines_of_libraries_are_known(index: RuleIndex, line: tuple[str, str, int, str, str, dict[str, str]]) -> None:
    name, logger, level, file, text, groups = line
    found = index.find(record(logger, level, file, text))
    assert found is not None
    assert [(rule.name, read) for rule, read in found.read] == [(name, groups)]
    [(rule, _)] = found.read
    assert rule.shown_name(groups)
    if "duration" in groups:
        assert rule.seconds(groups, text)


@pytest.mark.parametrize("line", NEITHER)
def test_lines_that_look_alike_are_left_alone(index: RuleIndex, line: tuple[str, str]) -> None:
    logger, text = line
    assert index.find(record(logger, logging.INFO, "", text)) is None


def test_every_rule_has_a_line() -> None:
    assert {line[0] for line in LINES} == set(rule_sources.built_in())


def test_a_library_that_is_instrumented_is_left_to_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.instrumentation.celery", sys)
    text = "Task proj.tasks.add[8f2a-41] succeeded in 0.012370s: 5"
    index = RuleIndex(rule_sources.load(()).rules.values())
    assert index.find(record("celery.app.trace", logging.INFO, "", text)) is None
