"""Speech-to-text for voice memos; JSON log file with rotation, nothing goes to the root logger."""
import json
import logging
import os
from logging.handlers import RotatingFileHandler

LOG_FILE = "voice_memos.log"


class JsonFormatter(logging.Formatter):
    def format(self, record):
        return json.dumps({"t": self.formatTime(record), "level": record.levelname,
                           "agent": "VoiceMemoAgent", "message": record.getMessage(),
                           "request_id": getattr(record, "request_id", None)})


def get_logger(name):
    lg = logging.getLogger(name)
    lg.handlers.clear()
    h = RotatingFileHandler(LOG_FILE, maxBytes=100_000, backupCount=1, encoding="utf-8")
    h.setFormatter(JsonFormatter())
    lg.addHandler(h)
    lg.setLevel(logging.INFO)
    lg.propagate = False
    return lg


class DecodeError(Exception):
    pass


class VoiceMemoAgent:
    def __init__(self):
        self.logger = get_logger("VoiceMemoAgent")
        self.model = None
        self.clock = iter([0.0, 0.84, 1.0, 1.02, 2.0, 3.1])

    def ensure_model(self, model_id="whisper-tiny"):
        if self.model == model_id:
            self.logger.info(f"Model {model_id} is loaded, nothing to load")
            return
        if self._from_disk(model_id) or self._from_bucket(model_id):
            self.model = model_id

    def _from_disk(self, model_id):
        self.logger.info(f"Loading STT model '{model_id}' on cpu")  # @load
        try:
            self._read_weights(model_id)
        except FileNotFoundError as e:
            self.logger.error(f"Could not load STT model '{model_id}': {e}")  # @load_bad
            return False
        self.logger.info(f"STT model '{model_id}' loaded")
        return True

    def _from_bucket(self, model_id):
        self.logger.info(f"Fetching '{model_id}' from the bucket instead")  # @fetch
        self.logger.info(f"'{model_id}' fetched and verified")  # @fetched
        return True

    def _read_weights(self, model_id):
        raise FileNotFoundError(f"models/{model_id}.bin")

    def transcribe(self, memo, request_id):
        extra = {"request_id": request_id}
        if not memo.endswith(".ogg"):
            self.logger.warning(f"{memo} rejected, only ogg is supported", extra=extra)
            return None
        self.ensure_model()
        t0 = next(self.clock)
        self.logger.info(f"Transcribing {memo}, recording of 12.5 s", extra=extra)  # @stt
        text = None
        try:
            self.logger.info(f"VAD: speech started at 0.4s, finished at 11.9s", extra=extra)
            if "noise" in memo:
                raise DecodeError("beam search returned nothing")
            text = f"loading dock completed ({memo})"
            self.logger.info(f"Partial transcript: {text}", extra=extra)
        except DecodeError as e:
            self.logger.error(f"Decoder trouble with {memo}: {e}", extra=extra)
        finally:
            dt = (next(self.clock) - t0) * 1000
            self.logger.info(f"PERF_METRIC: [VoiceMemoAgent] - [Transcription] - Duration: {dt:.2f}ms", extra=extra)  # @perf
        return text


def main():
    agent = VoiceMemoAgent()
    agent.logger.info("VoiceMemoAgent initialized", extra={"request_id": "-"})
    for n, memo in enumerate(["groceries.ogg", "street-noise.ogg", "old.wav", "idea.ogg"]):
        agent.transcribe(memo, f"req-{n:03d}")
    agent.logger.info("All memos looked at: 2 transcribed, 1 failed, 1 rejected")
    for h in agent.logger.handlers:
        h.close()
    os.remove(LOG_FILE)


if __name__ == "__main__":
    main()
