# Dreaming mode: when the user is away, replay memories and write a journal.
import logging
import sys
import threading
import time
import traceback

logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s - %(message)s")
logger = logging.getLogger("DreamingModeAgent")


class DreamingModeAgent:
    def __init__(self, journal):
        self.dream_count = 0
        self.is_dreaming = False
        self.journal = journal
        self.wake = threading.Event()
        self.interval = 1800
        logger.info(f"Dreaming mode configured: interval {self.interval / 60:.0f} minutes, max duration 300 s")

    def _replay_memories(self):
        logger.info("Replaying memories of the day...")  # @replay
        episodes = ["breakfast", "meeting", "error in unit 4"]
        for e in episodes:
            logger.debug(f"replay: {e}")
            time.sleep(0.001)
        logger.info(f"Replayed {len(episodes)} memories")  # @replay_ok
        return episodes

    def _run_simulation(self, n):
        logger.info(f"Running simulation {n}: what if the door had stayed open")  # @sim
        time.sleep(0.002)
        if self.dream_count == 2:
            raise RuntimeError("simulation diverged (score -inf)")
        score = 0.5 + n / 10
        logger.info(f"Simulation {n} complete, score {score:.2f}")  # @sim_ok
        return score

    def _save_journal(self):
        logger.info("Saving dream journal")  # @save
        self.journal.append(self.dream_count)
        logger.info(f"Dream journal saved ({len(self.journal)} entries)")  # @save_ok

    def _optimise_schedule(self):
        logger.info("Optimizing dream schedule based on quality scores")
        self.interval = int(self.interval * 0.9)

    def dream_cycle(self):
        self.dream_count += 1
        self.is_dreaming = True
        dream_start = time.time()
        logger.info(f"Starting dream cycle #{self.dream_count}")  # @dream
        try:
            self._replay_memories()
            best = max(self._run_simulation(n) for n in (1, 2))
            dream_duration = time.time() - dream_start
            logger.info(f"Best simulation score so far: {best}")
            logger.info(f"Dream cycle completed in {dream_duration:.2f} seconds")  # @dream_ok
        except Exception as e:
            logger.error(traceback.format_exc())
            logger.error(f"Error in dream cycle: {e}")  # @dream_err
        finally:
            self.is_dreaming = False
            self._save_journal()

    def loop(self, cycles):
        while self.dream_count < cycles:
            self.dream_cycle()
            logger.info(f"Next dream in {self.interval} s")
            self.wake.wait(0.002)
        self._optimise_schedule()


def main():
    journal = []
    agent = DreamingModeAgent(journal)
    logger.info("Starting dream thread")
    t = threading.Thread(target=agent.loop, args=(2,), name="dreams")
    t.start()
    t.join()
    logger.info(f"Agent stopped after {agent.dream_count} cycles, uptime 0h 0m, journal {journal}")


if __name__ == "__main__":
    main()
