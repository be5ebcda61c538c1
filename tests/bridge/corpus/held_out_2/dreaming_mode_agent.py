import logging
import random
import sys
import threading
import time
from datetime import datetime

logger = logging.getLogger("DreamingModeAgent")
_h = logging.StreamHandler(sys.stdout)
_h.setFormatter(logging.Formatter("[%(levelname)s] %(message)s"))
logger.addHandler(_h)
logger.setLevel(logging.DEBUG)
logger.propagate = False


class DreamWorld:
    """Simulates scenarios; may refuse one."""

    def __init__(self, seed=7):
        self.rng = random.Random(seed)

    def simulate(self, scenario, steps=3):
        logger.info(f"🎬 Running simulation '{scenario}' ({steps} steps)")  # @sim
        total = 0.0
        for i in range(1, steps + 1):
            total += self.rng.random()
            logger.debug(f"   step {i}/{steps} reward={total:.2f}")
            if scenario == "loud_room" and i == 2:
                raise RuntimeError("audio model diverged")
            time.sleep(0.001)
        logger.info(f"🏁 Simulation '{scenario}' finished, reward {total:.2f}")  # @sim_ok
        return total


class DreamingModeAgent:
    def __init__(self, plan):
        self.plan = plan
        self.dream_count = 0
        self.failed = 0
        self.memories = []
        self.is_dreaming = False
        self.world = DreamWorld()
        self.interval = 0.003
        logger.info(f"Dreaming interval set to {self.interval}s, quality threshold 0.6")
        self.thread = None

    def start_dreaming(self):
        logger.info("Starting dream scheduler thread...")
        self.thread = threading.Thread(target=self._schedule, name="dream-scheduler")
        self.thread.start()
        logger.info("Dream scheduler thread started")

    def _schedule(self):
        for scenarios in self.plan:
            logger.debug(f"💤 idle for {self.interval:.3f}s, next dream at {datetime(2025, 3, 1):%H:%M}")
            time.sleep(self.interval)
            self.run_dream_cycle(scenarios)
        logger.info(f"Scheduler has no more plans (dreams={self.dream_count}, failed={self.failed})")

    def run_dream_cycle(self, scenarios):
        self.dream_count += 1
        self.is_dreaming = True
        start = time.time()
        logger.info(f"Starting dream cycle #{self.dream_count}")  # @cycle
        try:
            rewards = [self.world.simulate(s) for s in scenarios]
            if rewards:
                self._consolidate(rewards)
            else:
                logger.info("Nothing to dream about in this cycle")
            logger.info(f"Dream cycle completed in {time.time() - start:.2f} seconds")  # @cycle_ok
        except Exception as e:
            self.failed += 1
            logger.error(f"Error in dream cycle: {e}")  # @cycle_bad
        finally:
            self.is_dreaming = False

    def _consolidate(self, rewards):
        logger.info(f"Consolidating {len(rewards)} memories...")  # @cons
        best = max(rewards)
        self.memories.append(round(best, 2))
        logger.debug(f"best reward so far {max(self.memories):.2f}")
        logger.info(f"Memory consolidation done, {len(self.memories)} long-term memories")  # @cons_ok

    def cleanup(self):
        if self.thread:
            logger.debug("Waiting for dream scheduler to finish...")
            self.thread.join()
        logger.info("👋 DreamingModeAgent shut down")


if __name__ == "__main__":
    agent = DreamingModeAgent([["morning_chat", "kitchen"], ["loud_room", "kitchen"], []])
    try:
        agent.start_dreaming()
    finally:
        agent.cleanup()
