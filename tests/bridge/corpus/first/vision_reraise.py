"""Screen watcher: capture, detect, describe; exceptions rise through all."""
import logging
import time

logger = logging.getLogger("VisionAgent")
logging.basicConfig(level=logging.INFO, format="[%(name)s] %(levelname)s: %(message)s")


class CaptureError(Exception):
    """No screen."""


class VisionAgent:
    def __init__(self):
        self.frames = 0
        self.detector = None

    def setup(self):
        logger.info("Setting up vision...")  # @set
        try:
            logger.info("Trying CUDA detector")  # @cuda
            raise ImportError("libcuda.so not found")
        except ImportError as e:
            logger.warning(f"CUDA detector unusable: {e}. Trying CPU detector")  # @cuda_bad_cpu
            time.sleep(0.001)
            self.detector = "cpu"
            logger.info(f"Detector '{self.detector}' in place")  # @cpu_ok
        logger.info(f"Vision set up with {self.detector}, entering watch mode")  # @set_ok

    def capture(self, n):
        logger.info(f"Grabbing frame {n}")  # @grab
        if n == 2:
            logger.error(f"Frame {n} could not be grabbed", exc_info=False)  # @grab_bad
            raise CaptureError("display :0 is off")
        time.sleep(0.001)
        logger.info(f"Frame {n} grabbed (640x480)")  # @grab_ok
        self.frames += 1

    def look(self, n):
        logger.info(f"Analysing screen, pass {n}")  # @look
        try:
            self.capture(n)
            objects = self.detect(n)
        except CaptureError as e:
            logger.error(f"Error analysing screen: {e}", exc_info=True)  # @look_bad
            raise
        logger.info(f"Screen analysed: {objects}")  # @look_ok
        return objects

    def detect(self, n):
        return {1: ["start button"], 3: ["error dialog: 'loading failed'"]}[n]


def main():
    agent = VisionAgent()
    agent.setup()
    for n in (1, 2, 3):
        try:
            agent.look(n)
        except CaptureError as e:
            logger.error(f"Pass {n} lost: {e}")
    logger.info(f"Vision finished with {agent.frames} frames")


if __name__ == "__main__":
    main()
