"""Small in-process scheduler for the nightly jobs of the booking system."""
import heapq
import logging
import time

log = logging.getLogger("nightly")


class Job:
    name = "job"
    every = 1

    def __init__(self, runs=1):
        self.runs = runs
        self.next_at = 0
        self.failures = 0

    def work(self):
        raise NotImplementedError

    def __lt__(self, other):
        return (self.next_at, self.name) < (other.next_at, other.name)


class PurgeSessions(Job):
    name, every = "purge_sessions", 3

    def work(self):
        log.info("Deleting sessions older than 90 minutes")  # @del
        n = 14
        log.info(f"Deleted {n} sessions")  # @deleted
        return n


class RebuildIndex(Job):
    name, every = "rebuild_index", 5

    def work(self):
        for shard in ("hotels", "flights"):
            log.info(f"Rebuilding shard {shard}, may take up to 120 seconds")  # @shard
            time.sleep(0.002)
            log.info(f"Shard {shard} rebuilt")  # @shard_done
        return 2


class SendReminders(Job):
    name, every = "send_reminders", 2

    def work(self):
        if self.runs == 1:
            raise LookupError("template 'reminder_completed' is missing")
        return 6


class Scheduler:
    def __init__(self, jobs):
        self.heap = list(jobs)
        heapq.heapify(self.heap)
        self.now = 0
        log.info(f"Scheduler has {len(self.heap)} jobs: " + ", ".join(sorted(j.name for j in jobs)))

    def execute(self, job):
        begin = time.perf_counter()
        log.info(f"Running job {job.name}")  # @job
        try:
            n = job.work()
        except Exception as e:
            job.failures += 1
            log.error(f"Job {job.name} raised {type(e).__name__}: {e}")  # @job_raised
        else:
            log.info(f"Job {job.name} done, {n} items, took {1000 * (time.perf_counter() - begin):.0f} ms")  # @job_done

    def loop(self):
        while self.heap:
            job = heapq.heappop(self.heap)
            self.now = max(self.now, job.next_at)
            self.execute(job)
            job.runs -= 1
            if job.runs <= 0:
                log.debug(f"{job.name} leaves the schedule")
                continue
            job.next_at = self.now + job.every
            heapq.heappush(self.heap, job)
            log.info(f"{job.name} scheduled again in {job.every}s")
        log.info("Schedule is empty")


def main():
    logging.basicConfig(level=logging.DEBUG, format="%(asctime)s;%(levelname)s;%(message)s")
    log.info("Starting background scheduler...")
    s = Scheduler([PurgeSessions(2), RebuildIndex(), SendReminders(2)])
    s.loop()
    log.info(f"Virtual time elapsed: {s.now}s")


if __name__ == "__main__":
    main()
