"""Models go to bed and get up; every line goes through one helper."""
import logging
import threading

logging.basicConfig(level=logging.INFO, format="%(asctime)s [%(threadName)s] %(message)s")


class Nursery:
    SIZES = {"whisper-tiny": 1, "llama-loaded-8b": 6, "tts-piper": 2, "phi-broken": 3}

    def __init__(self, vram):
        self._logger = logging.getLogger("nursery")
        self.vram = vram
        self.awake = {}
        self.lock = threading.Lock()
        self._log("info", f"Nursery ready with {vram} GB, idle timeout: 300s")

    def _log(self, level, text):
        getattr(self._logger, level)(text)

    def _bad(self, text):
        self._log("error", f"❌ {text}")

    def wake(self, model_id):
        if model_id in self.awake:
            self._log("info", f"{model_id} is already awake")
            return True
        self._log("info", f"☀️ Waking {model_id}...")  # @wake
        need = self.SIZES[model_id]
        while self.free() < need and self.awake:
            oldest = next(iter(self.awake))
            self.put_to_bed(oldest, why="room needed")
        try:
            self.weights(model_id)
        except OSError as e:
            self._bad(f"{model_id} does not get up: {e}")  # @no_get_up
            return False
        self.awake[model_id] = need
        self._log("info", f"☀️ {model_id} awake, {self.free()} GB left")  # @awake
        return True

    def weights(self, model_id):
        self._log("info", f"   blankets off: weights of {model_id} from disk")  # @weights
        if "broken" in model_id:
            raise OSError("safetensors header too short")
        for shard in range(1, self.SIZES[model_id] // 2 + 1):
            self._log("info", f"   shard {shard} of {self.SIZES[model_id] // 2}")
        self._log("info", f"   weights of {model_id} in memory")  # @in_memory

    def put_to_bed(self, model_id, why):
        self._log("info", f"🌙 {model_id} to bed ({why})")  # @bed
        del self.awake[model_id]
        self._log("info", f"🌙 {model_id} sleeps")  # @sleeps

    def free(self):
        return self.vram - sum(self.awake.values())

    def watch(self):
        with self.lock:
            self._log("info", "Night watch: rounds...")  # @rounds
            for model_id in list(self.awake):
                self._log("info", f"Night watch: {model_id} used 4s ago")
            self._log("info", "Night watch: nothing to report")  # @nothing


def main():
    nursery = Nursery(8)
    nursery.wake("whisper-tiny")
    nursery.wake("llama-loaded-8b")
    nursery.wake("whisper-tiny")
    nursery.wake("tts-piper")
    nursery.wake("phi-broken")
    nursery._log("info", "Starting night watch thread...")
    watch = threading.Thread(target=nursery.watch, name="watch")
    watch.start()
    watch.join()
    for model_id in list(nursery.awake):
        nursery.put_to_bed(model_id, why="shutdown")
    nursery._log("info", "Loaded 3, unloaded 3, failed 1, peak 7 GB")


main()
