"""SUB-like loop: text messages from a bus, each translated in an event loop of its own."""
import asyncio
import json
import logging
import queue
import sys
import threading
import time

LOG_LEVEL = logging.DEBUG
logger = logging.getLogger("translation_service")
if not logger.handlers:
    h = logging.StreamHandler(sys.stdout)
    h.setFormatter(logging.Formatter("%(asctime)s | %(levelname)s | %(name)s:%(lineno)d | %(message)s"))
    logger.addHandler(h)
    logger.setLevel(LOG_LEVEL)
    logger.propagate = False

bus: "queue.Queue[str | None]" = queue.Queue()


class EngineError(RuntimeError):
    pass


class NLLBEngine:
    name = "nllb"

    async def translate(self, text):
        await asyncio.sleep(0.002)
        if "kumusta" not in text:
            raise EngineError("language pair not loaded")
        return text.replace("kumusta", "hello")


class DictionaryEngine:
    name = "dictionary"
    words = {"salamat": "thanks", "bukas": "tomorrow"}

    async def translate(self, text):
        await asyncio.sleep(0)
        out = [self.words.get(w) for w in text.split()]
        if None in out:
            raise EngineError(f"{out.count(None)} unknown words")
        return " ".join(out)


class TranslationService:
    def __init__(self):
        self.engines = [NLLBEngine(), DictionaryEngine()]
        self.cache = {}
        self.results = []
        logger.info(f"🌐 Translation service ready, engines: {[e.name for e in self.engines]}")

    def run(self):
        while True:
            raw = bus.get()
            if raw is None:
                logger.info("Shutdown message received, leaving the loop")
                break
            topic, _, body = raw.partition(" ")
            if topic != "TRANSCRIPTION:":
                logger.debug(f"Ignoring topic {topic}")
                continue
            asyncio.run(self.on_transcription(json.loads(body)))
        logger.info(f"Cache size {len(self.cache)}, results {len(self.results)}")

    async def on_transcription(self, msg):
        mid, text = msg["id"], msg["text"]
        logger.info(f"[{mid}] 📥 Received transcription '{text[:30]}' ({msg.get('lang', '??')})")  # @msg
        if text in self.cache:
            logger.info(f"[{mid}] Cache hit")
            out = self.cache[text]
        else:
            logger.debug(f"[{mid}] Cache miss")
            out = await self.translate(mid, text)
            if out is None:
                logger.error(f"[{mid}] ❌ Translation failed with all engines, original text is kept")  # @msg_bad
                self.results.append((mid, text))
                return
            self.cache[text] = out
        self.results.append((mid, out))
        logger.info(f"[{mid}] ✅ Published translation '{out}'")  # @msg_ok

    async def translate(self, mid, text):
        for engine in self.engines:
            t0 = time.perf_counter()
            logger.info(f"[{mid}] Trying engine {engine.name}")  # @try
            try:
                out = await engine.translate(text)
                logger.info(f"[{mid}] Translation successful using {engine.name} in {time.perf_counter() - t0:.3f}s")  # @try_ok
                return out
            except EngineError as e:
                logger.warning(f"[{mid}] Engine {engine.name} failed: {e}")  # @try_bad
        return None


def publisher():
    lines = [("m1", "kumusta world"), ("m2", "salamat"), ("m1b", "kumusta world"), ("m3", "xyzzy")]
    for mid, text in lines:
        bus.put("TRANSCRIPTION: " + json.dumps({"id": mid, "text": text, "lang": "tl"}))
    bus.put('ERROR: {"agent": "mic"}')
    bus.put(None)


if __name__ == "__main__":
    t = threading.Thread(target=publisher, daemon=True)
    t.start()
    TranslationService().run()
    t.join()
