"""A request loop over a queue as fleets have with ZMQ: actions, replies, an unknown one, a crash."""
import json
import logging
import queue
import threading
import time

logging.basicConfig(level=logging.INFO, format="%(asctime)s - %(levelname)s - %(message)s")
logger = logging.getLogger("UnifiedMemoryAgent")


class Service:
    def __init__(self):
        logger.info("Initializing UnifiedMemoryAgent")  # @init
        self.inbox, self.outbox = queue.Queue(), queue.Queue()
        self.items = {}
        logger.info("UnifiedMemoryAgent initialized")  # @init_ok

    def put(self, key, value):
        logger.info(f"Writing entry {key}")  # @write
        time.sleep(0.002)
        self.items[key] = value
        logger.info(f"Entry {key} written")  # @write_ok
        return {"status": "ok"}

    def find(self, word):
        logger.info(f"Searching entries for '{word}'")  # @search
        time.sleep(0.002)
        hits = [k for k, v in self.items.items() if word in v]
        logger.info(f"Search found {len(hits)} entries")  # @search_ok
        return {"status": "ok", "hits": hits}

    def serve(self):
        logger.info("Service loop started")
        while True:
            raw = self.inbox.get()
            if raw is None:
                break
            message = json.loads(raw)
            logger.info(f"Received request: {message['action']}")  # @req
            try:
                if message["action"] == "put":
                    reply = self.put(message["key"], message["value"])
                elif message["action"] == "find":
                    reply = self.find(message["word"])
                else:
                    logger.warning(f"Unknown action {message['action']}")
                    reply = {"status": "error"}
                self.outbox.put(reply)
                logger.info(f"Sent response with status {reply['status']}")  # @req_ok
            except KeyError as e:
                logger.error(f"Error handling request: missing field {e}")  # @req_bad
                self.outbox.put({"status": "error"})
        logger.info("Service loop ended")


service = Service()
worker = threading.Thread(target=service.serve)
worker.start()
for body in ({"action": "put", "key": "k1", "value": "blue whale"}, {"action": "find", "word": "whale"},
             {"action": "put", "key": "k2"}, {"action": "sing"}):
    service.inbox.put(json.dumps(body))
    service.outbox.get(timeout=60)
service.inbox.put(None)
worker.join()
