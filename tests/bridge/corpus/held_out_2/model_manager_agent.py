"""Keeps speech and text models in VRAM within a budget."""
import json
import logging
import logging.handlers
import os
import sys
import tempfile
import time


class JsonFormatter(logging.Formatter):
    def format(self, record):
        return json.dumps({
            "timestamp": round(record.created, 3), "level": record.levelname,
            "agent": record.name, "message": record.getMessage(),
            "component": getattr(record, "component", None),
        }, ensure_ascii=False)


def get_json_logger(name):
    lg = logging.getLogger(name)
    lg.handlers.clear()
    path = os.path.join(tempfile.mkdtemp(prefix="mma_"), f"{name}.log")
    fh = logging.handlers.RotatingFileHandler(path, maxBytes=10 * 1024 * 1024, backupCount=5)
    sh = logging.StreamHandler(sys.stdout)
    for h in (fh, sh):
        h.setFormatter(JsonFormatter())
        lg.addHandler(h)
    lg.setLevel(logging.DEBUG)
    lg.propagate = False
    return lg


logger = get_json_logger("ModelManagerAgent")

REGISTRY = {"phi-3-mini": 2300, "whisper-small": 950, "mistral-7b": 6100, "xtts-v2": 1800}
BROKEN = {"xtts-v2"}


class ModelManagerAgent:
    def __init__(self, budget_mb=8000, port=5570):
        logger.info(f"🚀 Initializing ModelManagerAgent (port={port}, budget={budget_mb}MB)...")  # @init
        self.budget = budget_mb
        self.loaded = {}
        self.last_used = {}
        self._check_registry()
        logger.info(f"VRAM budget: {budget_mb}MB, idle timeout: 300s")
        logger.info(f"✅ ModelManagerAgent initialized, {len(REGISTRY)} models known")  # @init_ok

    def _check_registry(self):
        for model_id, mb in REGISTRY.items():
            logger.debug(f"MMA: registry entry {model_id} -> {mb}MB")
            if mb > 5000:
                logger.warning(f"MMA: {model_id} alone takes more than half of the budget")

    @property
    def used(self):
        return sum(self.loaded.values())

    def load_model(self, model_id):
        if model_id in self.loaded:
            logger.debug(f"MMA: Model {model_id} is already loaded, touching it")
            self.last_used[model_id] = time.monotonic()
            return True
        need = REGISTRY[model_id]
        logger.info(f"MMA: Loading model {model_id} ({need}MB)...")  # @load
        try:
            while self.used + need > self.budget:
                self.evict()
            time.sleep(0.003)
            if model_id in BROKEN:
                raise OSError(f"checkpoint of {model_id} is truncated")
            self.loaded[model_id] = need
            self.last_used[model_id] = time.monotonic()
            logger.info(f"MMA: ✅ Model {model_id} loaded, {self.used}MB of {self.budget}MB in use")  # @load_ok
            return True
        except OSError as e:
            logger.error(f"MMA: ❌ Failed to load model {model_id}: {e}")  # @load_bad
            return False

    def evict(self):
        victim = min(self.last_used, key=self.last_used.get)
        idle = time.monotonic() - self.last_used[victim]
        logger.warning(f"MMA: VRAM pressure: {self.used}MB used; {victim} idle for {idle:.1f}s")
        self.unload_model(victim)

    def unload_model(self, model_id):
        logger.info(f"MMA: Unloading model {model_id}")  # @unload
        time.sleep(0.002)
        freed = self.loaded.pop(model_id)
        self.last_used.pop(model_id)
        logger.info(f"MMA: Unloaded {model_id}, {freed}MB freed", extra={"component": "vram"})  # @unload_ok

    def status(self):
        logger.info(f"[Metrics] loaded={sorted(self.loaded)} used={self.used}MB free={self.budget - self.used}MB")

    def cleanup(self):
        logger.info("Cleaning up ModelManagerAgent resources...")  # @clean
        for model_id in list(self.loaded):
            self.unload_model(model_id)
        logger.info("Cleanup complete")  # @clean_ok


if __name__ == "__main__":
    agent = ModelManagerAgent()
    try:
        agent.load_model("whisper-small")
        agent.load_model("phi-3-mini")
        agent.load_model("whisper-small")
        agent.status()
        agent.load_model("mistral-7b")
        if not agent.load_model("xtts-v2"):
            logger.warning("TTS will stay on the CPU voice")
        agent.status()
    finally:
        agent.cleanup()
