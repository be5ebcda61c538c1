"""A background thread dreams now and then; commands come in between."""
import logging
import threading
import time

logger = logging.getLogger("DreamingModeAgent")
logging.basicConfig(level=logging.INFO)


class DreamingModeAgent:
    def __init__(self):
        self.dream_count, self.stop = 0, threading.Event()
        self.memories = [["rain", "bus"], ["nightmare"], ["sea"]]
        self.thread = threading.Thread(target=self._scheduler_loop, daemon=True)
        self.thread.start()
        logger.info("Dream scheduler thread started")

    def _simulate(self, scene):
        logger.info(f"Simulating scene '{scene}'")  # @sim
        if scene == "nightmare":
            raise RuntimeError("scenario diverged")
        time.sleep(0.001)
        logger.info(f"Scene '{scene}' simulated, quality 0.{len(scene)}")  # @sim_ok

    def start_dreaming(self):
        self.dream_count += 1
        logger.info(f"Starting dream cycle #{self.dream_count}")  # @dream
        t0 = time.time()
        try:
            for scene in self.memories[self.dream_count - 1]:
                self._simulate(scene)
            dream_duration = time.time() - t0
            logger.info(f"Dream cycle completed in {dream_duration:.2f} seconds")  # @dream_ok
            return True
        except Exception as e:
            logger.error(f"Error in dream cycle: {e}")  # @dream_bad
            return False
        finally:
            logger.info("Waking up")

    def _scheduler_loop(self):
        logger.info("Scheduler loop running, interval 3600s")
        while not self.stop.is_set():
            if self.dream_count < len(self.memories):
                self.start_dreaming()
            else:
                logger.info("Nothing left to dream about, next check in 3600s")
                self.stop.wait(0.01)
                break

    def shutdown(self):
        logger.info("Shutting down DreamingModeAgent")  # @down
        self.stop.set()
        self.thread.join()
        logger.info("DreamingModeAgent shut down")  # @down_ok


agent = DreamingModeAgent()
time.sleep(0.1)
agent.shutdown()
