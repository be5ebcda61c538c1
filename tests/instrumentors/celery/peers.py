"""Processes without obs-run: one sends tasks, one is a worker that refuses headers of tasks that it does not know."""

from __future__ import annotations

import sys
from importlib import import_module

WAIT = 60


def main(role: str, url: str, prefix: str, count: str) -> None:
    assert "obs_run" not in sys.modules
    app = import_module("celery").Celery("agent", broker=url, backend=url)
    options = {"global_keyprefix": prefix}
    app.conf.update(broker_transport_options=options)

    def add(one: int, other: int) -> int:
        return one + other

    task = app.task(name="agent.add")(add)
    if role == "worker":
        testing = import_module("celery.contrib.testing.worker")
        with testing.start_worker(app, pool="solo", perform_ping_check=False, loglevel="CRITICAL"):
            print("ready", flush=True)
            sys.stdin.readline()
    else:
        for number in range(int(count)):
            task.delay(number, 1)
        print(count, "sent", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
