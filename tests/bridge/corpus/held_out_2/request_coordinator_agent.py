import logging
import queue
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

logging.basicConfig(stream=sys.stdout, level=logging.INFO,
                    format="%(asctime)s - %(name)s - %(levelname)s - %(message)s")
logger = logging.getLogger("RequestCoordinator")

SERVICES = {"chat": "ChatAgent", "vision": "VisionAgent", "search": "WebScraperAgent"}


class CircuitBreaker:
    def __init__(self, name, threshold=2):
        self.name, self.threshold, self.failures = name, threshold, 0

    def allow_request(self):
        return self.failures < self.threshold

    def record_failure(self):
        self.failures += 1
        if self.failures == self.threshold:
            logger.warning(f"[CircuitBreaker] {self.name} state changed: closed -> open")

    def record_success(self):
        self.failures = 0


class RequestCoordinator:
    def __init__(self):
        self.inbox = queue.Queue()
        self.running = True
        self.breakers = {s: CircuitBreaker(s) for s in SERVICES.values()}
        self.pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reports")
        self.stats = {"ok": 0, "failed": 0, "dropped": 0}
        self.health_thread = threading.Thread(target=self._health_loop, daemon=True)
        self.health_thread.start()
        logger.info("Started health monitoring thread")
        logger.info(f"RequestCoordinator ready, {len(SERVICES)} services registered")

    def _health_loop(self):
        n = 0
        while self.running and n < 3:
            n += 1
            logger.info(f"[Health] heartbeat {n}: services={len(SERVICES)}, failed={self.stats['failed']}, status=ok")
            time.sleep(0.004)

    def run(self):
        logger.info("Starting request loop")
        while self.running:
            try:
                msg = self.inbox.get(timeout=0.02)
            except queue.Empty:
                logger.info("No request within 20 ms, stopping")
                self.running = False
                break
            self.handle_request(msg)
        logger.info(f"Totals: ok={self.stats['ok']} failed={self.stats['failed']} dropped={self.stats['dropped']}")

    def handle_request(self, msg):
        task_id, kind = msg["task_id"], msg.get("type", "unknown")
        logger.info(f"📨 Received request {task_id}: type={kind}")  # @req
        if kind == "report":
            self.queue_report(task_id, msg["days"])
            logger.info(f"📤 Request {task_id} answered with status 'accepted'")  # @req_accepted
            return {"status": "accepted"}
        target = SERVICES.get(kind)
        if target is None:
            logger.error(f"Request {task_id} failed: no service for type '{kind}'")  # @req_unknown
            self.stats["failed"] += 1
            return {"status": "error"}
        if not self.breakers[target].allow_request():
            logger.warning(f"Circuit for {target} is open. Dropping task {task_id}.")
            self.stats["dropped"] += 1
            reply = {"status": "dropped"}
        else:
            reply = self.dispatch(task_id, target, msg)
        logger.info(f"📤 Request {task_id} answered with status '{reply['status']}'")  # @req_done
        return reply

    def queue_report(self, task_id, days):
        logger.info(f"Generating report {task_id} over {days} days in the background")  # @rep
        self.pool.submit(self._write_report, task_id, days)

    def _write_report(self, task_id, days):
        lines = []
        for d in range(days):
            time.sleep(0.001)
            lines.append(f"day {d}: {self.stats}")
        logger.info(f"[reports] {len(lines)} lines rendered, template 'plain'")
        logger.info(f"Report {task_id} generated ({sum(map(len, lines)) // 1024 + 1} KB)")  # @rep_ok

    def dispatch(self, task_id, target, msg):
        logger.info(f"Dispatching task {task_id} to {target}")  # @disp
        try:
            time.sleep(0.002)
            if msg.get("break"):
                raise ConnectionError("no reply on REQ socket")
            logger.info(f"Task {task_id} completed by {target}")  # @disp_ok
            self.breakers[target].record_success()
            self.stats["ok"] += 1
            return {"status": "success"}
        except ConnectionError as e:
            logger.error(f"Failed to process task {task_id} with {target}: {e}")  # @disp_bad
            self.breakers[target].record_failure()
            self.stats["failed"] += 1
            return {"status": "retry_later"}


def main():
    rc = RequestCoordinator()
    rc.inbox.put({"task_id": "t-101", "type": "chat", "text": "hello"})
    rc.inbox.put({"task_id": "t-102", "type": "vision", "break": True})
    rc.inbox.put({"task_id": "t-103", "type": "vision", "break": True})
    rc.inbox.put({"task_id": "t-104", "type": "vision"})
    rc.inbox.put({"task_id": "t-105", "type": "astrology"})
    rc.inbox.put({"task_id": "t-106", "type": "report", "days": 5})
    rc.run()
    rc.pool.shutdown(wait=True)
    rc.health_thread.join()
    logger.info("RequestCoordinator stopped")


if __name__ == "__main__":
    main()
