"""Memory service: everything happens in one loop of one method."""
import logging
import queue
import time

logger = logging.getLogger("EpisodicMemory")
logging.basicConfig(level=logging.DEBUG, format="%(levelname)s:%(name)s:%(message)s")


class Service:
    def __init__(self):
        self.socket = queue.Queue()
        self.sent = []
        self.notes = {}

    def serve(self):
        logger.info("EpisodicMemory bound to tcp://0.0.0.0:7120")
        logger.info("Entering main loop")
        polls = 0
        while True:
            try:
                msg = self.socket.get(timeout=0.01)
            except queue.Empty:
                polls += 1
                logger.debug(f"poll timed out after 0.01s ({polls})")
                if polls == 2:
                    break
                continue
            try:
                logger.debug(f"<<< {msg['op']} request from {msg['who']}")  # @in
                if msg["op"] == "put":
                    self.notes[msg["key"]] = msg["val"]
                    reply = "stored"
                elif msg["op"] == "get":
                    logger.debug(f"Looking up {msg['key']}")  # @look
                    time.sleep(0.001)
                    reply = self.notes[msg["key"]]
                    logger.debug(f"Found {msg['key']} = {reply}")  # @look_ok
                else:
                    logger.warning(f"Unknown op {msg['op']}, replying with an error")
                    reply = "unknown"
                self.sent.append(reply)
                logger.debug(f">>> reply '{reply}' sent to {msg['who']}")  # @out
            except KeyError as e:
                logger.error(f"Error while serving {msg['who']}: {e}")  # @bad
                self.sent.append("error")
        logger.info(f"Leaving main loop after {polls} empty polls")
        logger.info(f"stats: received={len(self.sent)} sent={len(self.sent)} errors=1")


class Lights:
    """Answers in silence."""

    def serve(self, requests):
        logger.info(f"Lights waiting for {len(requests)} requests")
        for req in requests:
            logger.info(f"Received request: {req.get('action', 'unknown')}")  # @lamp
            if req["action"] == "on":
                logger.info("Switching relay 4")  # @relay
                time.sleep(0.001)
            elif req["action"] == "off":
                time.sleep(0.001)
            else:
                logger.info(f"Lamp state: {req['action']}")
        logger.info("Lights: no requests left")


class Doors:
    def handle(self, name):
        logger.critical(f"DOORS.handle CALLED for {name}")  # @door
        time.sleep(0.001)
        if name == "cellar":
            msg = f"{name} is stuck, cannot complete the request"
            logger.error(msg)  # @door_bad
            return None
        return name

    def serve(self, names):
        return [self.handle(n) for n in names]


s = Service()
for m in ({"op": "put", "who": "ann", "key": "finished", "val": "no"},
          {"op": "get", "who": "bob", "key": "finished"},
          {"op": "start", "who": "ann"},
          {"op": "get", "who": "eve", "key": "failed"}):
    s.socket.put(m)
s.serve()
Lights().serve([{"action": "on"}, {"action": "failed"}, {"action": "off"}])
Doors().serve(["front", "cellar"])
