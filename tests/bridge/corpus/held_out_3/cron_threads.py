"""A small scheduler: each due job gets a thread; one overlaps, one crashes."""
import logging
import threading
import time

logging.basicConfig(level=logging.INFO, format="%(asctime)s.%(msecs)03d %(threadName)s %(message)s", datefmt="%H:%M:%S")
log = logging.getLogger("cron")


def backup():
    log.info("Copying 3 files")  # @copy
    time.sleep(0.2)
    log.info("3 files copied")  # @copy_ok
    log.info("Verifying copies")  # @ver
    time.sleep(0.05)


def report():
    log.info("Collecting figures for the report")  # @coll
    time.sleep(0.02)
    raise LookupError("no figures for May")


def cleanup():
    time.sleep(0.01)
    log.info("removed 2 stale locks, 0 errors")


class Scheduler:
    def __init__(self):
        self.jobs = {"backup": (backup, {0, 1}), "report": (report, {0}), "cleanup": (cleanup, {1, 3})}
        self.runs = {name: 0 for name in self.jobs}
        self.threads = {}
        log.info(f"Scheduler started with {len(self.jobs)} jobs")

    def _run(self, name, func):
        n = self.runs[name]
        log.info(f"[{name}] run #{n} started")  # @job
        t0 = time.monotonic()
        try:
            func()
        except Exception:
            log.exception(f"[{name}] run #{n} crashed")  # @job_bad
            return
        log.info(f"[{name}] run #{n} ok, took {(time.monotonic() - t0) * 1000:.0f} ms")  # @job_ok

    def tick(self, tick):
        log.info(f"tick {tick}: {sum(t.is_alive() for t in self.threads.values())} running")
        for name, (func, ticks) in self.jobs.items():
            if tick not in ticks:
                continue
            if name in self.threads and self.threads[name].is_alive():
                log.warning(f"[{name}] still running since last tick, skipped")
                continue
            self.runs[name] += 1
            log.info(f"[{name}] is due, next run in 30 s")
            self.threads[name] = threading.Thread(target=self._run, args=(name, func), name=f"job-{name}")
            self.threads[name].start()

    def shutdown(self):
        log.info("Shutting down scheduler, waiting for running jobs")  # @down
        for t in self.threads.values():
            t.join()
        log.info("Scheduler stopped")  # @down_ok


scheduler = Scheduler()
for tick_number in range(4):
    scheduler.tick(tick_number)
    time.sleep(0.15)
scheduler.shutdown()
log.info("uptime 0.6 s, bye")
