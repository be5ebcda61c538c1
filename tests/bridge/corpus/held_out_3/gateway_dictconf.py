"""An async chat gateway set up by dictConfig: fallback backend, circuit breaker, ids by adapter."""
import asyncio
import logging
import logging.config

logging.config.dictConfig({
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"std": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"con": {"class": "logging.StreamHandler", "formatter": "std"}},
    "loggers": {
        "gw": {"level": "INFO", "handlers": ["con"], "propagate": False},
        "gw.breaker": {"level": "WARNING"},
        "gw.backend": {"level": "DEBUG"},
    },
})


class Rid(logging.LoggerAdapter):
    def process(self, msg, kwargs):
        kwargs["extra"] = {**kwargs.get("extra", {}), **self.extra}
        return f"rid={self.extra['rid']} {msg}", kwargs


class Breaker:
    log = logging.getLogger("gw.breaker")

    def __init__(self):
        self.fails = 0

    def allow(self):
        self.log.info("checking circuit of alpha")
        if self.fails >= 2:
            self.log.warning("circuit of alpha is OPEN, not calling it")
            return False
        return True


class Gateway:
    def __init__(self):
        self.log = logging.getLogger("gw.router")
        self.breaker = Breaker()
        self.log.info("gateway initialized, backends: alpha, beta")

    async def alpha(self, log, text):
        log.debug(f"calling backend alpha ({len(text)} chars)")  # @alpha
        await asyncio.sleep(0.02)
        if "alpha down" in text:
            raise ConnectionError("alpha refused")
        log.debug("backend alpha answered")  # @alpha_ok
        return "A:" + text

    async def beta(self, log, text):
        log.debug(f"calling backend beta ({len(text)} chars)")  # @beta
        await asyncio.sleep(0.03)
        if "beta down" in text:
            raise ConnectionError("beta refused")
        log.debug("backend beta answered")  # @beta_ok
        return "B:" + text

    async def complete(self, log, text):
        if self.breaker.allow():
            try:
                return await self.alpha(log, text)
            except ConnectionError as exc:
                self.breaker.fails += 1
                log.warning(f"backend alpha failed ({exc}), falling back to beta")
        return await self.beta(log, text)

    async def chat(self, rid, text):
        log = Rid(self.log, {"rid": rid})
        blog = Rid(logging.getLogger("gw.backend"), {"rid": rid})
        log.info("POST /v1/chat")  # @req
        if not text:
            log.warning("400 empty body")  # @req_400
            return 400
        try:
            answer = await self.complete(blog, text)
        except ConnectionError as exc:
            log.error(f"502 no backend left: {exc}")  # @req_502
            return 502
        log.info(f"200 {len(answer)} chars")  # @req_200
        return 200


async def main():
    gw = Gateway()
    first = asyncio.gather(gw.chat("c1", "hello"), gw.chat("c2", "loading, alpha down"), gw.chat("c3", ""))
    print(await first)
    print(await asyncio.gather(gw.chat("c4", "alpha down and beta down"), gw.chat("c5", "done?")))
    print(await gw.chat("c6", "last one"))
    gw.log.info("gateway served 6 requests, 1 failed, 1 bad")


asyncio.run(main())
