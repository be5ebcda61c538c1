"""Crawler in the old style: lazy % arguments, mappings included."""
import logging
import time

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(module)s %(message)s")
_LOG = logging.getLogger(__name__)

SITE = {"/": ["/about", "/broken"], "/about": [], "/broken": None}


class Crawler(object):
    def __init__(self):
        self.seen = set()

    def visit(self, path, depth=0):
        self.seen.add(path)
        _LOG.info("Visiting %(path)s at depth %(depth)d", {"path": path, "depth": depth})  # @visit
        links = self.fetch(path)
        if links is None:
            _LOG.error("Visit of %s was unsuccessful: %s", path, "HTTP 500")  # @visit_bad
            return
        for link in links:
            if link in self.seen:
                _LOG.info("Skipping %s, already visited", link)
                continue
            self.visit(link, depth + 1)
        _LOG.info("Visited %(path)s", {"path": path})  # @visit_ok

    def fetch(self, path):
        _LOG.info("Fetching %s with timeout %d s", path, 10)  # @fetch
        time.sleep(0.001)
        links = SITE[path]
        _LOG.info("Fetched %s: status %d", path, 200 if links is not None else 500)  # @fetch_ok
        return links


class Exporter(object):
    """Tells its job's id in full at first, later cut short."""

    def begin(self, job_id):
        _LOG.info("Export job %s submitted, writing pages", job_id)  # @exp

    def done(self, job_id, n):
        _LOG.info("[%s] export job finished: %d pages", job_id[:6].upper(), n)  # @exp_ok


def export():
    exporter = Exporter()
    first, second = "9f3acc41-77", "b20e71d5-12"
    exporter.begin(first)
    exporter.begin(second)
    time.sleep(0.001)
    exporter.done(second, 1)
    exporter.done(first, 2)


def crawl(start):
    _LOG.info("Crawl of %s is about to start", start)
    crawler = Crawler()
    crawler.visit(start)
    _LOG.info("%d pages seen, %d%% failed", len(crawler.seen), 33)


crawl("/")
export()
