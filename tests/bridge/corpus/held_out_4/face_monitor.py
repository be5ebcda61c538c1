"""A camera agent: capture thread, detection and alerts; prints nothing, logs everything."""
import logging
import threading
import time

logger = logging.getLogger("FaceRecognitionAgent")
logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(name)s [%(levelname)s] %(message)s")


class Camera:
    FRAMES = [["ann"], [], ["stranger"], None, ["bob", "ann"]]

    def __init__(self):
        self.position = 0

    def read(self):
        frame = self.FRAMES[self.position] if self.position < len(self.FRAMES) else StopIteration
        self.position += 1
        if frame is None:
            raise OSError("device busy")
        return frame


class FaceAgent:
    def __init__(self):
        self.known, self.running, self.seen = {"ann", "bob"}, True, 0
        self.camera = None
        self.thread = threading.Thread(target=self._capture_loop)

    def initialize(self):
        logger.info("Initializing camera")  # @cam
        self.camera = Camera()
        logger.info("Camera initialized: 640x480 @ 30 fps")  # @cam_ok
        logger.info("Loading face encodings")  # @enc
        time.sleep(0.001)
        logger.info(f"{len(self.known)} face encodings loaded")  # @enc_ok

    def _recognize(self, face):
        logger.debug(f"Recognizing face {face[:2]}..")  # @rec
        if face not in self.known:
            logger.warning(f"Unrecognized face {face[:2]}..")  # @rec_no
            self._alert(face)
            return
        logger.debug(f"Recognized {face}")  # @rec_ok

    def _alert(self, face):
        try:
            logger.info("Sending alert to security")  # @alert
            raise ConnectionError("broker offline")
        except ConnectionError as e:
            logger.error(f"Failed to send alert: {e}")  # @alert_bad

    def _capture_loop(self):
        logger.info("Capture loop started")
        while self.running:
            try:
                frame = self.camera.read()
                if frame is StopIteration:
                    break
                self.seen += 1
                for face in frame:
                    self._recognize(face)
            except OSError as e:
                logger.error(f"Error reading frame: {e}")
        logger.info(f"Capture loop stopped, {self.seen} frames, 1 failed")

    def run(self):
        self.initialize()
        self.thread.start()
        self.thread.join()


FaceAgent().run()
