"""A polite crawler with workers in asyncio and a queue."""
import asyncio
import logging
import time

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
logging.getLogger("asyncio").setLevel(logging.WARNING)
log = logging.getLogger("crawler")

SITE = {"/": ["/a", "/b"], "/a": ["/c"], "/b": [], "/c": ["/d"], "/d": None}


class Crawler:
    def __init__(self, workers=2):
        self.queue, self.seen, self.workers = asyncio.Queue(), {"/"}, workers
        self.failed = 0

    async def download(self, url):
        log.info(f"GET {url}")  # @get
        t = time.perf_counter()
        await asyncio.sleep(0.001)
        if SITE[url] is None:
            raise ConnectionResetError(url)
        log.info(f"200 OK {url} ({(time.perf_counter() - t) * 1000:.0f} ms)")  # @get_ok
        return SITE[url]

    async def worker(self, n):
        log.info(f"worker {n} up")
        while True:
            url = await self.queue.get()
            try:
                log.info(f"worker {n} picked {url}")  # @page
                for link in await self.download(url):
                    if link not in self.seen:
                        self.seen.add(link)
                        self.queue.put_nowait(link)
                log.info(f"worker {n} finished {url}")  # @page_ok
            except ConnectionError as e:
                self.failed += 1
                log.warning(f"worker {n} lost {url}: {type(e).__name__}")  # @page_bad
            finally:
                self.queue.task_done()

    async def crawl(self):
        log.info("Crawl begins, delay 0.5s between hosts")  # @crawl
        self.queue.put_nowait("/")
        tasks = [asyncio.create_task(self.worker(n)) for n in range(self.workers)]
        await self.queue.join()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        log.info(f"Crawl ends: {len(self.seen)} pages, {self.failed} lost")  # @crawl_ok


asyncio.run(Crawler().crawl())
