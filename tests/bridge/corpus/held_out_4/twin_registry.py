"""System digital twin: agents register, are watched and leave. One inline handler with many branches."""
import logging
import time

logger = logging.getLogger("SystemDigitalTwin")
logging.basicConfig(level=logging.INFO)


class Twin:
    def __init__(self):
        self.agents = {}
        self._setup_db()
        self._connect_redis()
        logger.info("SystemDigitalTwin ready")

    def _setup_db(self):
        logger.info("Setting up database...")  # @db
        self.db = {}
        logger.info("Database tables created")
        logger.info("Database setup complete")  # @db_ok

    def _connect_redis(self):
        logger.info("Connecting to Redis at localhost:6379")  # @redis
        try:
            raise ConnectionRefusedError("connection refused")
        except ConnectionRefusedError as e:
            logger.warning(f"Redis not available ({e}), using in-memory cache")  # @redis_bad
            self.cache = {}

    def _register(self, name, port):
        if not port:
            logger.error(f"Cannot register {name}: no port")
            return {"status": "error"}
        self.agents[name] = {"port": port, "seen": time.time()}
        logger.info(f"Agent {name} registered on port {port}")
        return {"status": "success"}

    def _predict(self, name):
        logger.info(f"Predicting load of {name}")  # @pred
        if name not in self.agents:
            logger.error(f"Prediction for {name} failed: agent unknown")  # @pred_bad
            return None
        load = len(name) * 7
        logger.info(f"Predicted load of {name}: {load}%")  # @pred_ok
        return load

    def handle(self, message):
        logger.info(f"Received message: {message['type']}")  # @msg
        kind = message["type"]
        if kind == "register":
            response = self._register(message["name"], message.get("port"))
        elif kind == "predict":
            load = self._predict(message["name"])
            response = {"status": "success" if load else "error", "load": load}
        elif kind == "list":
            response = {"status": "success", "agents": sorted(self.agents)}
        else:
            logger.warning(f"Unknown message type: {kind}")
            response = {"status": "error"}
        logger.info(f"Sending response: {response['status']}")  # @msg_ok
        return response


def main():
    twin = Twin()
    inbox = [{"type": "register", "name": "tts", "port": 5801}, {"type": "register", "name": "stt"},
             {"type": "predict", "name": "tts"}, {"type": "predict", "name": "ocr"},
             {"type": "list"}, {"type": "restart_failed"}]
    for message in inbox:
        twin.handle(message)
    logger.info(f"Handled {len(inbox)} messages, twin stopping")


main()
