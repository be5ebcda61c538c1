"""Fetches feeds side by side, summarizes what came, writes one digest."""
import asyncio
import hashlib
import logging
import sys

logger = logging.getLogger("digest")

PAGES = {
    "https://news.example/energy": (200, "Wind power grew again. Prices fell.", 0.004),
    "https://news.example/local": (200, "Bridge closed. Detour by the old mill.", 0.002),
    "https://blog.example/broken": (500, "", 0.001),
    "https://slow.example/report": (200, "never read", 5.0),
}


class FetchError(Exception):
    pass


class Fetcher:
    def __init__(self, limit=2, timeout=0.08):
        self.sem = asyncio.Semaphore(limit)
        self.timeout = timeout
        self.bytes = 0
        logger.debug("fetcher: limit=%d, timeout=%.2fs, user agent digest/0.3", limit, timeout)

    async def _get(self, url):
        status, body, delay = PAGES[url]
        await asyncio.sleep(delay)
        if status >= 400:
            raise FetchError(f"HTTP {status}")
        return body

    async def fetch(self, url):
        async with self.sem:
            logger.info(f"GET {url}")  # @get
            try:
                body = await asyncio.wait_for(self._get(url), self.timeout)
            except asyncio.TimeoutError:
                logger.error(f"GET {url} timed out after {self.timeout}s")  # @get_timeout
                return None
            except FetchError as e:
                logger.error(f"GET {url} failed: {e}")  # @get_bad
                return None
            self.bytes += len(body)
            logger.info(f"GET {url} -> 200, {len(body)} bytes")  # @get_ok
            return body


async def summarize(url, body):
    short = url.rsplit("/", 1)[-1]
    logger.info(f"summarizing '{short}' ...")  # @sum
    await asyncio.sleep(0.001)
    first = body.split(".")[0]
    digest = hashlib.sha1(first.encode()).hexdigest()[:6]
    logger.debug(f"summary cache key {digest}, not cached")
    logger.info(f"summarized '{short}': {len(first)} chars")  # @sum_ok
    return f"{short}: {first}"


async def handle(fetcher, url):
    body = await fetcher.fetch(url)
    if body is None:
        logger.warning(f"leaving out {url}")
        return None
    return await summarize(url, body)


async def progress(done, total):
    while True:
        logger.debug(f"progress: {len(done)}/{total} sources, still running")
        await asyncio.sleep(0.03)


async def build_digest(urls):
    logger.info(f"building digest from {len(urls)} sources")  # @digest
    fetcher = Fetcher()
    done = []
    ticker = asyncio.create_task(progress(done, len(urls)))
    tasks = [asyncio.create_task(handle(fetcher, u), name=u.rsplit("/", 1)[-1]) for u in urls]
    for t in asyncio.as_completed(tasks):
        done.append(await t)
    ticker.cancel()
    try:
        await ticker
    except asyncio.CancelledError:
        logger.debug("ticker cancelled")
    lines = sorted(d for d in done if d)
    logger.info(f"digest built: {len(lines)} entries, {fetcher.bytes} bytes read")  # @digest_ok
    return lines


def main():
    logging.basicConfig(level=logging.DEBUG, stream=sys.stdout,
                        format="%(asctime)s.%(msecs)03d %(levelname)-5s %(message)s",
                        datefmt="%H:%M:%S")
    logging.getLogger("asyncio").setLevel(logging.INFO)
    logger.info("digest 0.3, language=en, dry_run=True")
    lines = asyncio.run(build_digest(list(PAGES)))
    for line in lines:
        logger.info(f"  * {line}")
    logger.info("next run tomorrow at 06:30")


if __name__ == "__main__":
    main()
