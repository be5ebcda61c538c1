"""Chooses and loads speech models, largest first, and falls back to the small one."""
import logging
import sys
import time

log = logging.getLogger("stt.switch")
log.setLevel(logging.DEBUG)
_h = logging.StreamHandler(sys.stdout)
_h.setFormatter(logging.Formatter("[%(levelname)s] %(message)s"))
log.addHandler(_h)
log.propagate = False

SIZES = {"whisper-large": 9000, "whisper-base": 700, "whisper-tiny": 300}


class OutOfMemory(RuntimeError):
    pass


class SpeechSwitch:
    def __init__(self, vram_mb):
        self.vram_mb = vram_mb
        self.loaded = {}

    def get_model(self, model_id):
        if model_id in self.loaded:
            log.debug(f"Model '{model_id}' already loaded, reusing it")
            return self.loaded[model_id]
        log.info(f"Loading STT model '{model_id}'...")  # @load
        start_time = time.time()
        try:
            time.sleep(0.01)
            if SIZES[model_id] > self.vram_mb:
                raise OutOfMemory(f"needs {SIZES[model_id]} MB")
            self.loaded[model_id] = object()
            end_time = time.time()
            log.info(f"Loaded model '{model_id}' in {end_time - start_time:.2f} seconds.")  # @loaded
        except OutOfMemory as e:
            log.error(f"Failed to load STT model '{model_id}': {e}")  # @load_failed
            return None
        return self.loaded[model_id]

    def transcribe(self, audio, wanted):
        log.info(f"Transcribing {len(audio)} samples with {wanted} (max wait: 30s)")  # @tr
        model = self.get_model(wanted)
        if model is None:
            log.warning(f"{wanted} unavailable, using whisper-base instead")
            model = self.get_model("whisper-base")
        time.sleep(0.002)
        text = "please start loading the dishwasher"
        log.info(f"Transcription result: {text!r}")  # @tr_done
        return text

    def unload_all(self):
        for model_id in sorted(self.loaded):
            log.info(f"Unloading '{model_id}'")  # @unload
            time.sleep(0.001)
            log.info(f"'{model_id}' unloaded, {SIZES[model_id]} MB freed")  # @unloaded
        self.loaded.clear()


if __name__ == "__main__":
    log.info(f"VRAM budget: 1000 MB, models known: {len(SIZES)}")
    sw = SpeechSwitch(1000)
    sw.transcribe([0] * 160, "whisper-large")
    sw.transcribe([0] * 320, "whisper-base")
    sw.unload_all()
    log.info("Bye")
