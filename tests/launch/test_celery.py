"""A worker of celery that forks its processes, under obs-run: each task is in the trace of who sent it."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.e2e.backends.redis import redis_server
from tests.launch import environments
from tests.launch.fleet import path_of
from tests.launch.running import environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.backends.fixtures import FindTool
    from tests.otlp_receiver import Receiver

pytestmark = [pytest.mark.environments, pytest.mark.timeout(1800)]  # the environment may have to be made first

TASKS = """
import logging, os
from celery import Celery

url = os.environ["REDIS"]
app = Celery("tasks", broker=url, backend=url)


@app.task(bind=True, max_retries=1)
def infer(task, number):
    if number == 0 and task.request.retries == 0:
        raise task.retry(countdown=0)
    logging.getLogger("tasks").warning("inferring %s", number)
    return os.getpid()
"""
SENDING = """
from tasks import infer

results = [infer.delay(number) for number in range(6)]
print(len({result.get(timeout=60) for result in results}))
"""
EAGER = """
from celery import Celery

app = Celery("tasks")
app.conf.task_always_eager = True


@app.task
def sum_up(numbers):
    return sum(numbers)


@app.task
def plan():
    return sum_up.delay([1, 2]).result


print(plan.delay().get(), sum_up.apply(([3],)).get())
"""


def test_eager_tasks_are_in_the_trace_of_the_script(receiver: Receiver, tmp_path: Path) -> None:
    place = environments.environment("celery redis")
    (tmp_path / "eager.py").write_text(EAGER)
    variables = environment(receiver.endpoint, tmp_path, place.scripts)
    command = [place.command("obs-run"), place.python, "eager.py"]
    done = subprocess.run(
        command, cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, "3 3\n"), done.stderr
    run, plan, sum_up = "eager: eager", "eager: process tasks.plan", "eager: process tasks.sum_up"
    paths = [path_of(span, receiver) for span in receiver.spans]
    assert sorted(paths) == [[run], [run, plan], [run, plan, sum_up], [run, sum_up]]


def test_tasks_of_processes_that_are_replaced_after_each_task(
    backend_tool: FindTool, receiver: Receiver, tmp_path: Path
) -> None:
    backend_tool("redis-server")
    place = environments.environment("celery redis")
    (tmp_path / "tasks.py").write_text(TASKS)
    (tmp_path / "sending.py").write_text(SENDING)
    options = ("--concurrency", "2", "--max-tasks-per-child", "1", "--loglevel", "WARNING")
    with redis_server(tmp_path) as port:
        variables = environment(receiver.endpoint, tmp_path, place.scripts) | {"REDIS": f"redis://127.0.0.1:{port}/0"}
        launcher = place.command("obs-run")
        with subprocess.Popen(
            [launcher, place.command("celery"), "-A", "tasks", "worker", *options], cwd=tmp_path, env=variables
        ) as worker:
            try:
                sent = subprocess.run(
                    [launcher, place.python, "sending.py"],
                    cwd=tmp_path,
                    env=variables,
                    capture_output=True,
                    text=True,
                    timeout=120,
                    check=False,
                )
                assert (sent.returncode, sent.stdout) == (0, "6\n"), sent.stderr
                worker.send_signal(signal.SIGTERM)
                worker.wait(120)
            finally:
                worker.kill()
    [root] = receiver.named("sending")
    paths = [path_of(span, receiver) for span in receiver.spans if span.trace_id == root.trace_id]
    worked = ["sending: sending", "sending: publish tasks.infer", "celery: process tasks.infer"]
    assert paths.count(worked) == 6
    assert paths.count([*worked, "celery: publish tasks.infer", "celery: process tasks.infer"]) == 1
    spans = {span.span_id: span for span in receiver.spans}
    lines = [
        log.body for log in receiver.logs if log.span_id in spans and spans[log.span_id].name.startswith("process")
    ]
    assert sorted(line for line in lines if str(line).startswith("inferring")) == [
        f"inferring {each}" for each in range(6)
    ]
    others = {span.name.partition(" ")[0] for span in receiver.spans} - {"sending", "celery", "publish", "process"}
    assert not others
