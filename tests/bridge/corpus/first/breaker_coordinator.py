"""Dispatches tasks to services behind circuit breakers."""
import logging
import time

logger = logging.getLogger("RequestCoordinator")
logger.addHandler(logging.StreamHandler())
logger.setLevel(logging.INFO)
logger.propagate = False

OPEN, CLOSED = "OPEN", "CLOSED"


class Breaker:
    def __init__(self, name, limit):
        self.name, self.limit, self.errors, self.state = name, limit, 0, CLOSED
        logger.info(f"Circuit breaker for {name} initialized (threshold {limit}, reset 30s)")

    def hit(self):
        self.errors = 0

    def fail(self):
        self.errors += 1
        if self.errors >= self.limit and self.state == CLOSED:
            self.state = OPEN
            logger.warning(f"Circuit breaker for {self.name} is now open after {self.errors} failures")


class Coordinator:
    def __init__(self):
        self.breakers = {s: Breaker(s, 2) for s in ("cot", "got")}
        self.metrics = {"success": 0, "dropped": 0, "failed": 0}

    def process(self, task_id, task_type, service):
        br = self.breakers[service]
        if br.state == OPEN:
            logger.warning(f"Circuit for {service} is open. Dropping task {task_id}.")
            self.metrics["dropped"] += 1
            return None
        logger.info(f"Dispatching task {task_id} of type {task_type}")  # @disp
        try:
            answer = self._send(service, task_id)
        except ConnectionError as e:
            br.fail()
            self.metrics["failed"] += 1
            logger.error(f"Failed to process task {task_id} with {service}: {e}")  # @disp_bad
            return None
        br.hit()
        self.metrics["success"] += 1
        logger.info(f"Task {task_id} answered by {service} with {answer} items")  # @disp_ok
        return answer

    def _send(self, service, task_id):
        for attempt in range(2):
            time.sleep(0.001)
            if service == "got":
                logger.warning(f"{service} did not answer (attempt {attempt + 1}/2), retrying in 2s")
            elif task_id == "T2" and attempt == 0:
                logger.warning(f"Request timed out after 30 s, will retry task {task_id}")
            else:
                return len(task_id)
        raise ConnectionError("no route")


if __name__ == "__main__":
    c = Coordinator()
    c.process("T1", "reason", "cot")
    c.process("T2", "reason", "cot")
    for n in range(3, 6):
        c.process(f"T{n}", "graph", "got")
    logger.info(f"Metrics: {c.metrics}")
