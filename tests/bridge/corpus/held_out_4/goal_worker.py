"""Goals are broken down and their tasks dispatched to services; the fleet's goal manager in small."""
import logging
import sys
import time

logger = logging.getLogger("GoalManager")
logger.setLevel(logging.INFO)
logger.propagate = False
_handler = logging.StreamHandler(sys.stdout)
_handler.setFormatter(logging.Formatter("%(asctime)s - %(name)s - %(levelname)s - %(message)s"))
logger.addHandler(_handler)


class GoalManager:
    def __init__(self):
        logger.info("Initializing GoalManager...")  # @init
        self.goals, self.tasks, self.max_retries = {}, [], 1
        self._register_services()
        logger.info("GoalManager initialized successfully.")  # @init_ok

    def _register_services(self):
        for name in ("research", "writer"):
            logger.info(f"Registered service: {name}")

    def _break_down(self, goal_id, description):
        logger.info(f"Breaking down goal {goal_id}...")  # @break
        for attempt in range(self.max_retries + 1):
            try:
                if description == "impossible":
                    raise ValueError("planner returned no JSON")
                tasks = [f"{goal_id}-t{n}" for n in range(2)]
                logger.info(f"Goal {goal_id} broken down into {len(tasks)} tasks.")  # @break_ok
                return tasks
            except Exception as e:
                logger.error(f"Error breaking down goal {goal_id} (attempt {attempt + 1}/{self.max_retries + 1}): {e}")  # @break_err
                time.sleep(0.001)
        return []

    def _execute_task(self, task_id):
        logger.info(f"Executing task {task_id}: step {task_id[-1]}...")  # @task
        try:
            if task_id == "g2-t1":
                raise RuntimeError("service writer did not answer")
            time.sleep(0.001)
            self.tasks.append(task_id)
            logger.info(f"Task {task_id} completed successfully.")  # @task_ok
            return True
        except Exception as e:
            logger.error(f"Task {task_id} failed: {str(e)}")  # @task_bad
            return False

    def set_goal(self, goal_id, description):
        self.goals[goal_id] = "pending"
        logger.info(f"New goal {goal_id} accepted: {description}")
        tasks = self._break_down(goal_id, description)
        if not tasks:
            self.goals[goal_id] = "failed"
            logger.warning(f"Goal {goal_id} has no tasks, marked failed")
            return
        done = [t for t in tasks if self._execute_task(t)]
        self.goals[goal_id] = "completed" if len(done) == len(tasks) else "failed"
        logger.info(f"Goal {goal_id} status updated to {self.goals[goal_id]}")

    def cleanup(self):
        logger.info("Cleaning up GoalManager resources...")  # @clean
        self.goals.clear()
        logger.info("Cleanup complete")  # @clean_ok


if __name__ == "__main__":
    gm = GoalManager()
    gm.set_goal("g1", "write a poem")
    gm.set_goal("g2", "write a novel")
    gm.set_goal("g3", "impossible")
    gm.cleanup()
