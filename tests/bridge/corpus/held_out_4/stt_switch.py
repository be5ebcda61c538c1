"""Speech-to-text models are loaded on demand and dropped when idle."""
import json
import logging
import time
from logging.handlers import RotatingFileHandler


class JsonFormatter(logging.Formatter):
    def format(self, record):
        entry = {"timestamp": self.formatTime(record), "level": record.levelname, "agent": record.name, "message": record.getMessage()}
        for key in ("request_id", "session_id"):
            if hasattr(record, key):
                entry[key] = getattr(record, key)
        return json.dumps(entry)


def get_rotating_json_logger(name):
    base = logging.getLogger(name)
    base.handlers.clear()
    base.propagate = False
    base.setLevel(logging.DEBUG)
    handler = RotatingFileHandler(f"{name}.log", maxBytes=10_000_000, backupCount=5)
    handler.setFormatter(JsonFormatter())
    base.addHandler(handler)
    return logging.LoggerAdapter(base, {"component": name})


class DynamicSTTManager:
    SIZES = {"tiny": 75, "base": 142, "large": 2900}

    def __init__(self, budget=500):
        self.logger = get_rotating_json_logger("dynamic_stt_manager")
        self.budget, self.loaded = budget, {}
        self.logger.info(f"STT manager ready, budget {budget} MB, idle timeout: 300s")

    def load_model(self, model_id):
        if model_id in self.loaded:
            self.logger.debug(f"Model '{model_id}' already loaded")
            return self.loaded[model_id]
        self.logger.info(f"Loading STT model '{model_id}'...")  # @load
        start_time = time.time()
        try:
            size = self.SIZES[model_id]
            if size > self.budget:
                raise MemoryError(f"{size} MB needed, {self.budget} MB free")
            self._warm_up(model_id)
            self.loaded[model_id] = size
            end_time = time.time()
            self.logger.info(f"Loaded model '{model_id}' in {end_time - start_time:.2f} seconds.")  # @load_ok
            return size
        except Exception as e:
            self.logger.error(f"Failed to load STT model '{model_id}': {e}")  # @load_bad
            return None

    def _warm_up(self, model_id):
        self.logger.debug(f"Warming up {model_id} with one second of silence")  # @warm
        time.sleep(0.001)
        self.logger.debug(f"{model_id} warm")  # @warm_ok

    def unload_model(self, model_id):
        self.logger.info(f"Unloading model {model_id}")  # @unload
        if self.loaded.pop(model_id, None) is None:
            self.logger.warning(f"Model {model_id} not found among loaded models")  # @unload_bad
            return False
        self.logger.info(f"Successfully unloaded {model_id}")  # @unload_ok
        return True

    def transcribe(self, audio, model_id):
        self.logger.info(f"Transcribing {len(audio)} bytes with {model_id}", extra={"request_id": f"r{len(audio)}"})  # @tr
        if self.load_model(model_id) is None:
            self.logger.warning("Falling back to base model")
            self.load_model("base")
        if b"\0" in audio:
            self.logger.error("Error during transcription: audio is silent")  # @tr_bad
            return ""
        text = audio.decode()
        self.logger.info(f"Transcription finished: {len(text)} characters")  # @tr_ok
        return text


manager = DynamicSTTManager()
manager.transcribe(b"hello there", "tiny")
manager.transcribe(b"loading failed", "large")
manager.transcribe(b"\0\0\0", "tiny")
manager.unload_model("tiny")
manager.unload_model("tiny")
