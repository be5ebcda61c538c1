"""Crawler whose threads of fungus are asyncio tasks; the number stands last."""
import asyncio
import logging

logging.basicConfig(level=logging.INFO, format="%(message)s")
spore = logging.getLogger("mycelium")

WEB = {
    "oak.example/": (0.01, 512, ["oak.example/failed-roots", "elm.example/"]),
    "ash.example/": (0.05, 2048, []),
    "fir.example/": (0.03, None, []),
    "oak.example/failed-roots": (0.03, 77, []),
    "elm.example/": (0.01, 9000, []),
}


class Wilted(Exception):
    pass


async def get(url):
    delay, size, links = WEB[url]
    await asyncio.sleep(delay)
    if size is None:
        raise Wilted("connection reset by peer")
    return size, links


async def hypha(number, url, found):
    spore.info(f"→ {url} (#{number})")  # @out
    try:
        size, links = await get(url)
    except Wilted as e:
        spore.error(f"✗ {e} (#{number})")  # @wilted
        return
    if size > 1000:
        spore.warning(f"{size} bytes is a lot, next time with a timeout of 2s (#{number})")
    found += links
    spore.info(f"← 200, {size} bytes (#{number})")  # @back


async def ring(depth, urls, base):
    spore.info(f"Ring {depth}: growth towards {len(urls)} pages")  # @grow
    found = []
    tasks = []
    for i, url in enumerate(urls):
        tasks.append(asyncio.create_task(hypha(base + i, url, found)))
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    spore.info(f"Ring {depth}: full-grown, {len(found)} new links")  # @grown
    return found


async def main():
    spore.info("Spore landed")
    todo, depth, base = ["oak.example/", "ash.example/", "fir.example/"], 1, 1
    while todo:
        nxt = await ring(depth, todo, base)
        base += len(todo)
        depth += 1
        todo = nxt
    spore.info(f"Pages visited: {base - 1}, failed: 1, done")


asyncio.run(main())
