"""A health checker: rounds of checks, a sick service, a restart that fails and one that works."""
import logging
import time

logging.basicConfig(level=logging.INFO, format="[%(asctime)s] [%(levelname)s] %(message)s")


class Watcher:
    def __init__(self, services):
        self.logger = logging.getLogger(self.__class__.__name__)
        self.services = services
        self.sick = {}
        self.restarts = 0
        self.started = time.time()
        self.logger.info(f"Watching {len(services)} services every 20 ms")

    def probe(self, name, rnd):
        time.sleep(0.003)
        if name == "gpu" and rnd < 3 and self.restarts < 2:
            raise ConnectionRefusedError("port 7003 closed")
        if name == "disk":
            return "degraded"
        return "ok"

    def check(self, name, rnd):
        self.logger.info(f"Checking {name}...")  # @chk
        t0 = time.time()
        try:
            state = self.probe(name, rnd)
        except ConnectionRefusedError as e:
            self.sick[name] = self.sick.get(name, 0) + 1
            self.logger.error(f"Health check of {name} failed: {e}")  # @chk_bad
            return False
        took = (time.time() - t0) * 1000
        if state == "degraded":
            self.logger.warning(f"{name} answers but is degraded ({took:.0f} ms)")  # @chk_warn
            return True
        self.sick.pop(name, None)
        self.logger.info(f"{name} is healthy ({took:.0f} ms)")  # @chk_ok
        return True

    def restart(self, name):
        self.restarts += 1
        self.logger.warning(f"Restarting {name} (restart #{self.restarts})")  # @rst
        time.sleep(0.008)
        if self.restarts == 1:
            self.logger.error(f"Restart of {name} failed: still unreachable")  # @rst_bad
            return
        self.logger.info(f"{name} is back")  # @rst_ok

    def round(self, rnd):
        self.logger.info(f"--- Health round {rnd} ---")  # @rnd
        good = sum(self.check(name, rnd) for name in self.services)
        for name, count in self.sick.items():
            if count >= 2:
                self.logger.critical(f"ALERT: {name} down for {count} rounds")
            self.restart(name)
        self.logger.info(f"--- Health round {rnd}: {good}/{len(self.services)} healthy ---")  # @rnd_ok

    def loop(self, rounds):
        for rnd in range(1, rounds + 1):
            self.round(rnd)
            self.logger.debug("sleeping 20 ms")
            self.logger.info(f"uptime {time.time() - self.started:.1f}s, restarts so far: {self.restarts}")
            time.sleep(0.02)


if __name__ == "__main__":
    Watcher(["redis", "disk", "gpu"]).loop(3)
    logging.getLogger("main").info("watcher terminated normally")
