"""Breaks goals into tasks and works them off one after the other."""
import logging
import sys
import time

logging.basicConfig(level=logging.INFO, stream=sys.stdout,
                    format="%(asctime)s - %(name)s - %(levelname)s - %(message)s")
logger = logging.getLogger("GoalBoard")


class GoalBoard:
    def __init__(self):
        self.goals = {}
        self.done = 0
        self.lost = 0
        logger.info(f"GoalBoard initialized with {len(self.goals)} goals from storage")

    def add_goal(self, goal_id, text):
        self.goals[goal_id] = {"text": text, "state": "new"}
        logger.info(f"Goal {goal_id} registered: {text}")
        tasks = self._split(goal_id, text)
        for task_id, words in tasks:
            self._run_task(task_id, words)
        logger.info(f"Progress for {goal_id}: {self.done} done, {self.lost} failed")

    def _split(self, goal_id, text):
        logger.info(f"Breaking down goal {goal_id}...")  # @split
        tasks = []
        for n, part in enumerate(text.split(" and ")):
            tasks.append((f"{goal_id}-t{n}", part))
            logger.debug(f"Task {n} drafted")
        time.sleep(0.004)
        logger.info(f"Goal {goal_id} broken down into {len(tasks)} tasks.")  # @split_done
        return tasks

    def _run_task(self, task_id, words):
        logger.info(f"Executing task {task_id}: {words[:50]}...")  # @exec
        try:
            self._consult_model(task_id, words)
            self.done += 1
            logger.info(f"Task {task_id} completed successfully.")  # @exec_ok
        except Exception as e:
            self.lost += 1
            logger.error(f"Task {task_id} failed: {e}")  # @exec_bad

    def _consult_model(self, task_id, words):
        logger.info(f"Sending prompt to planner model (timeout: 5s): 'finish the started task: {words}'")  # @ask
        time.sleep(0.003)
        if "impossible" in words:
            raise ValueError(f"model refused: {words}")
        logger.info(f"Planner model answered: 'task completed, all failed steps skipped'")  # @answer


if __name__ == "__main__":
    board = GoalBoard()
    board.add_goal("g7", "buy bread and do the impossible and sweep the floor")
    board.add_goal("g8", "sleep")
    logger.info(f"Summary: completed={board.done} failed={board.lost}")
