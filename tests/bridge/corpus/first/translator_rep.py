"""A request/reply translator; a queue stands for the REP socket."""
import json
import logging
import queue
import time

logger = logging.getLogger(__name__)
logging.basicConfig(level=logging.INFO)

WORDS = {"kumusta": "hello", "salamat": "thanks"}
inbox, outbox = queue.Queue(), []


class TranslatorService:
    def __init__(self, port):
        self.port = port
        self.running = True
        self.served = 0
        logger.info(f"Initializing translator on port {port}...")  # @init
        self.cache = {}
        time.sleep(0.003)
        logger.info(f"Translator initialized, {len(WORDS)} words known")  # @init_done

    def handle(self, request):
        action = request.get("action")
        if action == "ping":
            return {"status": "ok"}
        if action == "translate":
            return {"status": "ok", "text": self.translate(request["text"])}
        raise KeyError(action)

    def translate(self, text):
        if text in self.cache:
            logger.info(f"Cache hit for '{text}'")
            return self.cache[text]
        logger.info(f"Translating '{text}' from tl to en")  # @tl
        time.sleep(0.002)
        if text not in WORDS:
            logger.warning(f"No dictionary entry for '{text}', keeping the original")
        out = WORDS.get(text, text)
        self.cache[text] = out
        logger.info(f"Translation successful: {out}")  # @tl_ok
        return out

    def run(self):
        logger.info(f"Translator listening on tcp://*:{self.port}")
        while self.running:
            try:
                raw = inbox.get(timeout=0.05)
            except queue.Empty:
                logger.info("No requests for 0.05s, shutting down")
                break
            request = json.loads(raw)
            logger.info(f"Received request: {request.get('action', 'unknown')}")  # @recv
            try:
                response = self.handle(request)
            except Exception as e:
                logger.error(f"Error processing request: {e}")  # @recv_err
                response = {"status": "error", "message": str(e)}
                outbox.append(response)
                continue
            outbox.append(response)
            self.served += 1
            logger.info(f"Sent reply: {response}")  # @reply
        logger.info(f"Served {self.served} requests, errors: {len(outbox) - self.served}")


if __name__ == "__main__":
    for body in ({"action": "translate", "text": "kumusta"}, {"action": "ping"},
                 {"action": "start_failed"}, {"action": "translate", "text": "kumusta"},
                 {"action": "translate", "text": "error"}):
        inbox.put(json.dumps(body))
    TranslatorService(5563).run()
