"""Tiny polite crawler over an in-memory web. Two fetchers share a frontier."""
import asyncio
import logging
import sys
import time
from urllib.parse import urljoin

logger = logging.getLogger("crawler")

PAGES = {
    "http://ex.test/": (200, "<a href=/a> <a href=/b> <a href=/private/x>"),
    "http://ex.test/a": (200, "<a href=/b> <a href=/flaky>"),
    "http://ex.test/b": (404, ""),
    "http://ex.test/flaky": (200, "Started! Finished! Failed! (a poem)"),
    "http://ex.test/robots.txt": (200, "Disallow: /private"),
}


class FetchError(Exception):
    pass


class Crawler:
    def __init__(self, seed, fetchers=2):
        self.seed, self.n = seed, fetchers
        self.frontier = asyncio.Queue()
        self.seen, self.pages, self.flaps = set(), 0, 1
        self.disallow = ()

    async def http_get(self, url):
        await asyncio.sleep(0.002)
        if url.endswith("flaky") and self.flaps:
            self.flaps -= 1
            raise FetchError("connection reset by peer")
        return PAGES.get(url, (404, ""))

    async def read_robots(self):
        logger.info("Reading robots.txt")  # @robots
        status, body = await self.http_get(urljoin(self.seed, "/robots.txt"))
        self.disallow = tuple(x.split()[1] for x in body.splitlines() if x.startswith("Disallow"))
        logger.info("robots.txt read, crawl-delay 0, disallowed: %s", self.disallow)  # @robots_ok

    def enqueue(self, url):
        path = url[len("http://ex.test"):]
        if url in self.seen:
            return
        if path.startswith(self.disallow or "\0"):
            logger.debug("blocked by robots: %s", url)
            return
        self.seen.add(url)
        self.frontier.put_nowait(url)

    async def fetch(self, url):
        for attempt in range(3):
            logger.debug("GET %s", url)  # @get
            t0 = time.monotonic()
            try:
                status, body = await self.http_get(url)
            except FetchError as exc:
                logger.warning("GET %s failed: %s", url, exc)  # @get_err
                await asyncio.sleep(0.001 * 2 ** attempt)
                continue
            logger.debug("GET %s -> %d (%d bytes, %.1f ms)", url, status, len(body), 1000 * (time.monotonic() - t0))  # @get_ok
            return status, body
        return 0, ""

    async def fetcher(self, i):
        while True:
            url = await self.frontier.get()
            status, body = await self.fetch(url)
            if status == 200:
                self.pages += 1
                for part in body.split("href=")[1:]:
                    self.enqueue(urljoin(url, part.split(">")[0]))
            else:
                logger.info("fetcher %d: dead link %s", i, url)
            self.frontier.task_done()

    async def crawl(self):
        logger.info("Crawl of %s started with %d fetchers", self.seed, self.n)  # @crawl
        await self.read_robots()
        self.enqueue(self.seed)
        tasks = [asyncio.create_task(self.fetcher(i)) for i in range(self.n)]
        await self.frontier.join()
        for t in tasks:
            t.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        logger.info("Crawl of %s finished: %d pages, %d links seen, 1 dead", self.seed, self.pages, len(self.seen))  # @crawl_ok


def main():
    logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(levelname).1s %(name)s %(message)s")
    logging.getLogger("asyncio").setLevel(logging.INFO)
    logger.info("user agent 'PoliteBot/0.3', timeout 10s, max depth 4")
    asyncio.run(Crawler("http://ex.test/").crawl())
    logger.info("queue size 0, exiting")


if __name__ == "__main__":
    main()
