"""A request/reply loop in the manner of a ZMQ REP socket, over two queues."""
import logging
import queue
import threading
import time

logging.basicConfig(level=logging.INFO, format="%(asctime)s [%(threadName)s] %(levelname)s %(message)s")
log = logging.getLogger("memory_rep")


class MemoryService:
    def __init__(self):
        self.inbox = queue.Queue()
        self.outbox = queue.Queue()
        self.running = threading.Event()
        self.records = ["cat", "catalog", "dog"]
        log.info("Memory service initialized")
        self.thread = threading.Thread(target=self.serve, name="rep-loop")

    def start(self):
        self.running.set()
        log.info("Starting memory service on port %d", 5713)  # @svc
        self.thread.start()

    def serve(self):
        log.info("REP loop started, waiting for requests")
        idle = 0
        while self.running.is_set():
            try:
                msg = self.inbox.get(timeout=0.05)
            except queue.Empty:
                idle += 1
                log.debug("queue empty, still waiting (tick %d)", idle)
                continue
            log.debug("Received request: %s", msg)
            self.outbox.put(self.handle(msg))
        log.info("REP loop exited")

    def handle(self, msg):
        rid, action = msg.get("id"), msg.get("action")
        if action == "ping":
            return {"id": rid, "status": "success"}
        log.info("Processing action '%s' (req %s)", action, rid)  # @proc
        try:
            if action == "search":
                result = self.search(msg["query"])
            elif action == "add":
                result = self.add(msg["text"])
            else:
                log.warning("Unknown action '%s' in req %s", action, rid)
                result = {"status": "error", "message": "unknown action"}
            log.info("Replying to req %s: %s", rid, result)  # @proc_ok
            return {"id": rid, **result}
        except Exception as e:
            log.error("Error processing req %s: %r", rid, e)  # @proc_bad
            return {"id": rid, "status": "error", "message": str(e)}

    def search(self, text):
        log.info("Searching %d records for '%s'", len(self.records), text)  # @srch
        time.sleep(0.008)
        hits = [r for r in self.records if text in r]
        log.info("Found %d hits", len(hits))  # @srch_ok
        return {"status": "success", "hits": hits}

    def add(self, text):
        if not text:
            raise ValueError("text is empty")
        log.info("Storing new record...")  # @add
        time.sleep(0.004)
        self.records.append(text)
        log.info("Record stored, total is now %d", len(self.records))  # @add_ok
        return {"status": "success"}

    def stop(self):
        log.info("Stopping memory service...")  # @stop
        self.running.clear()
        self.thread.join()
        log.info("Memory service stopped")  # @stop_ok


if __name__ == "__main__":
    service = MemoryService()
    service.start()
    for message in [
        {"id": "r1", "action": "ping"},
        {"id": "r2", "action": "search", "query": "cat"},
        {"id": "r3", "action": "add", "text": "error: failed to start"},
        {"id": "r4", "action": "add", "text": ""},
        {"id": "r5", "action": "dance"},
        {"id": "r6", "action": "search"},
        {"id": "r7", "action": "search", "query": "failed"},
    ]:
        service.inbox.put(message)
        service.outbox.get(timeout=60)
    service.stop()
