"""Async scrapers with a semaphore; pages fetched side by side, parsed and stored."""
import asyncio
import logging

logging.basicConfig(level=logging.DEBUG, format="%(levelname)s:%(name)s:%(message)s")
logging.getLogger("asyncio").setLevel(logging.WARNING)
log = logging.getLogger("scraper")
PAGES = {"/a": 3, "/b": 5, "/gone": None, "/c": 1}


async def fetch(path):
    log.debug(f"Fetching {path}")  # @fetch
    await asyncio.sleep(0.004)
    if PAGES[path] is None:
        raise LookupError("404")
    log.debug(f"Fetched {path} ({PAGES[path]} kB)")  # @fetch_ok
    return "x" * PAGES[path]


async def store(path, body):
    log.debug(f"Storing {path}")  # @store
    await asyncio.sleep(0.001)
    log.debug(f"Stored {path}")  # @store_ok


async def scrape(path, gate):
    async with gate:
        log.info(f"Scraping {path} started")  # @scrape
        try:
            body = await fetch(path)
            await store(path, body)
        except LookupError as e:
            log.error(f"Scraping {path} failed: {e}")  # @scrape_bad
            return 0
        log.info(f"Scraping {path} done")  # @scrape_ok
        return len(body)


async def main():
    gate = asyncio.Semaphore(2)
    sizes = await asyncio.gather(*(scrape(p, gate) for p in PAGES))
    log.info(f"total: {sum(sizes)} kB, failed: {sizes.count(0)}")


asyncio.run(main())
