"""NLU over a plain socket, one JSON line per request, with its own test client."""
import json
import logging
import socket
import sys
import threading
import time

log_format = logging.Formatter("%(levelname)-7s %(threadName)s | %(message)s")


def configure_logging(name):
    lg = logging.getLogger(name)
    lg.setLevel(logging.DEBUG)
    h = logging.StreamHandler(sys.stdout)
    h.setFormatter(log_format)
    lg.addHandler(h)
    lg.propagate = False
    return lg


server_log = configure_logging("NLUAgent")
client_log = configure_logging("DialogAgent")

INTENTS = {"lamp": "switch_light", "weather": "get_weather", "remind": "create_reminder"}


class NLUAgent:
    def __init__(self):
        server_log.info("🧠 Initializing NLUAgent...")  # @init
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.port = self.sock.getsockname()[1]
        self.started = time.time()
        for word, intent in INTENTS.items():
            server_log.debug(f"[Classifier] keyword '{word}' -> {intent}")
        server_log.info(f"✅ NLUAgent initialized with {len(INTENTS)} intents, starting request loop")  # @init_ok

    def serve(self, n):
        server_log.info("🔄 Waiting for requests...")
        for _ in range(n):
            conn, _addr = self.sock.accept()
            with conn:
                server_log.debug("[Socket] client connected")
                line = conn.makefile("r").readline()
                conn.sendall((json.dumps(self.handle(line)) + "\n").encode())
        server_log.info(f"Served {n} requests, uptime {time.time() - self.started:.1f}s")
        self.sock.close()

    def handle(self, line):
        try:
            request = json.loads(line)
        except ValueError as e:
            server_log.error(f"Error decoding request: {e}")
            return {"status": "error", "error": "bad json"}
        server_log.info(f"Received request: {request.get('action', 'unknown')} (id {request['request_id']})")  # @srv
        if request["action"] == "health":
            server_log.info(f"Health check OK for request {request['request_id']}")  # @srv_health
            return {"status": "ok"}
        try:
            intent = self.classify(request["text"])
            server_log.info(f"Sending response for {request['request_id']}: intent={intent}")  # @srv_ok
            return {"status": "success", "intent": intent}
        except LookupError as e:
            server_log.error(f"Error processing request {request['request_id']}: {e}")  # @srv_bad
            return {"status": "error", "error": str(e)}

    def classify(self, text):
        server_log.info(f"[Classifier] Analyzing utterance '{text[:40]}'")  # @cls
        time.sleep(0.001)
        for word, intent in INTENTS.items():
            server_log.debug(f"[Classifier]   {intent}: score {0.93 if word in text else 0.2}")
            if word in text:
                server_log.info(f"[Classifier] Intent found: {intent} (confidence 0.93)")  # @cls_ok
                return intent
        server_log.warning("[Classifier] score of best candidate 0.21 is below threshold 0.5")
        raise LookupError("no intent matches")


def ask(port, payload, timeout_ms=500):
    rid = payload["request_id"] if isinstance(payload, dict) else "-"
    client_log.info(f"Sending request {rid} to NLUAgent with timeout {timeout_ms} ms")  # @ask
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_ms / 1000) as s:
        raw = json.dumps(payload) if isinstance(payload, dict) else payload
        s.sendall((raw + "\n").encode())
        reply = json.loads(s.makefile("r").readline())
    client_log.info(f"Received response from NLUAgent for request {rid}: {reply}")  # @ask_ok
    return reply


if __name__ == "__main__":
    nlu = NLUAgent()
    t = threading.Thread(target=nlu.serve, args=(4,), name="nlu", daemon=True)
    t.start()
    ask(nlu.port, {"action": "health", "request_id": "a1"})
    ask(nlu.port, {"action": "parse", "request_id": "a2", "text": "remind me of the failed upload"})
    r = ask(nlu.port, {"action": "parse", "request_id": "a3", "text": "sing something"})
    if r["status"] == "error":
        client_log.warning("💬 NLU has no answer, the dialog goes on with small talk")
    ask(nlu.port, "{not json")
    t.join()
    client_log.info("Dialog statistics: turns=4 understood=1 fallback=1")
