"""Nightly link checker for the documentation portal."""
import concurrent.futures as cf
import logging
import threading
import time
from dataclasses import dataclass, field

logger = logging.getLogger("linkcheck")

SITE = {
    "/index": (200, 0.010),
    "/start-here": (200, 0.004),
    "/error-codes": (404, 0.006),
    "/download-complete": (200, 0.002),
    "/slow": (None, 0.008),
}


@dataclass
class Report:
    good: list = field(default_factory=list)
    broken: list = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, url, code):
        with self.lock:
            (self.good if code == 200 else self.broken).append(url)


def fetch(url):
    code, wait = SITE[url]
    time.sleep(wait)
    if code is None:
        raise TimeoutError(f"no answer for {url}")
    return code


def check(job_no, url, report):
    logger.info(f"job={job_no} requesting {url}")  # @req
    try:
        code = fetch(url)
    except TimeoutError as e:
        logger.warning(f"job={job_no} gave up: {e}")  # @gave_up
        report.add(url, 0)
        return False
    report.add(url, code)
    logger.info(f"job={job_no} got {code} for {url}")  # @got
    if code >= 400:
        logger.warning(f"Broken link: {url} ({code})")
    return code == 200


def load_sitemap():
    logger.info("Reading sitemap")  # @sitemap
    urls = sorted(SITE)
    if not urls:
        logger.error("Sitemap is empty")
        return []
    logger.info(f"Found {len(urls)} links in sitemap")  # @sitemap_done
    return urls


def run_checks(urls):
    report = Report()
    began = time.time()
    logger.info(f"Checking {len(urls)} links with 3 workers, 10 s limit each")  # @checks
    with cf.ThreadPoolExecutor(max_workers=3, thread_name_prefix="chk") as pool:
        futures = [pool.submit(check, n, u, report) for n, u in enumerate(urls, 1)]
        done = 0
        for _ in cf.as_completed(futures):
            done += 1
            logger.debug(f"{done}/{len(urls)} ({done * 100 // len(urls)}%) complete")
    logger.info(f"All links checked in {time.time() - began:.2f} s")  # @checks_done
    return report


def send_report(report):
    if not report.broken:
        logger.info("Nothing broken, no report sent")
        return
    logger.info(f"Mailing report to web-team, {len(report.broken)} broken")  # @mail
    body = "\n".join(sorted(report.broken))
    logger.debug(f"Body:\n{body}")
    logger.info("Report mailed")  # @mailed


if __name__ == "__main__":
    fmt = "%(asctime)s %(threadName)-10s %(message)s"
    logging.basicConfig(level=logging.DEBUG, format=fmt)
    logger.info("linkcheck 0.9 on portal.example")
    rep = run_checks(load_sitemap())
    send_report(rep)
    logger.info(f"Result: good={len(rep.good)} failed={len(rep.broken)}")
