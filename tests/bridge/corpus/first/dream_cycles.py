"""Dream cycles: memory replay at night, ends told in finally, failures twice."""
import logging
import time
import traceback

logger = logging.getLogger("DreamingMode")
logging.basicConfig(level=logging.INFO, format="%(asctime)s - %(levelname)s - %(message)s")


class Dreamer:
    def __init__(self):
        self.dream_count = 0
        self.enabled = True

    def dream(self, memories):
        if not self.enabled:
            logger.info("Dreaming is disabled, cycle not started")
            return
        self.dream_count += 1
        logger.info(f"Starting dream cycle #{self.dream_count}")  # @dream
        t0 = time.perf_counter()
        try:
            for m in memories:
                self.replay(m)
        except Exception as e:
            logger.error(f"Error in dream cycle: {e}")
            logger.error(traceback.format_exc())
        finally:
            dream_duration = time.perf_counter() - t0
            logger.info(f"Dream cycle completed in {dream_duration:.2f} seconds")  # @dream_end

    def replay(self, memory):
        logger.info(f"Replaying memory {memory['id']}")  # @replay
        try:
            time.sleep(0.002)
            score = memory["joy"] / memory["age"]
        except ZeroDivisionError as e:
            logger.error(f"Replay of memory {memory['id']} broke off: {e}")  # @replay_bad
            raise
        logger.info(f"Replay of memory {memory['id']} scored {score:.1f}")  # @replay_ok

    def night(self):
        logger.info("Good night. Next cycle in 6 hours, dream duration limit 120 seconds")
        self.dream([{"id": "m1", "joy": 8, "age": 2}, {"id": "m2", "joy": 1, "age": 1}])
        self.dream([{"id": "m3", "joy": 5, "age": 0}, {"id": "m4", "joy": 1, "age": 1}])
        self.enabled = False
        self.dream([])
        logger.info(f"Dream statistics: cycles={self.dream_count}, last_duration=0.00")


if __name__ == "__main__":
    Dreamer().night()
