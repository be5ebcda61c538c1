"""Keeps models in (pretended) video memory; answers requests one after the other."""
import logging
import sys
from collections import OrderedDict, deque


def configure_logging(name):
    lg = logging.getLogger(name)
    lg.setLevel(logging.INFO)
    h = logging.StreamHandler(sys.stdout)
    h.setFormatter(logging.Formatter("%(asctime)s - %(name)s - %(levelname)s - %(message)s"))
    lg.addHandler(h)
    lg.propagate = False
    return lg


logger = configure_logging("VramKeeper")
SIZES = {"phi": 2000, "llama-7b": 6000, "giant-70b": 40000}


class VramKeeper:
    def __init__(self, inbox, budget_mb=7000):
        self.inbox = deque(inbox)
        self.replies = []
        self.budget_mb = budget_mb
        self.resident = OrderedDict()
        logger.info(f"VramKeeper initialized on port 5575, budget {budget_mb} MB")

    def used(self):
        return sum(self.resident.values())

    def make_room(self, need):
        while self.resident and self.used() + need > self.budget_mb:
            model_id = next(iter(self.resident))
            logger.info(f"Evicting {model_id} (idle for 300s)")  # @evict
            freed = self.resident.pop(model_id)
            logger.info(f"{model_id} evicted, {freed} MB free again")  # @evicted

    def load_model(self, model_id):
        if model_id in self.resident:
            logger.info(f"Model {model_id} already loaded")
            return {"status": "ok"}
        logger.info(f"Bringing {model_id} into VRAM")  # @bring
        need = SIZES[model_id]
        if need > self.budget_mb:
            logger.error(f"{model_id} needs {need} MB, VRAM has {self.budget_mb} MB")  # @too_big
            return {"status": "error", "error": "too big"}
        self.make_room(need)
        self.resident[model_id] = need
        logger.info(f"{model_id} in VRAM, {self.used()} of {self.budget_mb} MB used")  # @in_vram
        return {"status": "ok"}

    def stream(self, model_id, prompt):
        logger.info(f"Generation by {model_id} starts, max 64 tokens, timeout: 120s")  # @gen
        for token in prompt.split():
            yield token[::-1]
        logger.info(f"Generation by {model_id} ended, 42.0 tokens/s")  # @gen_end

    def handle_request(self, request):
        action = request["action"]
        if action == "load":
            reply = self.load_model(request["model_id"])
            if reply["status"] != "ok":
                raise RuntimeError(reply["error"])
            return reply
        if action == "generate":
            text = []
            for token in self.stream(request["model_id"], request["prompt"]):
                text.append(token)
            logger.info(f"Checking output of {request['model_id']} for rude words")  # @rude
            return {"status": "ok", "text": " ".join(text)}
        if action in ("open_session", "close_session"):
            logger.info(f"Session {request['session_id']} {'started' if action[0] == 'o' else 'ended'}")
            return {"status": "ok"}
        raise KeyError(action)

    def run(self):
        logger.info("Waiting for requests...")
        while self.inbox:
            request = self.inbox.popleft()
            logger.info(f"Received request: {request.get('action')}")  # @request
            try:
                reply = self.handle_request(request)
            except Exception as e:
                logger.error(f"Error processing request: {e}")  # @request_error
                reply = {"status": "error", "error": str(e)}
            self.replies.append(reply)
        logger.info("VramKeeper stopped")


def main():
    VramKeeper([
        {"action": "open_session", "session_id": "s1"},
        {"action": "load", "model_id": "phi"},
        {"action": "load", "model_id": "phi"},
        {"action": "generate", "model_id": "phi", "prompt": "never start nor finish"},
        {"action": "load", "model_id": "llama-7b"},
        {"action": "load", "model_id": "giant-70b"},
        {"action": "defragment_failed"},
        {"action": "close_session", "session_id": "s1"},
    ]).run()


if __name__ == "__main__":
    main()
