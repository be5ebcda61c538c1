"""Event names with dots or underscores, fields as key=value."""
import logging
import time

log = logging.getLogger("runtime.events")
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")

COMPONENTS = ("store", "scheduler", "model")


def fields(**kw):
    return " ".join(f"{k}={v}" for k, v in kw.items())


def boot():
    for c in COMPONENTS:
        log.info(f"component.begin {fields(name=c)}")  # @comp
        log.info(f"component.configure {fields(name=c)}")  # @conf
        time.sleep(0.001)
        log.info(f"component.end {fields(name=c, errors=0)}")  # @comp_ok


def tool(task, name):
    log.info(f"tool.call {fields(task=task, tool=name)}")  # @tool
    time.sleep(0.001)
    log.info(f"tool.result {fields(task=task, tool=name, ok=True)}")  # @tool_ok


def task(tid, tools):
    log.info(f"task_started {fields(id=tid)}")  # @task
    for name in tools:
        if name == "shell":
            log.error(f"task_failed {fields(id=tid, reason='shell.not.allowed')}")  # @task_bad
            return
        tool(tid, name)
    log.info(f"task_completed {fields(id=tid)}")  # @task_ok


def main():
    boot()
    log.info("runtime.started version=4")
    task(901, ["grep", "sed"])
    task(902, ["awk", "shell", "sed"])
    log.info(f"runtime.stats {fields(tasks_completed=1, tasks_failed=1, tool_calls=3)}")
    log.info("runtime.stopped")


main()
