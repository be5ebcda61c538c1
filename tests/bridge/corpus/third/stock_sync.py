import logging
import sys
import traceback

root = logging.getLogger()
root.setLevel(logging.INFO)
_h = logging.StreamHandler(sys.stdout)
_h.setFormatter(logging.Formatter("[%(levelname)s] %(name)s: %(message)s"))
root.addHandler(_h)


class WarehouseDown(Exception):
    pass


class Breaker:
    def __init__(self, name, limit=2):
        self.name, self.limit = name, limit
        self.fails, self.open = 0, False
        self.logger = logging.getLogger("breaker")

    def success(self):
        self.fails = 0

    def failure(self):
        self.fails += 1
        if self.fails >= self.limit and not self.open:
            self.open = True
            self.logger.warning(f"Circuit '{self.name}' opened after {self.fails} failures, closed again in 30s")


class Warehouse:
    def __init__(self, plan):
        self.plan = iter(plan)

    def stock(self, sku):
        n = next(self.plan)
        if n is None:
            raise WarehouseDown(f"warehouse refused query for {sku}")
        return n


class StockSync:
    def __init__(self, warehouse):
        self.logger = logging.getLogger("stocksync")
        self.warehouse = warehouse
        self.breaker = Breaker("warehouse")
        self.cache = {"SKU-3": 8}

    def lookup(self, sku):
        if self.breaker.open:
            self.logger.info(f"Circuit open, not asking the warehouse for {sku}")
            raise WarehouseDown("circuit open")
        self.logger.info(f"Querying warehouse for {sku}")  # @query
        try:
            n = self.warehouse.stock(sku)
        except WarehouseDown as e:
            self.breaker.failure()
            self.logger.error(f"Query for {sku} failed: {e}")  # @query_failed
            self.logger.error(traceback.format_exc())
            raise
        self.breaker.success()
        self.cache[sku] = n
        self.logger.info(f"Warehouse has {n} of {sku}")  # @query_ok
        return n

    def sync_one(self, sku):
        self.logger.info(f"Syncing {sku}")  # @sync
        try:
            n = self.lookup(sku)
        except WarehouseDown:
            if sku not in self.cache:
                self.logger.error(f"Could not sync {sku}, no cached value either")  # @sync_failed
                return None
            n = self.cache[sku]
            self.logger.warning(f"Cache hit for {sku}: falling back to cached value {n}")
        self.logger.info(f"{sku} is in sync ({n} pieces)")  # @synced
        return n

    def run(self, skus):
        result = {}
        for i, sku in enumerate(skus, 1):
            result[sku] = self.sync_one(sku)
            if i % 2 == 0:
                self.logger.info(f"Progress: {i} of {len(skus)} processed")
        return result


if __name__ == "__main__":
    sync = StockSync(Warehouse([12, None, None, 5]))
    res = sync.run(["SKU-1", "SKU-2", "SKU-3", "SKU-1"])
    missing = [k for k, v in res.items() if v is None]
    sync.logger.info(f"Sync summary: completed={len(res) - len(missing)} failed={len(missing)} cache={len(sync.cache)}")
