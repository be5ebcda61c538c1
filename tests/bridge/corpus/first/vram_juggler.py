"""Juggles models in video memory: loads on demand, evicts the oldest."""
import collections
import logging
import sys
import time

logger = logging.getLogger("mma")
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(message)s")

NEED = {"phi-3": 2300, "llama-8b": 5200, "nllb": 1300, "gpt-j": 12000}


class VramJuggler:
    def __init__(self, budget):
        self.budget = budget
        self.live = collections.OrderedDict()
        logger.info("=" * 40)
        logger.info(f"🤖 MMA v2.3 starting up (budget {budget} MB)")  # @boot
        time.sleep(0.002)
        logger.info("✅ MMA: ready")  # @boot_ok

    @property
    def used(self):
        return sum(NEED[m] for m in self.live)

    def ensure(self, model_id):
        if model_id in self.live:
            self.live.move_to_end(model_id)
            logger.info(f"♻️ MMA: {model_id} is warm (idle for 12.5s)")
            return True
        logger.info(f"⏳ MMA: Loading model {model_id} ({NEED[model_id]} MB)")  # @ld
        if NEED[model_id] > self.budget:
            logger.critical(f"💥 MMA: cannot load model {model_id}: too big")  # @ld_bad
            return False
        while self.used + NEED[model_id] > self.budget:
            self.evict(next(iter(self.live)))
        logger.info("   mapping weights into memory")  # @map
        time.sleep(0.003)
        self.live[model_id] = True
        logger.info(f"✅ MMA: Model {model_id} loaded, {self.budget - self.used} MB left")  # @ld_ok
        return True

    def evict(self, model_id):
        logger.info(f"🧹 MMA: Unloading model {model_id} to make room")  # @ev
        time.sleep(0.001)
        del self.live[model_id]
        logger.info(f"🧹 MMA: Model {model_id} gone")  # @ev_ok


if __name__ == "__main__":
    mma = VramJuggler(6000)
    mma.ensure("phi-3")
    mma.ensure("nllb")
    mma.ensure("phi-3")
    mma.ensure("llama-8b")
    mma.ensure("gpt-j")
    logger.info(f"📊 loaded: {list(mma.live)}, unloaded: 2, errors: 1")
    logger.info("👋 MMA stopped")
