"""Breaks goals into sub-goals and works them off, depth first."""
from __future__ import annotations

import logging
import sys
from dataclasses import dataclass, field

logging.basicConfig(stream=sys.stdout, format="%(asctime)s [GoalPlanner] %(levelname)s: %(message)s", level=logging.INFO)
logger = logging.getLogger(__name__)

LIBRARY = {
    "organise fair": ["book hall", "invite exhibitors", "print badges"],
    "invite exhibitors": ["collect addresses", "send letters"],
}


class StepFailed(Exception):
    pass


@dataclass
class Goal:
    gid: str
    text: str
    state: str = "new"
    children: list[Goal] = field(default_factory=list)


class Worker:
    def perform(self, text: str) -> str:
        if text == "print badges":
            raise StepFailed("printer out of paper")
        return f"result of '{text}'"


class Planner:
    def __init__(self, worker: Worker, max_depth: int = 4):
        self.worker = worker
        self.max_depth = max_depth
        self.counter = 0

    def new_goal(self, text: str) -> Goal:
        self.counter += 1
        g = Goal(f"G{self.counter:02d}", text)
        logger.info(f"Goal {g.gid} registered: {text}")
        return g

    def decompose(self, goal: Goal) -> None:
        parts = LIBRARY.get(goal.text, [])
        if not parts:
            return
        logger.info(f"Breaking down {goal.gid}...")  # @break
        for p in parts:
            goal.children.append(self.new_goal(p))
        logger.info(f"{goal.gid} broken down into {len(goal.children)} tasks")  # @broken

    def pursue(self, goal: Goal, depth: int = 0) -> bool:
        if depth > self.max_depth:
            logger.warning(f"Depth limit {self.max_depth} reached, dropping {goal.gid}")
            return False
        logger.info(f"Pursuing goal {goal.gid} (depth {depth})")  # @pursue
        self.decompose(goal)
        try:
            if goal.children:
                results = [self.pursue(c, depth + 1) for c in goal.children]
                if not any(results):
                    raise StepFailed("no sub-goal worked")
            else:
                answer = self.worker.perform(goal.text)
                logger.info(f"Answer of the worker: {answer}")
        except StepFailed as e:
            goal.state = "failed"
            logger.error(f"Goal {goal.gid} failed: {e}")  # @goal_failed
            return False
        goal.state = "achieved"
        logger.info(f"Goal {goal.gid} achieved")  # @achieved
        return True


def tree(goal: Goal, indent: int = 0):
    yield f"{'  ' * indent}{goal.gid} {goal.state}"
    for c in goal.children:
        yield from tree(c, indent + 1)


if __name__ == "__main__":
    planner = Planner(Worker())
    top = planner.new_goal("organise fair")
    planner.pursue(top)
    logger.info("Goal tree:\n" + "\n".join(tree(top)))
