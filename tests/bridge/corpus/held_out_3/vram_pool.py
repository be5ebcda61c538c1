"""A pool of models under a VRAM budget: loads on demand, evicts the oldest, answers prompts."""
import logging
import time
from collections import OrderedDict

logging.basicConfig(level=logging.DEBUG, format="%(asctime)s - %(name)s - %(levelname)s - %(message)s")
logger = logging.getLogger("VramPool")

MANIFEST = {"phi": 700, "llama": 900, "broken": 50, "huge": 9000}


class VramPool:
    def __init__(self, budget_mb):
        logger.info("=" * 40)
        logger.info(f"Initializing VRAM pool (budget={budget_mb} MB)")  # @init
        self.budget_mb = budget_mb
        self.loaded = OrderedDict()
        self.catalog = self._read_manifest()
        logger.info(f"VRAM pool ready: {len(self.catalog)} models known, 0 loaded")  # @init_ok
        logger.info("=" * 40)

    def _read_manifest(self):
        logger.debug("Reading model manifest")  # @man
        time.sleep(0.004)
        entries = dict(MANIFEST)
        for name, size in entries.items():
            logger.debug(f"manifest entry: {name} loading_size={size}")
        logger.debug(f"Manifest read, {len(entries)} entries")  # @man_ok
        return entries

    @property
    def free_mb(self):
        return self.budget_mb - sum(self.loaded.values())

    def load(self, name):
        if name in self.loaded:
            logger.debug(f"Model {name} already loaded, reusing it")
            self.loaded.move_to_end(name)
            return True
        size = self.catalog[name]
        logger.info(f"Loading model {name} ({size} MB)...")  # @load
        t0 = time.time()
        try:
            if size > self.budget_mb:
                logger.error(f"Cannot load model {name}: needs {size} MB, budget is {self.budget_mb} MB")  # @load_big
                return False
            while size > self.free_mb:
                logger.warning(f"Not enough VRAM for {name}: need {size} MB, free {self.free_mb} MB")
                self.evict_oldest()
            time.sleep(0.012)
            if name == "broken":
                raise RuntimeError("weights checksum mismatch")
            self.loaded[name] = size
            logger.info(f"Model {name} loaded in {time.time() - t0:.2f} s")  # @load_ok
            logger.info(f"VRAM usage: {self.budget_mb - self.free_mb}/{self.budget_mb} MB")
            return True
        except Exception as e:
            logger.error(f"Failed to load model {name}: {e}")  # @load_bad
            return False

    def evict_oldest(self):
        victim = next(iter(self.loaded))
        logger.info(f"Evicting {victim} to make room")  # @evict
        time.sleep(0.005)
        freed = self.loaded.pop(victim)
        logger.info(f"Evicted {victim}, freed {freed} MB")  # @evict_ok

    def prompt(self, name, text):
        logger.info(f"Handling prompt for {name}: '{text[:20]}...'")  # @prompt
        if not self.load(name):
            logger.error(f"No answer for prompt: model {name} unavailable")  # @prompt_bad
            return None
        logger.debug(f"Generating with {name}, prompt_len={len(text)}")  # @gen
        time.sleep(0.006)
        answer = text[::-1]
        logger.debug(f"Generated {len(answer)} tokens with {name}")  # @gen_ok
        logger.info(f"Prompt for {name} answered")  # @prompt_ok
        return answer

    def unload_all(self):
        logger.info("Unloading all models")  # @unall
        for name in list(self.loaded):
            logger.info(f"Unloading {name}")  # @un
            time.sleep(0.003)
            del self.loaded[name]
        logger.info("All models unloaded, VRAM is free")  # @unall_ok


if __name__ == "__main__":
    pool = VramPool(1000)
    pool.prompt("phi", "finished loading the truck, what now?")
    pool.prompt("phi", "and failed to start it")
    pool.prompt("llama", "tell me a story")
    pool.prompt("broken", "hello hello")
    pool.prompt("huge", "hi")
    pool.unload_all()
