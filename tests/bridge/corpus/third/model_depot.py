import logging
import logging.handlers
import queue
import threading
import time


def make_logger():
    lg = logging.getLogger("ModelDepot")
    lg.propagate = False
    lg.setLevel(logging.DEBUG)
    h = logging.StreamHandler()
    h.setFormatter(logging.Formatter("%(asctime)s [%(name)s] %(message)s"))
    lg.addHandler(h)
    return lg


class ModelDepot:
    """Keeps models in a simulated VRAM of limited size."""

    SIZES = {"whisper-s": 500, "opus-mt": 300, "phi": 2700, "llama-70b": 40000}

    def __init__(self, vram):
        self.logger = make_logger()
        self.vram = vram
        self.loaded = {}
        self.pending = queue.Queue()
        self.ready = {}
        self.logger.info(f"🚀 Model depot started with {vram} MB")
        self.worker = threading.Thread(target=self._loader, name="loader", daemon=True)
        self.worker.start()

    @property
    def used(self):
        return sum(self.SIZES[m] for m in self.loaded)

    def request(self, model_id):
        if model_id in self.loaded:
            self.logger.info(f"Model {model_id} already loaded, nothing to do")
            return
        self.logger.info(f"📦 Load of model {model_id} requested, {self.vram - self.used} MB free")  # @load
        self.ready[model_id] = threading.Event()
        self.pending.put(model_id)

    def wait(self, model_id):
        self.logger.debug(f"Waiting for model {model_id} (timeout: 5s)")
        self.ready[model_id].wait(5)

    def _loader(self):
        while True:
            model_id = self.pending.get()
            if model_id is None:
                return
            time.sleep(0.003)
            if self.used + self.SIZES[model_id] > self.vram:
                self._on_failed(model_id, MemoryError(f"{self.SIZES[model_id]} MB needed"))
            else:
                self._on_loaded(model_id)
            self.ready[model_id].set()

    def _on_loaded(self, model_id):
        self.loaded[model_id] = time.time()
        self.logger.info(f"✅ Model {model_id} loaded, VRAM at {100 * self.used // self.vram}%")  # @loaded

    def _on_failed(self, model_id, exc):
        self.logger.error(f"❌ Model {model_id} failed to load: {exc}")  # @load_failed

    def unload(self, model_id):
        self.logger.info(f"Unloading model {model_id}")  # @unload
        if self.loaded.pop(model_id, None) is None:
            self.logger.warning(f"Model {model_id} was not loaded")
            return
        self.logger.info(f"🧹 Model {model_id} unloaded")  # @unloaded

    def close(self):
        self.logger.info("Shutting down model depot")  # @down
        for model_id in list(self.loaded):
            self.unload(model_id)
        self.pending.put(None)
        self.worker.join()
        self.logger.info("Model depot shut down, bye")  # @down_done


if __name__ == "__main__":
    depot = ModelDepot(vram=4000)
    depot.request("whisper-s")
    depot.request("phi")
    depot.wait("whisper-s")
    depot.wait("phi")
    depot.request("phi")
    depot.request("llama-70b")
    depot.wait("llama-70b")
    depot.unload("opus-mt")
    depot.logger.info(f"Status: loaded={sorted(depot.loaded)}, failed=1, used={depot.used} MB")
    depot.close()
