import logging
import logging.handlers
import queue
import sys
import time

PROBES = {
    "database": [True, True, True],
    "mailer": [True, False, True],
    "search": [False, False, True],
}


def configure_logging():
    q = queue.SimpleQueue()
    qh = logging.handlers.QueueHandler(q)
    root = logging.getLogger()
    root.setLevel(logging.DEBUG)
    root.addHandler(qh)
    out = logging.StreamHandler(sys.stdout)
    out.setFormatter(logging.Formatter("%(created).3f %(levelname)-8s %(message)s"))
    listener = logging.handlers.QueueListener(q, out)
    listener.start()
    return listener


class HealthWatch:
    def __init__(self, restart_after=2):
        self.log = logging.getLogger("healthwatch")
        self.restart_after = restart_after
        self.bad = dict.fromkeys(PROBES, 0)
        self.started = time.time()

    def check(self, name, i):
        t = time.perf_counter()
        healthy = PROBES[name][i]
        ms = (time.perf_counter() - t) * 1000 + 7
        if healthy:
            self.bad[name] = 0
            self.log.debug(f"{name} is healthy")
        else:
            self.bad[name] += 1
            self.log.warning(f"{name} is unhealthy ({self.bad[name]}x), last answer {ms:.0f} ms ago")
        return healthy

    def restart(self, name):
        self.log.info(f"Restarting service {name}")  # @restart
        self._stop(name)
        self._start(name)
        self.log.info(f"Service {name} restarted")  # @restarted
        self.bad[name] = 0

    def _stop(self, name):
        self.log.info(f"Stopping {name} with grace period of 10 seconds")  # @stop
        time.sleep(0.002)
        self.log.info(f"{name} stopped")  # @stopped

    def _start(self, name):
        self.log.info(f"Bringing {name} up")  # @up
        time.sleep(0.002)
        self.log.info(f"{name} is up, pid 4711")  # @is_up

    def run(self, rounds):
        for i in range(rounds):
            self.log.info(f"Health check {i + 1} of {rounds}")  # @check
            states = {name: self.check(name, i) for name in PROBES}
            for name, n in self.bad.items():
                if n >= self.restart_after:
                    self.restart(name)
            n_ok = sum(states.values())
            self.log.info(f"Health check {i + 1} complete: {n_ok} healthy, {len(states) - n_ok} failed, sleeping for 30 seconds")  # @checked
        self.log.info(f"uptime {int(time.time() - self.started)}s, connection pool initialized 3 times since boot")


def main():
    listener = configure_logging()
    watch = HealthWatch()
    watch.log.info(f"Watching {len(PROBES)} services every 30 seconds")
    watch.run(3)
    watch.log.info("Watch ended by rounds limit")
    listener.stop()


if __name__ == "__main__":
    main()
