"""loguru with its own format, bind and contextualize; workers on a pool."""
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from loguru import logger

logger.remove()
logger.add(sys.stderr, level="DEBUG", format="{time:HH:mm:ss.SSS} | {level: <7} | {extra} | {message}")


class Indexer:
    def __init__(self, shard):
        self.shard = shard
        self.log = logger.bind(shard=shard)

    def index(self, docs):
        time.sleep(0.002 * int(self.shard[1]))
        self.log.info("index build kicked off ({} docs)", len(docs))  # @idx
        kept = 0
        for doc in docs:
            with logger.contextualize(doc=doc):
                kept += self.one(doc)
        if not kept:
            self.log.error("index build failed: nothing left to index")  # @idx_bad
            return 0
        self.log.success("index build took {} ms for {} docs", 4, kept)  # @idx_ok
        return kept

    def one(self, doc):
        logger.debug("tokenising")  # @tok
        try:
            time.sleep(0.001)
            int(doc, 16)
        except ValueError as e:
            logger.opt(exception=True).warning("tokenising failed")  # @tok_bad
            return 0
        logger.debug("tokenised")  # @tok_ok
        return 1


def main():
    logger.info("indexer started, 3 workers, flush every 2s")
    work = {"s1": ["aa", "bb"], "s2": ["zz"], "s3": ["cc", "xx"]}
    with ThreadPoolExecutor(3) as pool:
        kept = list(pool.map(lambda kv: Indexer(kv[0]).index(kv[1]), work.items()))
    logger.info("kept per shard: {}, failed shards: {}", kept, kept.count(0))


if __name__ == "__main__":
    main()
