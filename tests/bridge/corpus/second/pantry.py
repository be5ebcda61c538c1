"""Prices from a cache, a mill, a circuit breaker and an old almanac."""
import logging

log = logging.getLogger("pantry")
logging.basicConfig(level=logging.INFO, format="[%(levelname)s] pantry: %(message)s")

ALMANAC = {"flour": 1.1, "oats": 0.9, "rye": 1.3}


class MillDown(Exception):
    pass


class Breaker:
    def __init__(self, limit):
        self.limit, self.failures, self.open = limit, 0, False

    def trip(self):
        self.failures += 1
        if self.failures >= self.limit and not self.open:
            self.open = True
            log.error(f"Circuit to mill CLOSED -> OPEN after {self.failures} failures, probe in 30s")


class Mill:
    def __init__(self, down):
        self.down = down

    def price(self, grain):
        if grain in self.down:
            raise MillDown("connection refused")
        return 1.0 + len(grain) / 10


class Pantry:
    def __init__(self, mill):
        self.cache, self.mill, self.breaker = {}, mill, Breaker(2)

    def price(self, grain):
        if grain in self.cache:
            log.info(f"Cache hit: {grain}")
            return self.cache[grain]
        log.info(f"Cache miss: {grain}")
        if self.breaker.open:
            log.warning(f"Mill not asked about {grain}, circuit is open. Almanac instead")
            return self.almanac(grain)
        log.info(f"Asking the mill about {grain} (limit 2s)")  # @ask
        try:
            value = self.mill.price(grain)
        except MillDown as e:
            log.warning(f"Mill gave no answer about {grain}: {e}")  # @no_answer
            self.breaker.trip()
            return self.almanac(grain)
        log.info(f"Mill answered about {grain}: {value:.2f} in 0.12s")  # @answer
        self.cache[grain] = value
        return value

    def almanac(self, grain):
        log.info(f"Leafing through the almanac for {grain}")  # @leaf
        value = ALMANAC.get(grain)
        if value is None:
            log.error(f"Almanac knows no {grain}")  # @knows_no
            raise LookupError(grain)
        log.info(f"Almanac: {grain} {value:.2f}")  # @almanac
        return value

    def recipe(self, name, grains):
        log.info(f"🥣 Costing '{name}'")  # @cost
        total = 0.0
        try:
            for grain in grains:
                total += self.price(grain)
        except LookupError as e:
            log.error(f"🥣 '{name}' cannot be costed, unknown grain {e}")  # @uncosted
            return None
        log.info(f"🥣 '{name}' costs {total:.2f}")  # @costs
        return total

    def health(self):
        log.info("Health check...")  # @health
        log.info("Counting jars")  # @jars
        state = "degraded" if self.breaker.open else "fine"
        log.info(f"Health check result: {state}, cached {len(self.cache)}, failures {self.breaker.failures}")  # @healthy


pantry = Pantry(Mill(down={"oats", "rye", "spelt"}))
pantry.recipe("Loading Bread", ["flour", "oats", "flour"])
pantry.recipe("Failed Cake", ["rye", "flour"])
pantry.health()
pantry.recipe("Finish Porridge", ["spelt", "flour"])
log.info("Average response time 0.12s, hit rate 50 %, breaker resets 0")
