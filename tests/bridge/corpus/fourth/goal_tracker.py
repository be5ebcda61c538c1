"""Goal manager: breaks goals into tasks, runs them, keeps score."""
import logging
import time

logging.basicConfig(format="%(asctime)s [GoalManager] %(levelname)s - %(message)s", level=logging.INFO)
logger = logging.getLogger(__name__)

MAX_RETRIES = 2


class LLMUnavailable(Exception):
    pass


class Goal:
    def __init__(self, goal_id, description, priority="medium"):
        self.goal_id = goal_id
        self.description = description
        self.priority = priority
        self.status = "pending"
        self.tasks = []


class GoalManager:
    def __init__(self):
        self.goals = {}
        self.llm_calls = 0
        logger.info("GoalManager initialized, 0 active goals restored from memory")

    def add_goal(self, goal):
        self.goals[goal.goal_id] = goal
        logger.info(f"New goal {goal.goal_id} accepted: {goal.description} (priority {goal.priority})")

    def _ask_llm(self, prompt):
        self.llm_calls += 1
        time.sleep(0.001)
        if self.llm_calls == 1:
            raise LLMUnavailable("model is warming up")
        if "garage" in prompt:
            return []
        return [w.strip() for w in prompt.split(" and ")]

    def break_down(self, goal):
        logger.info(f"Breaking down goal {goal.goal_id}...")  # @bd
        for attempt in range(MAX_RETRIES + 1):
            try:
                descriptions = self._ask_llm(goal.description)
                break
            except LLMUnavailable as e:
                logger.error(f"Error breaking down goal {goal.goal_id} (attempt {attempt + 1}/{MAX_RETRIES + 1}): {e}")
                time.sleep(0.001)
        else:
            return
        if not descriptions:
            logger.error(f"Failed to break down goal {goal.goal_id}: empty plan")  # @bd_fail
            raise ValueError("empty plan")
        goal.tasks = [(f"{goal.goal_id}.{i}", d) for i, d in enumerate(descriptions, 1)]
        logger.info(f"Goal {goal.goal_id} broken down into {len(goal.tasks)} tasks.")  # @bd_ok

    def execute_task(self, task_id, description):
        logger.info(f"Executing task {task_id}: {description[:50]}...")  # @task
        time.sleep(0.002)
        if "fly" in description:
            error_msg = "no actuator for verb 'fly'"
            logger.error(f"Task {task_id} failed: {error_msg}")  # @task_fail
            return False
        logger.info(f"Task {task_id} completed successfully.")  # @task_ok
        return True

    def pursue(self, goal_id):
        goal = self.goals[goal_id]
        goal.status = "active"
        logger.info(f"Pursuing goal {goal_id}")  # @goal
        try:
            self.break_down(goal)
        except ValueError as e:
            goal.status = "failed"
            logger.error(f"Giving up on goal {goal_id}: {e}")  # @goal_fail
            return
        done = 0
        for task_id, description in goal.tasks:
            done += self.execute_task(task_id, description)
            logger.info(f"Goal {goal_id} progress: {done}/{len(goal.tasks)}")
        if done == len(goal.tasks):
            goal.status = "completed"
            logger.info(f"Goal {goal_id} achieved")  # @goal_ok
        else:
            goal.status = "partial"
            logger.warning(  # @goal_part
                f"Goal {goal_id} finished partially, {len(goal.tasks) - done} of its tasks to be retried tomorrow"
            )

    def report(self):
        counts = {}
        for g in self.goals.values():
            counts[g.status] = counts.get(g.status, 0) + 1
        logger.info(f"Goal status report: {counts}")


if __name__ == "__main__":
    gm = GoalManager()
    gm.add_goal(Goal("g1", "water plants and feed the cat", "high"))
    gm.add_goal(Goal("g2", "book hotel and fly to Rome"))
    gm.add_goal(Goal("g3", "clean garage", "low"))
    for gid in list(gm.goals):
        gm.pursue(gid)
    gm.report()
