"""Nightly backups with retries; logger adapter with a job id; durations in milliseconds."""
import logging
import time

logging.basicConfig(level=logging.INFO, format="%(levelname)-7s %(message)s")
base = logging.getLogger("backup")


class Job(logging.LoggerAdapter):
    def process(self, msg, kwargs):
        return f"[job {self.extra['job']}] {msg}", kwargs


def upload(log, name, state):
    for attempt in range(1, 4):
        log.info(f"Upload attempt {attempt} for {name}")  # @try
        time.sleep(0.001)
        if state.get(name, 0) < attempt:
            log.info(f"Upload of {name} succeeded")  # @try_ok
            return True
        log.warning(f"Upload attempt {attempt} failed, retrying in 0.1s")  # @try_bad
    return False


def backup(job, names, state):
    log = Job(base, {"job": job})
    log.info(f"Backup started for {len(names)} databases")  # @backup
    begun = time.perf_counter()
    for name in names:
        log.info(f"Dumping {name}")  # @dump
        time.sleep(0.002)
        log.info(f"Dumped {name} ({len(name)} MB)")  # @dump_ok
        if not upload(log, name, state):
            log.error(f"Backup aborted, {name} cannot be uploaded")  # @backup_bad
            return
    log.info(f"Backup completed in {(time.perf_counter() - begun) * 1000:.0f} ms")  # @backup_ok


backup("b1", ["users", "orders"], {"orders": 1})
backup("b2", ["logs"], {"logs": 9})
base.info("Sleeping 24h until the next shift")
