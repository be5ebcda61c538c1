import asyncio
import logging
import random
import sys
import time

logger = logging.getLogger(__name__)

CHAIN = ["opal-large", "opal-small", "local-gguf"]
OUTAGE = {
    "classify": {"opal-large": 1},
    "extract": {"opal-large": 3, "opal-small": 0},
    "rewrite": {"opal-large": 3, "opal-small": 3, "local-gguf": 3},
}


class RateLimited(Exception):
    def __init__(self, wait):
        super().__init__(f"429, retry after {wait}s")
        self.wait = wait


class AllModelsFailed(Exception):
    pass


class Backend:
    """Fails as often as the outage table says, then answers."""

    def __init__(self):
        self.left = {(job, m): n for job, row in OUTAGE.items() for m, n in row.items()}

    async def post(self, job, model, text):
        await asyncio.sleep(0.001)
        if self.left.get((job, model), 0) > 0:
            self.left[(job, model)] -= 1
            raise RateLimited(0.001)
        return f"{model}:{job}:{text[:5]}"


class Router:
    def __init__(self, backend, retries=3):
        self.backend = backend
        self.retries = retries
        self.rng = random.Random(1)
        self.calls = 0
        self.spent = {}
        logger.info("router configured: chain=%s retries=%d timeout=20s", CHAIN, retries)

    async def call_model(self, job, model, text):
        logger.info(f"Calling {model} for job '{job}'")  # @call
        for attempt in range(1, self.retries + 1):
            self.calls += 1
            try:
                out = await self.backend.post(job, model, text)
            except RateLimited as e:
                logger.warning(f"{model}: attempt {attempt}/{self.retries} failed ({e})")
                await asyncio.sleep(e.wait * self.rng.random())
                continue
            logger.info(f"{model} answered '{job}' with {len(out)} chars")  # @call_ok
            return out
        logger.error(f"{model} gave no answer for '{job}' after {self.retries} attempts")  # @call_bad
        return None

    async def route(self, job, text):
        t0 = time.monotonic()
        logger.info(f"Routing job '{job}'")  # @route
        for model in CHAIN:
            out = await self.call_model(job, model, text)
            if out is not None:
                break
            self.spent[model] = self.spent.get(model, 0) + 1
            logger.info(f"falling back from {model}")
        else:
            logger.error(f"Job '{job}' failed: every model of the chain is unavailable")  # @route_bad
            raise AllModelsFailed(job)
        logger.info(f"Job '{job}' finished in {time.monotonic() - t0:.3f}s")  # @route_ok
        return out

    def summary(self):
        logger.info("calls=%d fallbacks=%s", self.calls, self.spent)


async def main():
    router = Router(Backend())
    failed = 0
    for job, text in (("classify", "mail from bank"), ("extract", "invoice 77"), ("rewrite", "hello there")):
        try:
            result = await router.route(job, text)
            logger.debug(f"result: {result}")
        except AllModelsFailed as e:
            failed += 1
            logger.warning(f"job {e} goes to the dead letter file")
    router.summary()
    return 1 if failed else 0


if __name__ == "__main__":
    logging.basicConfig(format="%(relativeCreated)6d %(levelname)s %(message)s", level=logging.DEBUG, stream=sys.stdout)
    sys.exit(asyncio.run(main()))
