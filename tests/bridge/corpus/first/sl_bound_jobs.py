"""structlog with its default printer: ids are bound, the text is bare."""
import threading
import time

import structlog

log = structlog.get_logger()


class Job:
    def __init__(self, job_id, pages):
        self.log = log.bind(job_id=job_id)
        self.pages = pages

    def begin(self):
        self.log.info("job accepted, ocr underway", pages=self.pages)  # @job

    def page(self, n):
        plog = self.log.bind(page=n)
        plog.debug("reading page")  # @page
        time.sleep(0.001)
        if n == 3:
            plog.error("page unreadable", reason="coffee stain")  # @page_bad
            return False
        plog.debug("page read", words=n * 100)  # @page_ok
        return True

    def finish(self):
        good = sum(self.page(n) for n in range(1, self.pages + 1))
        if good < self.pages:
            self.log.warning("job finished with errors", good=good, failed=self.pages - good)  # @job_end2
        else:
            self.log.info("job finished", good=good, failed=0)  # @job_end


def main():
    log.info("ocr service started", timeout="5s", version="0.4")
    jobs = [Job("ocr-1", 2), Job("ocr-2", 3)]
    for job in jobs:
        job.begin()
    log.info("jobs pending", count=len(jobs), started=2, finished=0)
    for job in reversed(jobs):
        t = threading.Thread(target=job.finish)
        t.start()
        t.join()
    log.info("ocr service stopped", uptime="0.1s")


if __name__ == "__main__":
    main()
