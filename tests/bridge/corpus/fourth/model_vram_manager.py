"""Loads models on demand, watches the VRAM budget, unloads idle ones."""
import logging
import time

logger = logging.getLogger("ModelManager")
logger.setLevel(logging.INFO)
_h = logging.StreamHandler()
_h.setFormatter(logging.Formatter("%(asctime)s %(levelname)-8s MMA: %(message)s"))
logger.addHandler(_h)
logger.propagate = False

SIZES = {"phi-3-mini": 2300, "llama-3-8b": 5200, "whisper-large": 3100, "yolo-v8": 600}


class VRAMExceeded(Exception):
    pass


class ModelManager:
    budget_mb = 8000

    def __init__(self):
        self.loaded = {}
        logger.info(f"VRAM budget: {self.budget_mb}MB, idle timeout: 900s")
        logger.info("GPU 0: NVIDIA GeForce RTX 4090, driver 550.54, temperature 41C")
        logger.info("Listening for LOAD_MODEL / UNLOAD_MODEL commands on port 5570")

    @property
    def used(self):
        return sum(m["mb"] for m in self.loaded.values())

    def _read_weights(self, model_id, mb):
        logger.info(f"Reading weights for model {model_id} ({mb} MB)")  # @read
        time.sleep(0.003)
        if model_id == "yolo-v8":
            logger.error(f"Checksum mismatch while reading weights for {model_id}")  # @read_fail
            raise IOError("sha256 differs from manifest")
        logger.info(f"Weights for model {model_id} read")  # @read_ok

    def load_model(self, model_id):
        if model_id in self.loaded:
            logger.info(f"Model {model_id} is already loaded")
            self.loaded[model_id]["last"] = time.time()
            return True
        logger.info(f"Loading model {model_id}...")  # @load
        try:
            mb = SIZES[model_id]
            if self.used + mb > self.budget_mb:
                logger.warning(f"Not enough VRAM for {model_id}: need {mb}MB, {self.budget_mb - self.used}MB free")
                self.free_up(mb)
            self._read_weights(model_id, mb)
            self.loaded[model_id] = {"mb": mb, "last": time.time()}
            logger.info(f"✅ Model {model_id} loaded successfully. VRAM {self.used}/{self.budget_mb}MB")  # @load_ok
            return True
        except Exception as e:
            logger.error(f"❌ Error loading model {model_id}: {e}", exc_info=True)  # @load_fail
            return False

    def free_up(self, needed_mb):
        victims = sorted(self.loaded, key=lambda m: self.loaded[m]["last"])
        for victim in victims:
            if self.used + needed_mb <= self.budget_mb:
                break
            logger.info(f"Least recently used model is {victim}, {self.loaded[victim]['mb']}MB")
            self.unload_model(victim)

    def unload_model(self, model_id):
        logger.info(f"Unloading model {model_id}")  # @unload
        entry = self.loaded.pop(model_id)
        time.sleep(0.001)
        logger.info(f"Model {model_id} unloaded, released {entry['mb']}MB")  # @unload_ok

    def report(self):
        for model_id, m in sorted(self.loaded.items()):
            logger.info(f"[Metrics] {model_id}: {m['mb']}MB, requests=0, errors=0")
        logger.info(f"[Metrics] VRAM usage {self.used / self.budget_mb:.1%}, load average 0.42")

    def check_idle(self):
        for model_id, m in self.loaded.items():
            logger.debug(f"{model_id} idle for {time.time() - m['last']:.1f}s")
        logger.info(f"Idle check: {len(self.loaded)} models loaded, none over the timeout")

    def shutdown(self):
        logger.info("Shutting down Model Manager, unloading everything")  # @down
        for model_id in list(self.loaded):
            self.unload_model(model_id)
        logger.info("Model Manager shutdown complete")  # @down_ok


if __name__ == "__main__":
    mgr = ModelManager()
    mgr.load_model("llama-3-8b")
    mgr.load_model("phi-3-mini")
    mgr.load_model("llama-3-8b")
    mgr.report()
    mgr.load_model("whisper-large")
    mgr.load_model("yolo-v8")
    if not mgr.load_model("gpt-j"):
        logger.warning("gpt-j unavailable, will answer with phi-3-mini instead")
    mgr.check_idle()
    mgr.shutdown()
