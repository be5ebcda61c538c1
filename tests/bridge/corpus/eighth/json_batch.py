"""Scores records from files; several workers share one queue."""
import json
import logging
import pathlib
import queue
import threading

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(threadName)s %(message)s")
logger = logging.getLogger("scorer")

pathlib.Path("in").mkdir(exist_ok=True)
for n, rows in enumerate(([1, 2, 3], [4], "broken", [5, 6])):
    pathlib.Path(f"in/part{n}.json").write_text(json.dumps(rows)[: None if rows != "broken" else 4])


class Worker(threading.Thread):
    def __init__(self, name, jobs, results):
        super().__init__(name=name)
        self.jobs, self.results = jobs, results

    def run(self):
        logger.info(f"{self.name} started")
        while True:
            path = self.jobs.get()
            if path is None:
                break
            logger.info("processing %s", path.name)  # @file
            try:
                self.results[path.name] = self.score(path)
                logger.info("done with %s", path.name)  # @file_ok
            except Exception:
                logger.exception("could not process %s", path.name)  # @file_bad
            finally:
                self.jobs.task_done()
        logger.info(f"{self.name} exiting")

    def score(self, path):
        logger.info("reading %s", path)  # @read
        rows = json.loads(path.read_text())
        logger.info("read %d rows from %s", len(rows), path)  # @read_ok
        return sum(rows) / len(rows)


def main():
    logger.info("batch started")  # @batch
    jobs, results = queue.Queue(), {}
    workers = [Worker(f"worker-{n}", jobs, results) for n in range(2)]
    for worker in workers:
        worker.start()
    for path in sorted(pathlib.Path("in").glob("*.json")):
        jobs.put(path)
    jobs.join()
    for _ in workers:
        jobs.put(None)
    for worker in workers:
        worker.join()
    logger.info("batch finished, %d of 4 files scored", len(results))  # @batch_ok


main()
