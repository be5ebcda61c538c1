"""A tiny in-process scheduler: due jobs run in worker threads, JSON lines through structlog and logging."""
import heapq
import itertools
import logging
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import structlog

logging.basicConfig(format="%(message)s", stream=sys.stdout, level=logging.DEBUG)
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(sort_keys=True),
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
log = structlog.get_logger("scheduler")


class JobError(Exception):
    pass


def rotate_keys(jlog):
    jlog.debug("keys checked", expired=0, failed=0)


def refresh_rates(jlog):
    fetch_rates(jlog, "ecb")
    jlog.info("rates stored", currencies=31)


def fetch_rates(jlog, source):
    jlog.info("fetching rates", source=source)  # @fetch
    time.sleep(0.002)
    jlog.info("rates fetched", source=source, bytes=1893)  # @fetch_ok


def purge_carts(jlog):
    time.sleep(0.001)
    raise JobError("table carts is locked")


class Scheduler:
    def __init__(self):
        self.heap = []
        self.seq = itertools.count(1)
        self.pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="job")
        self.futures = []
        self.lock = threading.Lock()
        self.results = {"ok": 0, "error": 0}

    def add(self, delay, fn, retries=0):
        n = next(self.seq)
        heapq.heappush(self.heap, (delay, n, fn, retries))
        log.debug("job registered", job=fn.__name__, first_run_in=f"{delay}s")

    def run_job(self, job_id, fn, retries):
        jlog = log.bind(job_id=job_id, job=fn.__name__)
        jlog.info("job_started", retries_left=retries)  # @job
        t0 = time.perf_counter()
        try:
            fn(jlog)
        except JobError as exc:
            jlog.error("job_failed", error=str(exc))  # @job_bad
            with self.lock:
                self.results["error"] += 1
            return
        with self.lock:
            self.results["ok"] += 1
        jlog.info("job_finished", duration_ms=round((time.perf_counter() - t0) * 1000, 1))  # @job_ok

    def run(self):
        log.info("scheduler is up", jobs=len(self.heap), workers=2)
        now = 0.0
        while self.heap:
            due, n, fn, retries = heapq.heappop(self.heap)
            if due > now:
                log.debug("nothing due", sleep=f"{due - now:.3f}s")
                time.sleep(due - now)
                now = due
            self.futures.append(self.pool.submit(self.run_job, f"j{n:03d}", fn, retries))
            if fn is purge_carts and retries:
                log.info("another try is planned", job=fn.__name__, in_seconds=0.003)
                self.add(now + 0.003, fn, retries - 1)
        for f in self.futures:
            f.result()
        self.pool.shutdown()
        log.info("scheduler is down", **self.results)


def main():
    sched = Scheduler()
    sched.add(0.0, rotate_keys)
    sched.add(0.001, refresh_rates)
    sched.add(0.001, purge_carts, retries=1)
    sched.run()
    return 1 if sched.results["error"] > 1 else 0


if __name__ == "__main__":
    sys.exit(main())
