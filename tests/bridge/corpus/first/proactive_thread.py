"""Proactive suggester: a background thread that wakes up now and then."""
import logging
import threading
import time

logger = logging.getLogger("proactive")
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(threadName)s %(levelname)s %(message)s")


class Proactive:
    def __init__(self):
        self.stop_event = threading.Event()
        self.passes = 0
        self.thread = threading.Thread(target=self._loop, name="proactive", daemon=True)

    def start(self):
        logger.info("Starting proactive agent")  # @start
        self._read_rules()
        logger.info(f"Starting background thread {self.thread.name}...")
        self.thread.start()
        logger.info("Proactive agent is now running")  # @running

    def _read_rules(self):
        logger.info(f"Reading rules from {__name__} table")  # @rules
        self.rules = {"noon": "lunch", "late": "sleep"}
        time.sleep(0.001)
        logger.info(f"{len(self.rules)} rules read")  # @rules_ok

    def _loop(self):
        logger.info(f"Background loop started, waiting for events on {self.stop_event.__class__.__name__}")
        while not self.stop_event.wait(0.004):
            self.passes += 1
            logger.info(f"heartbeat {self.passes}, elapsed: 5s")
            if self.passes == 1:
                self._suggest("noon")
            elif self.passes == 2:
                self._suggest("dusk")
            elif self.passes == 3:
                self._suggest("late")
                break
        logger.info(f"Background loop ended after {self.passes} passes")

    def _suggest(self, when):
        logger.info(f"Evaluating suggestions for {when}")  # @ev
        try:
            what = self.rules[when]
            time.sleep(0.001)
        except KeyError:
            logger.error(f"Failed to evaluate suggestions for {when}: no such rule")  # @ev_bad
            return
        logger.info(f"Suggestion evaluation complete ({what}), sleeping for 30 minutes")  # @ev_ok

    def stop(self):
        logger.info(f"Shutting down proactive agent, joining {self.thread.name} (timeout=2s)")  # @stop
        self.thread.join(2)
        self.stop_event.set()
        logger.info("Proactive agent shut down")  # @stopped


if __name__ == "__main__":
    agent = Proactive()
    agent.start()
    time.sleep(0.08)
    agent.stop()
    logger.info(f"{agent.passes} passes, 2 successful, 1 failed")
