"""A voice assistant: listens, transcribes, thinks, speaks; context manager timing; a turn per utterance."""
import contextlib
import logging
import time

logging.basicConfig(level=logging.INFO, format="[%(levelname)s] %(message)s")
logger = logging.getLogger("assistant")


@contextlib.contextmanager
def timed(what):
    t0 = time.perf_counter()
    logger.info(f"{what}...")  # @timed
    try:
        yield
    finally:
        logger.info(f"{what}: {time.perf_counter() - t0:.3f}s")  # @timed_ok


class Assistant:
    def transcribe(self, audio):
        logger.info(f"Transcribing {len(audio)} frames")  # @stt
        time.sleep(0.002)
        if not audio:
            logger.error("Transcription failed: silence")  # @stt_bad
            return None
        logger.info("Transcription complete")  # @stt_ok
        return audio

    def think(self, text):
        with timed("thinking"):
            time.sleep(0.002)
        return text.upper()

    def say(self, text):
        logger.info("Speaking answer")  # @tts
        time.sleep(0.001)
        logger.info("Answer spoken")  # @tts_ok

    def turn(self, number, audio):
        logger.info(f"Turn {number} started")  # @turn
        text = self.transcribe(audio)
        if text is None:
            logger.error(f"Turn {number} aborted")  # @turn_bad
            return
        self.say(self.think(text))
        logger.info(f"Turn {number} ended")  # @turn_ok


assistant = Assistant()
logger.info("Assistant is listening")
for n, sound in enumerate(["hello there", "", "stop"], 1):
    assistant.turn(n, sound)
