"""SystemDigitalTwin registry and two agents that register with it over queues."""
import logging
import queue
import threading
import time
import uuid

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)-18s %(levelname)-8s %(message)s")


class SystemDigitalTwin(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True, name="twin")
        self.logger = logging.getLogger("SystemDigitalTwin")
        self.q = queue.Queue()
        self.agents = {}
        self.ignored = 0

    def run(self):
        self.logger.info("Listening for agent messages")
        while True:
            msg, reply = self.q.get()
            kind = msg["type"]
            if kind == "stop":
                break
            if kind == "heartbeat":
                self.logger.info(f"💓 Heartbeat from {msg['agent']}, status=running")
                continue
            if kind == "register" and msg["agent"] == "VisionAgent" and self.ignored < 1:
                self.ignored += 1
                continue
            self.logger.info(f"Processing message {msg['request_id']} ({kind}) from {msg['agent']}")  # @srv
            try:
                result = getattr(self, "on_" + kind)(msg)
                self.logger.info(f"Message {msg['request_id']} processed")  # @srv_ok
                reply.put({"status": "ok", "result": result})
            except Exception as e:
                self.logger.error(f"Failed to process message {msg['request_id']}: {e}")  # @srv_err
                reply.put({"status": "error", "error": str(e)})

    def on_register(self, msg):
        if msg["agent"] in self.agents:  # restarts do this
            self.logger.warning(f"{msg['agent']} was registered before, overwriting entry")
        self.logger.info(f"Resource check: cpu 3%, ram 210MB, {len(self.agents)} agents known")
        self.agents[msg["agent"]] = {"port": msg["port"], "since": time.time()}
        return len(self.agents)

    def on_lookup(self, msg):
        return self.agents[msg["name"]]["port"]


class BaseAgent:
    def __init__(self, name, port, twin):
        self.name, self.port, self.twin = name, port, twin
        self.logger = logging.getLogger(name)
        self.logger.info(f"{name} created on port {port}, health check port {port + 1000}")

    def _request(self, timeout, **body):
        reply = queue.Queue()
        body.update(agent=self.name, request_id=uuid.uuid5(uuid.NAMESPACE_DNS, self.name + str(body)).hex[:6])
        self.twin.q.put((body, reply))
        return reply.get(timeout=timeout)

    def register(self, tries=3):
        self.logger.info("Registering with SystemDigitalTwin")  # @reg
        for n in range(1, tries + 1):
            try:
                self._request(0.2, type="register", port=self.port)
            except queue.Empty:
                self.logger.warning(f"Registration attempt {n} of {tries} got no answer, retrying in 1.0s")
                continue
            self.logger.info("Registered with SystemDigitalTwin successfully")  # @reg_ok
            return True
        return False

    def find(self, name):
        self.logger.info(f"Looking up {name}")  # @find
        answer = self._request(0.5, type="lookup", name=name)
        if answer["status"] != "ok":
            self.logger.error(f"Lookup of {name} failed: {answer['error']}")  # @find_err
            return None
        self.logger.info(f"Lookup of {name} returned port {answer['result']}")  # @find_ok
        return answer["result"]

    def beat(self):
        self.twin.q.put(({"type": "heartbeat", "agent": self.name}, None))


def main():
    twin = SystemDigitalTwin()
    twin.start()
    tts, vision = BaseAgent("TTSAgent", 5562, twin), BaseAgent("VisionAgent", 5610, twin)
    tts.register()
    vision.register()
    tts.beat()
    vision.find("TTSAgent")
    tts.find("GhostAgent")
    twin.q.put(({"type": "stop"}, None))
    twin.join(1)
    logging.getLogger("main").info(f"{len(twin.agents)} agents registered, 0 unhealthy, all systems nominal")


if __name__ == "__main__":
    main()
