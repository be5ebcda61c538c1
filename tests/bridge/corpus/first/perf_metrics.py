"""Speech service that tells only afterwards how long things took."""
import logging
import time

logger = logging.getLogger("STTService")
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")


class Stopwatch:
    """A clock with fixed steps, so that the numbers are the same every day."""

    def __init__(self, *steps):
        self.steps = list(steps)

    def lap(self):
        step = self.steps.pop(0)
        time.sleep(step)
        return step


class STTService:
    def __init__(self):
        self.watch = Stopwatch(0.03, 0.02, 0.04, 0.01)
        self.calls = 0
        logger.info("STTService ready; warm-up limit 45 s, target latency 200 ms")

    def warm_up(self):
        s = self.watch.lap()
        logger.info(f"Warm-up took {s * 1000:.0f} ms")  # @warm

    def transcribe(self, audio):
        logger.info(f"Buffer holds {len(audio) / 16000:.1f}s of audio, silence cutoff 1.5s")
        logger.info(f"Transcribing buffer #{self.calls}")  # @tr
        vad = self.watch.lap()
        logger.info(f"PERF_METRIC: [STTService] - [VAD] - Duration: {vad * 1000:.2f}ms")  # @vad
        dec = self.watch.lap()
        self.calls += 1
        logger.info(f"⏱ decoding: {dec:.2f}s")  # @dec
        logger.info(f"Buffer transcribed, real time factor {dec / 2:.2f}")  # @tr_ok
        return "ok"

    def translate(self, text):
        s = self.watch.lap()
        logger.info(f"Translation successful using phi in {s:.2f}s")  # @tl
        return text

    def report(self):
        logger.info(f"Avg Response Time: 45 ms over {self.calls} calls, uptime 0.10s")
        logger.warning(f"Response exceeded time limit: {0.02:.3f}s")


if __name__ == "__main__":
    service = STTService()
    service.warm_up()
    service.translate(service.transcribe([0] * 32000))
    service.report()
    logger.info("Next report in 60 seconds")
