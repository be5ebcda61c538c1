"""Code refiner: epochs of drafting, testing and mending."""
import logging
import time

logger = logging.getLogger("refiner")
logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
ROUNDS = 5


def draft(i):
    logger.info(f"    drafting candidate #{i}")  # @draft
    time.sleep(0.001)
    logger.info(f"    candidate #{i} drafted ({i * 10} lines)")  # @drafted
    return i * 10


def verify(i, size):
    logger.info(f"    Running 4 tests on candidate #{i}")  # @test
    for t in range(4):
        if size < 30 and t == 2:
            logger.warning(f"    test {t} of 4 failed")
    passed = size >= 30
    logger.info(f"    Tests on candidate #{i} over, verdict: {'pass' if passed else 'not yet'}")  # @tested
    return passed


def refine(task):
    logger.info(f"Starting iterative refinement of {task}")  # @ref
    for i in range(1, ROUNDS + 1):
        logger.info(f"  Iteration {i} of {ROUNDS}")  # @iter
        size = draft(i)
        if verify(i, size):
            logger.info("  Verification successful, no further iterations")
            break
        time.sleep(0.001)
    logger.info(f"Refinement of {task} complete")  # @ref_ok
    return size


if __name__ == "__main__":
    logger.info(f"Up to {ROUNDS} iterations per task, time limit 60s")
    refine("quicksort")
    logger.info("Final size: 30 lines")
