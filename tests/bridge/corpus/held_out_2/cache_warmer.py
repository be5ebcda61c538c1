"""Warms the product page cache after a deploy. Threads, loguru, contextualize()."""
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from loguru import logger

FORMAT = "<level>{level:<7}</level> {extra[shop]:<4} {message}"
logger.remove()
logger.configure(handlers=[{"sink": sys.stdout, "format": FORMAT, "level": "DEBUG", "colorize": False}],
                 extra={"shop": "-"})

CATALOG = {"de": ["lamp", "desk", "chair"], "fr": ["lampe", "bureau"], "it": []}
SLOW = {"desk"}
GONE = {"bureau"}


class Cache:
    def __init__(self):
        self.data = {}
        self.lock = threading.Lock()
        self.hits = self.misses = 0

    def get_or_render(self, key, fn):
        with self.lock:
            if key in self.data:
                self.hits += 1
                logger.debug(f"cache hit {key}")
                return self.data[key]
            self.misses += 1
        logger.debug(f"cache miss {key}")
        value = fn()
        with self.lock:
            self.data[key] = value
        return value


class PageGone(Exception):
    pass


def render(product):
    logger.info(f"⏳ Rendering page of {product}")  # @page
    time.sleep(0.004 if product in SLOW else 0.001)
    if product in GONE:
        raise PageGone(f"{product} is not sold any more")
    html = f"<h1>{product}</h1>" * 20
    if product in SLOW:
        logger.warning(f"{product} exceeds the render budget of 3 ms")
    logger.info(f"✔ Rendered page of {product}, {len(html)} bytes")  # @page_ok
    return html


def warm_shop(cache, shop):
    with logger.contextualize(shop=shop):
        products = CATALOG[shop]
        if not products:
            logger.info("shop has no products, nothing to warm")
            return 0
        logger.info(f"Warming {len(products)} pages of shop {shop}")  # @shop
        good = 0
        for p in products:
            try:
                cache.get_or_render(f"{shop}:{p}", lambda: render(p))
                good += 1
            except PageGone as e:
                logger.warning(f"✘ Rendering page of {p} failed: {e}")  # @page_bad
        logger.success(f"Shop {shop} is warm: {good} of {len(products)} pages")  # @shop_ok
        return good


def drop_old(cache):
    logger.info("Evicting pages of the previous release...")  # @evict
    removed = [k for k in list(cache.data) if k.startswith("old:")]
    for k in removed:
        del cache.data[k]
    logger.info(f"Evicted {len(removed)} pages")  # @evict_ok


def main():
    cache = Cache()
    cache.data = {"old:lamp": "x", "old:desk": "y", "de:chair": "already here"}
    logger.info("release 2025.11.2, ttl 3600s, 2 threads")
    drop_old(cache)
    with ThreadPoolExecutor(2) as pool:
        counts = list(pool.map(lambda s: warm_shop(cache, s), CATALOG))
    logger.info(f"hit ratio {cache.hits / (cache.hits + cache.misses):.0%}, {cache.misses} misses, entries {len(cache.data)}")
    logger.info(f"pages per shop: {dict(zip(CATALOG, counts))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
