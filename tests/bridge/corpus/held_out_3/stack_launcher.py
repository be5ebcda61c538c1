"""A launcher of a small stack: phases, services in threads, readiness, one that stays down."""
import logging
import logging.handlers
import threading
import time

log = logging.getLogger("launcher")
log.setLevel(logging.INFO)
console = logging.StreamHandler()
console.setFormatter(logging.Formatter("%(asctime)s %(name)s: %(message)s"))
log.addHandler(console)

PHASES = [("core", {"registry": 7001, "broker": 7002}), ("senses", {"ears": 7003, "eyes": 7004})]


class Service:
    def __init__(self, name, port):
        self.name, self.port = name, port
        self.ready, self.quit = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.body, name=name)
        self.log = logging.getLogger(f"launcher.{name}")

    def body(self):
        if self.name == "ears":
            self.log.error("cannot open microphone, quitting")
            return
        self.log.info(f"{self.name} bound to port {self.port}")
        time.sleep(0.01)
        self.ready.set()
        while not self.quit.wait(0.02):
            self.log.debug(f"{self.name} heartbeat")
        self.log.info(f"{self.name} left its main loop")


def launch(service):
    log.info(f"Starting {service.name} on port {service.port}")  # @svc
    service.thread.start()
    t0 = time.time()
    if not service.ready.wait(0.3):
        log.error(f"{service.name} did not become ready within 300 ms")  # @svc_bad
        return False
    log.info(f"{service.name} is up after {time.time() - t0:.2f}s (thread {service.thread.name})")  # @svc_ok
    return True


def run_phase(number, title, specs):
    log.info(f"==== Phase {number}: {title} ====")  # @ph
    started = []
    for name, port in specs.items():
        service = Service(name, port)
        if launch(service):
            started.append(service)
    if len(started) < len(specs):
        log.warning(f"Phase {number} degraded: {len(started)} of {len(specs)} services up")  # @ph_part
    else:
        log.info(f"Phase {number} complete: all services up")  # @ph_ok
    return started


def start_metrics():
    log.info("Starting metrics exporter on port 9100")  # @metrics


def stop_all(services):
    log.info("Stopping services in reverse order")  # @stop
    for service in reversed(services):
        log.info(f"Stopping {service.name}...")  # @one
        service.quit.set()
        service.thread.join(1)
        log.info(f"{service.name} stopped")  # @one_ok
    log.info("All services stopped")  # @stop_ok


def main():
    log.info("*" * 30)
    log.info("*   STACK LAUNCHER 0.9   *")
    log.info("*" * 30)
    log.info("Loaded startup config: 2 phases, 4 services")
    running = []
    for number, (title, specs) in enumerate(PHASES, 1):
        running += run_phase(number, title, specs)
    start_metrics()
    log.info(f"Stack started: {', '.join(s.name for s in running)}")
    stop_all(running)


if __name__ == "__main__":
    main()
