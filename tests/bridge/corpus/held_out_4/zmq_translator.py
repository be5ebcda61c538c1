"""A REP loop with a cache, engines and a fallback between them."""
import logging
import queue
import threading
import time

logging.basicConfig(level=logging.DEBUG, format="%(asctime)s [%(threadName)s] %(levelname)s %(name)s: %(message)s")
logger = logging.getLogger("TranslationService")


class Timeout(Exception):
    pass


class TranslationService:
    def __init__(self):
        self.requests, self.replies = queue.Queue(), queue.Queue()
        self.cache, self.running = {}, True
        logger.info("TranslationService bound to port 5595")

    def _nllb(self, text):
        logger.info(f"Sending request to NLLBAdapter with timeout 5000 ms: {text}")  # @send
        if len(text) > 12:
            raise Timeout("no reply within 5000 ms")
        time.sleep(0.001)
        logger.info(f"Received response from NLLBAdapter: {text.upper()}")  # @send_ok
        return text.upper()

    def _google(self, text):
        if text.startswith("?"):
            raise RuntimeError("quota exceeded")
        return text.title()

    def translate(self, text, lang):
        if (text, lang) in self.cache:
            logger.debug(f"Cache hit for {text!r}")
            return self.cache[text, lang]
        for engine_name, engine in (("nllb", self._nllb), ("google", self._google)):
            logger.info(f"Trying engine {engine_name} for {lang}")  # @try
            started = time.time()
            try:
                result = engine(text)
            except Exception as e:
                logger.warning(f"Engine {engine_name} failed: {e}")  # @try_bad
                continue
            elapsed_time = time.time() - started
            logger.info(f"Translation successful using {engine_name} in {elapsed_time:.2f}s")  # @try_ok
            self.cache[text, lang] = result
            return result
        raise RuntimeError(f"All engines failed for {text!r}")

    def handle_request(self, request):
        action = request.get("action", "unknown")
        logger.info(f"Received request: {action}")  # @req
        if action == "health_check":
            return {"status": "ok", "uptime": 5}
        try:
            return {"status": "ok", "text": self.translate(request["text"], "tl")}
        except Exception as e:
            logger.error(f"Error handling request {action}: {e}")  # @req_bad
            return {"status": "error", "message": str(e)}

    def serve_forever(self):
        logger.info("Starting main loop")
        while self.running:
            try:
                request = self.requests.get(timeout=0.05)
            except queue.Empty:
                continue
            self.replies.put(self.handle_request(request))
        logger.info("Main loop exited")


service = TranslationService()
thread = threading.Thread(target=service.serve_forever, name="translator")
thread.start()
for message in ({"action": "health_check"}, {"action": "translate", "text": "good morning"},
                {"action": "translate", "text": "the loading failed"}, {"action": "translate", "text": "good morning"},
                {"action": "translate", "text": "? a long question mark"}):
    service.requests.put(message)
    service.replies.get(timeout=60)
service.running = False
thread.join()
