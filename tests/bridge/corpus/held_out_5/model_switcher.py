"""Loads and unloads models into a small memory; prefix in brackets; nested work; a health check."""
import logging
import time

logging.basicConfig(level=logging.DEBUG, format="%(name)s | %(message)s")
logger = logging.getLogger("ModelManager")
SIZES = {"phi": 2, "llama": 7, "whisper": 1, "giant": 99}


class ModelManager:
    def __init__(self, room):
        self.room, self.loaded = room, {}
        logger.info(f"[MM] ModelManager started with {room} GB")

    def unload(self, name):
        logger.info(f"[MM] Unloading {name}")  # @unload
        time.sleep(0.001)
        self.room += self.loaded.pop(name)
        logger.info(f"[MM] Unloaded {name}, {self.room} GB free")  # @unload_ok

    def load(self, name):
        if name in self.loaded:
            logger.debug(f"[MM] {name} is loaded already")
            return True
        logger.info(f"[MM] Loading {name} ({SIZES[name]} GB)")  # @load
        while SIZES[name] > self.room and self.loaded:
            self.unload(next(iter(self.loaded)))
        if SIZES[name] > self.room:
            logger.error(f"[MM] Cannot load {name}: {SIZES[name]} GB needed, {self.room} GB free")  # @load_bad
            return False
        time.sleep(0.002)
        self.loaded[name] = SIZES[name]
        self.room -= SIZES[name]
        logger.info(f"[MM] Model {name} ready")  # @load_ok
        return True

    def generate(self, name, prompt):
        logger.info(f"[GEN] Generating with {name}: prompt of {len(prompt)} chars")  # @gen
        if not self.load(name):
            logger.error(f"[GEN] Generation failed, no model {name}")  # @gen_bad
            return None
        time.sleep(0.002)
        logger.info(f"[GEN] Generated {len(prompt) * 2} tokens")  # @gen_ok
        return prompt * 2

    def health(self):
        logger.debug(f"[HEALTH] ok, models loaded: {len(self.loaded)}, failed: 0, uptime 3600s")


manager = ModelManager(8)
manager.generate("phi", "hello")
manager.generate("llama", "start the failed engine")
manager.health()
manager.generate("llama", "completed?")
manager.generate("giant", "boo")
