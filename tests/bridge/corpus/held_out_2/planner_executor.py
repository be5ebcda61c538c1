"""A small planner/executor loop: plan, run the steps, plan again when a step breaks."""
import asyncio
import dataclasses
import logging
import sys

log = logging.getLogger("planner")


@dataclasses.dataclass
class Step:
    no: int
    tool: str
    arg: str


class StepFailed(Exception):
    pass


class FakeLLM:
    plans = [
        "search: ferry times Kiel\nread_page: https://ferries.example/kiel\nsummarize: all",
        "search: ferry Kiel Gothenburg\nsummarize: all",
    ]

    def __init__(self):
        self.used = 0

    async def complete(self, prompt):
        log.debug("prompt (%d chars): %r", len(prompt), prompt[:60])
        await asyncio.sleep(0.001)
        self.used += 1
        return self.plans[(self.used - 1) % len(self.plans)]


class Planner:
    def __init__(self, llm):
        self.llm = llm

    async def plan(self, goal, problem=None):
        log.info(f"Planning for goal: {goal!r}")  # @plan
        if problem:
            log.info(f"  taking into account: {problem}")
        text = await self.llm.complete(f"Goal: {goal}\nProblem: {problem}\nPlan:")
        steps = [Step(i, *[p.strip() for p in line.split(":", 1)]) for i, line in enumerate(text.splitlines(), 1)]
        log.info(f"Plan created with {len(steps)} steps")  # @plan_ok
        for s in steps:
            log.debug(f"  {s.no}. {s.tool}({s.arg})")
        return steps


class Executor:
    def __init__(self):
        self.notes = []

    async def run_step(self, step):
        log.info(f"Executing step {step.no}: {step.tool}")  # @step
        fn = getattr(self, f"_{step.tool}")
        try:
            result = await fn(step.arg)
        except Exception as e:
            log.warning(f"Step {step.no} ({step.tool}) failed: {e}")  # @step_bad
            raise StepFailed(f"{step.tool}: {e}") from e
        self.notes.append(result)
        log.info(f"Step {step.no} done -> {result[:30]}")  # @step_ok

    async def _search(self, q):
        await asyncio.sleep(0.001)
        log.debug(f"search backend returned 2 hits for {q!r}, 0 ads")
        return f"2 hits for {q}"

    async def _read_page(self, url):
        log.debug(f"GET {url} timeout=10s")
        await asyncio.sleep(0.001)
        raise ConnectionError("403 from the page")

    async def _summarize(self, _):
        await asyncio.sleep(0)
        return f"summary of {len(self.notes)} notes: done, nothing failed"


async def achieve(goal, max_plans=3):
    log.info(f"=== goal accepted: {goal}")  # @goal
    planner, executor = Planner(FakeLLM()), Executor()
    problem = None
    for round_no in range(max_plans):
        steps = await planner.plan(goal, problem)
        try:
            for step in steps:
                await executor.run_step(step)
            break
        except StepFailed as e:
            problem = str(e)
            log.info(f"plan {round_no + 1} of at most {max_plans} did not work out, planning again")
    else:
        raise RuntimeError("out of plans")
    log.info(f"=== goal reached with {len(executor.notes)} notes")  # @goal_ok
    return executor.notes[-1]


async def main():
    answer = await achieve("find the ferry from Kiel to Gothenburg")
    log.info(f"answer: {answer}")
    log.info("tokens: prompt=412 completion=96 limit=8192")


if __name__ == "__main__":
    logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(levelname).1s %(name)s: %(message)s")
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    asyncio.run(main())
