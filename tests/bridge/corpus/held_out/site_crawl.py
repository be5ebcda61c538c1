"""Polite crawler: structlog with its default printer, bound values, snake-case event names."""
import structlog
from structlog.contextvars import bind_contextvars, bound_contextvars, clear_contextvars

log = structlog.get_logger("crawler")

PAGES = {
    "/": ["/start", "/about", "/err/500"],
    "/start": ["/failed-experiments"],
    "/about": [],
    "/failed-experiments": [],
}


class HttpError(Exception):
    def __init__(self, status):
        super().__init__(f"HTTP {status}")
        self.status = status


def get(path):
    if path not in PAGES:
        raise HttpError(500)
    return PAGES[path]


class Crawler:
    def __init__(self, host, limit):
        self.log = log.bind(host=host)
        self.limit = limit
        self.seen = []
        self.log.info("crawler_ready", limit=limit, timeout_s=5)

    def fetch(self, path):
        flog = self.log.bind(path=path)
        flog.debug("fetch_started")  # @fetch
        try:
            links = get(path)
        except HttpError as exc:
            flog.warning("fetch_failed", error=str(exc), status=exc.status, retry_in_s=2)  # @fetch_failed
            return []
        flog.debug("fetch_finished", links=len(links))  # @fetched
        return links

    def robots(self):
        self.log.info("robots.read")  # @robots
        rules = {"/private": "disallow", "/complete": "allow"}
        self.log.info("robots.parsed", rules=len(rules), status="started=0 failed=0")  # @rules
        return rules

    def walk(self):
        todo = ["/"]
        while todo and len(self.seen) < self.limit:
            path = todo.pop(0)
            self.seen.append(path)
            with bound_contextvars(nth=len(self.seen)):
                todo += [p for p in self.fetch(path) if p not in self.seen]
            if len(self.seen) % 2 == 0:
                self.log.info("progress", done=len(self.seen), queued=len(todo), eta_s=3.5)


def index(job, pages):
    jlog = log.bind(job_id=job)
    jlog.info("index.begin", pages=len(pages))  # @index
    for p in pages:
        if "failed" in p:
            jlog.error("index.skip", page=p, reason="title is missing")
    jlog.info("index.commit", took_ms=35)  # @commit
    jlog.info("sitemap.written", duration_s=1.25, path="sitemap.xml")  # @sitemap


def crawl(job, host, limit=10):
    clear_contextvars()
    bind_contextvars(job_id=job)
    log.info("crawl_started", host=host)  # @crawl
    try:
        if host.endswith(".invalid"):
            raise OSError("name does not resolve")
        c = Crawler(host, limit)
        c.robots()
        c.walk()
        index(job, c.seen)
    except OSError as exc:
        log.error("crawl_aborted", exc_info=False, error=repr(exc))  # @aborted
        return
    log.info("crawl_completed", pages=len(c.seen))  # @crawled


if __name__ == "__main__":
    crawl("j-1", "shop.example")
    crawl("j-2", "nowhere.invalid")
