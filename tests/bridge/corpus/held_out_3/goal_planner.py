"""A planner: plans a goal, runs its steps, replans once, gives up on another goal."""
import logging
import time

logging.basicConfig(level=logging.INFO, format="%(levelname)-8s %(name)s: %(message)s")
logger = logging.getLogger("planner")

PLANS = {
    "g-17": ["collect sources", "call archive", "merge notes", "publish page"],
    "g-17b": ["publish page to mirror"],
}
_flaky = {"call archive": 1}


class StepError(Exception):
    pass


def make_plan(goal_id, text):
    logger.info(f"Planning goal {goal_id}: {text}")  # @plan
    time.sleep(0.005)
    if not text:
        raise ValueError("goal has no text")
    steps = PLANS[goal_id]
    logger.info(f"Plan for {goal_id} has {len(steps)} steps")  # @plan_ok
    return steps


def attempt(step):
    time.sleep(0.004)
    if _flaky.get(step, 0):
        _flaky[step] -= 1
        raise TimeoutError("archive slow")
    if step == "publish page":
        raise StepError("no permission")


def run_step(i, n, step):
    if step == "merge notes":
        logger.info(f"Skipping step {i}/{n}: nothing to merge")
        return
    logger.info(f"Step {i}/{n}: {step}")  # @step
    for go in (1, 2):
        try:
            attempt(step)
            break
        except TimeoutError as e:
            logger.warning(f"try {go} of step {i}/{n} did not work ({e}), trying again")
        except StepError as e:
            logger.error(f"Step {i}/{n} failed: {e}")  # @step_bad
            raise
    logger.info(f"Step {i}/{n} done")  # @step_ok


def execute(goal_id, steps):
    logger.info(f"Executing goal {goal_id}")  # @goal
    for i, step in enumerate(steps, 1):
        try:
            run_step(i, len(steps), step)
        except StepError:
            logger.error(f"Goal {goal_id} aborted at step {i}")  # @goal_bad
            return False
        logger.info(f"progress of {goal_id}: {100 * i // len(steps)} %")
    logger.info(f"Goal {goal_id} achieved")  # @goal_ok
    return True


def replan(goal_id, reason):
    logger.info(f"Replanning {goal_id} because: {reason}")  # @replan
    time.sleep(0.006)
    steps = PLANS[goal_id + "b"]
    logger.info(f"New plan for {goal_id}: {steps}")  # @replan_ok
    return steps


def main():
    logger.info("Planner started")
    steps = make_plan("g-17", "publish the weekly page")
    if not execute("g-17", steps):
        execute("g-17", replan("g-17", "step publish failed"))
    try:
        execute("g-18", make_plan("g-18", ""))
    except ValueError as e:
        logger.error(f"Could not plan goal g-18: {e}")  # @plan_bad
    logger.info("Goals: 1 achieved, 1 failed, 0 started")


main()
