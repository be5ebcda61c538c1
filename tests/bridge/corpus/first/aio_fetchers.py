"""Three research fetchers that run as tasks of one loop."""
import asyncio
import logging
import sys

logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname).1s %(message)s")
log = logging.getLogger("fetchers")

PAGES = {"arxiv": 0.012, "news": 0.004, "wiki": 0.02}


class Unreachable(Exception):
    pass


async def download(source, delay):
    log.info(f"{source}: connecting")  # @conn
    await asyncio.sleep(delay)
    if source == "news":
        raise Unreachable("host is down")
    log.info(f"{source}: connected")  # @conn_ok
    return source * 3


async def summarise(source, body):
    log.info(f"Summarising {len(body)} bytes of {source}")  # @sum
    await asyncio.sleep(0.005)
    log.info(f"Summary of {source} ready: '{body[:6]}... to be completed'")  # @sum_ok
    return body[:6]


async def research(source, delay):
    log.info(f"Research job {source} accepted")
    log.info(f"Beginning research on {source}")  # @res
    try:
        body = await download(source, delay)
        result = await summarise(source, body)
    except Unreachable as e:
        log.error(f"Research on {source} aborted: {e}")  # @res_bad
        return None
    log.info(f"Finished research on {source}")  # @res_ok
    return result


async def main():
    log.info(f"Launching {len(PAGES)} research jobs")  # @all
    results = await asyncio.gather(*(research(s, d) for s, d in PAGES.items()))
    good = [r for r in results if r]
    log.info(f"All research jobs done: {len(good)} of {len(results)} succeeded")  # @all_ok


if __name__ == "__main__":
    asyncio.run(main())
