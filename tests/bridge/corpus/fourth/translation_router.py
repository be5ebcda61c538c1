"""Translation router agent: dictionary first, then adapter model, then remote engine."""
import logging
import sys
import time
from collections import OrderedDict

logging.basicConfig(
    level=logging.DEBUG,
    stream=sys.stdout,
    format="%(asctime)s - %(name)s - %(levelname)s - %(message)s",
)
logger = logging.getLogger("TranslationRouter")

PHRASES = {
    "buksan mo ang ilaw": "turn on the light",
    "magandang umaga": "good morning",
}


class EngineError(RuntimeError):
    pass


class DictionaryEngine:
    name = "dictionary"

    def translate(self, text):
        try:
            return PHRASES[text.lower()]
        except KeyError:
            raise EngineError("phrase not in table")


class AdapterEngine:
    name = "nllb_adapter"

    def __init__(self, model_id="nllb-600m-fil"):
        self.model_id = model_id
        self.model = None
        self.last_used = 0.0

    def _ensure_loaded(self):
        if self.model is not None:
            logger.debug(f"Adapter model {self.model_id} already in memory (idle {time.time() - self.last_used:.0f}s)")
            return
        logger.info(f"Loading adapter model {self.model_id} (may take up to 60 seconds)...")  # @load
        time.sleep(0.004)
        self.model = {"ang": "the", "bata": "child", "kumakain": "is eating"}
        logger.info(f"Adapter model {self.model_id} loaded, {len(self.model)} entries in vocabulary")  # @load_ok

    def translate(self, text):
        self._ensure_loaded()
        self.last_used = time.time()
        words = text.lower().split()
        if not any(w in self.model for w in words):
            raise EngineError("confidence 0.00 below minimum 0.30")
        return " ".join(self.model.get(w, w) for w in words)


class RemoteEngine:
    name = "phi_remote"
    timeout = 5

    def translate(self, text):
        time.sleep(0.001)
        raise EngineError(f"no reply from PC2 within {self.timeout}s")


class TranslationRouter:
    def __init__(self):
        self.engines = [DictionaryEngine(), AdapterEngine(), RemoteEngine()]
        self.cache = OrderedDict()
        self.stats = {"hits": 0, "requests": 0}
        logger.info(f"TranslationRouter ready with engines: {[e.name for e in self.engines]}")

    def translate(self, text, session_id):
        self.stats["requests"] += 1
        if text in self.cache:
            self.stats["hits"] += 1
            logger.info(f"[{session_id}] Cache hit, engines skipped")
            return self.cache[text]

        started = time.time()
        logger.debug(f"[{session_id}] Detected language: fil (score {0.5 + len(text) / 100:.2f})")
        logger.info(f"[{session_id}] Translating '{text[:30]}' (fil -> en)")  # @tr
        for engine in self.engines:
            logger.debug(f"[{session_id}] Trying engine {engine.name}")  # @try
            try:
                result = engine.translate(text)
            except EngineError as e:
                logger.warning(f"[{session_id}] Engine {engine.name} failed: {e}")  # @try_fail
                continue
            logger.debug(f"[{session_id}] Engine {engine.name} answered with {len(result)} chars")  # @try_ok
            if len(result) < len(text) / 2:
                logger.debug(f"[{session_id}] Suspiciously short result, kept anyway")
            self.cache[text] = result
            elapsed = time.time() - started
            logger.info(f"[{session_id}] Translation successful using {engine.name} in {elapsed:.2f}s")  # @tr_ok
            return result
        logger.error(f"[{session_id}] All engines failed, returning source text unchanged")  # @tr_fail
        return text


def main():
    router = TranslationRouter()
    logger.info("Reply port 5563, request timeout 10000 ms, cache limit 500 entries")
    logger.debug("Circuit breaker phi_remote: state CLOSED, 0 failures")
    for session, text in [
        ("s-11", "Magandang umaga"),
        ("s-11", "ang bata kumakain"),
        ("s-12", "Magandang umaga"),
        ("s-12", "xyzzy plugh"),
    ]:
        router.translate(text, session)
        logger.debug(f"Cache size {len(router.cache)}, requests so far {router.stats['requests']}")
    rate = router.stats["hits"] / router.stats["requests"]
    logger.info(f"Stats: {router.stats['requests']} requests, cache hit rate {rate:.0%}, 1 failed")


if __name__ == "__main__":
    main()
