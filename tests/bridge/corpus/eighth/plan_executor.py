"""Plans with dependent steps; results decide between success, partial success and failure."""
import logging
import time
from concurrent.futures import ThreadPoolExecutor

logger = logging.getLogger("planner")
logging.basicConfig(level=logging.INFO, format="%(threadName)s %(levelname)s %(message)s")


class StepFailed(Exception):
    pass


class Executor:
    def __init__(self):
        self.pool = ThreadPoolExecutor(3, thread_name_prefix="step")

    def run_step(self, plan_id, step):
        logger.info(f"[{plan_id}] step '{step}' running")  # @step
        time.sleep(0.001)
        if step.startswith("bad"):
            logger.error(f"[{plan_id}] step '{step}' failed: exit code 2")  # @step_bad
            raise StepFailed(step)
        logger.info(f"[{plan_id}] step '{step}' ok")  # @step_ok
        return step

    def collect(self, futures):
        ok, bad = [], []
        for future in futures:
            try:
                ok.append(future.result())
            except StepFailed as e:
                bad.append(str(e))
        return ok, bad

    def execute(self, plan_id, stages):
        logger.info(f"[{plan_id}] executing plan, {len(stages)} stages")  # @plan
        for steps in stages:
            ok, bad = self.collect([self.pool.submit(self.run_step, plan_id, s) for s in steps])
            if bad and not ok:
                logger.error(f"[{plan_id}] plan aborted: {', '.join(bad)}")  # @plan_bad
                return False
            if bad:
                logger.warning(f"[{plan_id}] continuing without {', '.join(bad)}")
        logger.info(f"[{plan_id}] plan executed")  # @plan_ok
        return True


def main():
    executor = Executor()
    outcome = [
        executor.execute("P1", [["fetch", "parse"], ["store"]]),
        executor.execute("P2", [["fetch", "bad parse"], ["store"]]),
        executor.execute("P3", [["bad fetch"], ["store"]]),
    ]
    executor.pool.shutdown()
    logger.info(f"plans: {len(outcome)}, succeeded: {sum(outcome)}, failed: {outcome.count(False)}")


main()
