"""Answers with a cache; full of numbers of seconds that measure nothing."""
import logging
import time

logger = logging.getLogger("answer.cache")
logging.basicConfig(level=logging.INFO)
TTL = 300


class AnswerCache:
    def __init__(self):
        logger.info(f"Cache configured: ttl=300s, cleanup every 60 seconds, lock timeout: 5s")
        self.data = {}
        self.hits = self.misses = 0
        self.t0 = time.time()

    def get(self, key):
        if key in self.data:
            self.hits += 1
            logger.info(f"Cache hit for {key} (age 12.4s, expires in 287.6s)")
            return self.data[key]
        self.misses += 1
        logger.info(f"Cache miss for {key}")
        logger.info(f"Computing answer for {key}, may take up to 20 seconds")  # @comp
        value = self.compute(key)
        self.data[key] = value
        logger.info(f"Answer for {key} computed and kept for {TTL} seconds")  # @comp_ok
        return value

    def compute(self, key):
        delay = 2
        for attempt in (1, 2):
            time.sleep(0.001)
            if key == "slow" and attempt == 1:
                logger.warning(f"Backend did not respond within 10s, retrying in {delay}s")
                continue
            return f"<{key}>"

    def purge(self):
        logger.info(f"Purging entries older than {TTL}s")  # @purge
        n = len(self.data)
        self.data.clear()
        logger.info(f"Purged {n} entries; next purge in 60 seconds")  # @purge_ok


class Shard:
    """One slice of the store; its lines do not say which one."""

    def connect(self):
        logger.info("Connecting to shard...")  # @shard

    def on_open(self, keys):
        logger.info(f"Connected to shard holding {keys} keys")  # @shard_ok

    def on_error(self, why):
        logger.error(f"Connection to shard failed: {why}")  # @shard_bad


def main():
    one, two = Shard(), Shard()
    one.connect()
    time.sleep(0.002)
    two.connect()
    one.on_error("port 6379 closed (timeout=3s)")
    two.on_open(12)
    c = AnswerCache()
    for key in ("weather", "slow", "weather"):
        c.get(key)
    logger.info(f"Uptime: 0.01s, hits: {c.hits}, misses: {c.misses}, avg response time: 1.5ms")
    c.purge()
    logger.info("Sleeping for 30 minutes")
    logger.info("elapsed: 5s, remaining: 25s")


if __name__ == "__main__":
    main()
