"""Model manager that makes room before it loads."""
import logging
import time

logger = logging.getLogger("ModelManagerAgent")
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s MMA: %(message)s")


class ModelManager:
    def __init__(self):
        self.models = {"phi": 2000, "llama": 3500, "yolo": 500, "giant": 9000}
        self.loaded, self.budget = {}, 4000
        logger.info("MMA: VRAM budget set to 4000 MB")
        logger.info("MMA: model idle timeout is 600 seconds")

    def used(self):
        return sum(self.models[m] for m in self.loaded)

    def _make_room(self, needed):
        logger.info(f"MMA: Need {needed} MB of VRAM, {self.budget - self.used()} MB available. Unloading idle models")  # @room
        for model_id in sorted(self.loaded, key=self.loaded.get):
            if self.budget - self.used() >= needed:
                break
            self.unload(model_id)
        if self.budget - self.used() < needed:
            logger.error(f"MMA: Could not free {needed} MB")  # @room_bad
            return False
        logger.info(f"MMA: Freed enough VRAM, {self.budget - self.used()} MB available now")  # @room_ok
        return True

    def unload(self, model_id):
        logger.info(f"MMA: Unloading {model_id}")  # @unload
        time.sleep(0.001)
        del self.loaded[model_id]
        logger.info(f"MMA: {model_id} unloaded")  # @unload_ok

    def load(self, model_id):
        if model_id not in self.models:
            logger.error(f"MMA: Unknown model {model_id}")
            return False
        logger.info(f"MMA: Attempting to load {model_id}")  # @load
        needed = self.models[model_id]
        if self.budget - self.used() < needed and not self._make_room(needed):
            logger.error(f"MMA: Not enough VRAM for {model_id}, load aborted")  # @load_bad
            return False
        time.sleep(0.001)
        self.loaded[model_id] = time.time()
        logger.info(f"MMA: {model_id} is now loaded ({self.used()}/{self.budget} MB)")  # @load_ok
        return True

    def health(self):
        logger.info("MMA: Running health check on loaded models")  # @health
        for model_id in list(self.loaded):
            logger.info(f"MMA: {model_id}: healthy, idle for {time.time() - self.loaded[model_id]:.0f}s")
        logger.info("MMA: Health check done")  # @health_ok


mma = ModelManager()
for model in ("phi", "yolo", "llama", "bert", "giant"):
    mma.load(model)
mma.health()
