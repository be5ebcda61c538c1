"""Request loop whose handler also has real spans."""
import logging
import queue
import threading
import time

from opentelemetry import trace

logger = logging.getLogger("nlu.server")
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(threadName)s %(message)s")
tracer = trace.get_tracer("nlu")


class NluServer:
    def __init__(self):
        self.requests = queue.Queue()
        self.replies = queue.Queue()
        self.handled = 0

    def loop(self):
        logger.info(f"NLU server loop started in {threading.current_thread().name}")
        while True:
            req = self.requests.get()
            if req is None:
                logger.info(f"NLU server loop finished, {self.handled} handled")
                return
            logger.info(f"Got message {req['id']} of type {req['type']}")  # @got
            reply = self.dispatch(req)
            self.replies.put(reply)
            self.handled += 1
            if "error" in reply:
                logger.error(f"Answered message {req['id']} with an error: {reply['error']}")  # @ans_bad
            else:
                logger.info(f"Answered message {req['id']}")  # @ans

    def dispatch(self, req):
        if req["type"] == "session":
            if req["text"] == "open":
                logger.info(f"Dialogue d{req['id'] // 100} started")
            else:
                logger.info(f"Dialogue d{req['id'] // 100} ended")
            return {"session": req["text"]}
        try:
            return {"intent": self.intent(req["text"])}
        except LookupError as e:
            return {"error": str(e)}

    def intent(self, text):
        with tracer.start_as_current_span("tokenize"):
            words = text.split()
        logger.info(f"Matching {len(words)} words against 2 intents")  # @match
        with tracer.start_as_current_span("score"):
            time.sleep(0.001)
        if "light" not in words:
            raise LookupError(f"no intent for '{text}'")
        logger.info("Matched intent 'switch_started'")  # @match_ok
        return "switch"


def main():
    server = NluServer()
    t = threading.Thread(target=server.loop, name="nlu-loop")
    t.start()
    script = (("session", "open"), ("text", "turn on the light"),
              ("text", "error error"), ("session", "close"))
    for i, (kind, text) in enumerate(script, 501):
        server.requests.put({"id": i, "type": kind, "text": text})
        logger.info(f"client: answer {server.replies.get(timeout=60)}")
    server.requests.put(None)
    t.join()
    logger.info(f"handled {server.handled}, failed 1")


main()
