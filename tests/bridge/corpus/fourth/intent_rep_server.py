#!/usr/bin/env python3
"""NLU agent on a REP-like loopback socket: one JSON line in, one JSON line out."""
import json
import logging
import re
import socket
import sys
import threading

logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s:%(name)s:%(message)s")
logger = logging.getLogger("NLUAgent")

RULES = [
    (r"\b(turn|switch) (on|off)\b.*\b(light|fan)s?\b", "control_device"),
    (r"\bremind me\b", "set_reminder"),
    (r"\bweather\b", "ask_weather"),
]


class NLUAgent:
    def __init__(self):
        logger.info("Starting NLU agent...")  # @boot
        self.sock = socket.socket()
        self.sock.bind(("127.0.0.1", 0))
        self.sock.listen(1)
        self.port = self.sock.getsockname()[1]
        logger.info(f"REP socket bound to port {self.port}")
        self.patterns = self._compile()
        self.count = 0
        logger.info("NLU agent initialized")  # @boot_ok

    def _compile(self):
        logger.info(f"Compiling {len(RULES)} intent patterns")  # @compile
        compiled = [(re.compile(p, re.I), name) for p, name in RULES]
        logger.info("Intent patterns compiled")  # @compile_ok
        return compiled

    def run(self):
        conn, addr = self.sock.accept()
        stream = conn.makefile("rw")
        logger.info(f"Client connected from {addr[0]}")
        for line in stream:
            request = json.loads(line)
            logger.info(f"Received request: {request.get('action', 'unknown')}")  # @req
            if request.get("action") == "shutdown":
                stream.write(json.dumps({"status": "ok"}) + "\n")
                stream.flush()
                break
            self.count += 1
            try:
                reply = self.handle_request(request)
            except ValueError as e:
                logger.error(f"Error handling request: {e}")  # @req_err
                reply = {"status": "error", "error": str(e)}
            stream.write(json.dumps(reply) + "\n")
            stream.flush()
        conn.close()

    def handle_request(self, request):
        action = request.get("action")
        if action == "health_check":
            logger.info(f"Health: ok, uptime 12s, {self.count} requests, 0 errors")
            return {"status": "ok", "uptime": 12, "requests": self.count}
        if action != "analyze":
            logger.warning(f"Unknown action {action!r} ignored")
            return {"status": "error", "error": "unknown action"}
        text = request["text"]
        logger.info(f"Analyzing text: {text[:40]}")  # @an
        intent, conf = self.classify(text)
        entities = self.extract_entities(text)
        logger.info(f"Intent: {intent} (confidence {conf:.2f}), {len(entities)} entities")  # @an_ok
        return {"status": "ok", "intent": intent, "entities": entities}

    def classify(self, text):
        if not text.strip():
            raise ValueError("empty utterance")
        for pattern, name in self.patterns:
            if pattern.search(text):
                logger.info(f"Rule hit: {pattern.pattern[:24]}")
                return name, 0.95
        logger.info("No rule matched, defaulting to chitchat")
        return "chitchat", 0.4

    def extract_entities(self, text):
        logger.info("Entity types enabled: room, time")
        return re.findall(r"\b(?:kitchen|bedroom|\d{1,2}(?:am|pm))\b", text)


def client(port):
    s = socket.create_connection(("127.0.0.1", port))
    f = s.makefile("rw")
    for msg in (
        {"action": "health_check"},
        {"action": "analyze", "text": "switch off the lights in the kitchen"},
        {"action": "analyze", "text": "did the job finish successfully?"},
        {"action": "analyze", "text": "   "},
        {"action": "dance"},
        {"action": "shutdown"},
    ):
        f.write(json.dumps(msg) + "\n")
        f.flush()
        f.readline()
    s.close()


if __name__ == "__main__":
    agent = NLUAgent()
    t = threading.Thread(target=client, args=(agent.port,), daemon=True)
    t.start()
    agent.run()
    t.join(1)
    logger.info(f"Served {agent.count} requests, bye")
