"""A ReAct agent: think, call a tool, observe."""
import logging

log = logging.getLogger("agent")
logging.basicConfig(level=logging.INFO, format="%(message)s")


def calculator(expression):
    return eval(expression, {"__builtins__": {}})


def web_search(query):
    if "weather" in query:
        raise ConnectionError("search backend unreachable")
    return f"3 hits for {query}"


TOOLS = {"calculator": calculator, "web_search": web_search}


class Agent:
    def __init__(self, plans):
        self.plans = plans

    def think(self, goal, step):
        log.info(f"[LLM] Prompting model with {len(goal)} chars")  # @llm
        plan = self.plans[goal]
        answer = plan[step] if step < len(plan) else ("final", "done")
        log.info(f"[LLM] Model answered with action '{answer[0]}'")  # @llm_ok
        return answer

    def call_tool(self, name, argument):
        log.info(f"[TOOL] Calling {name}({argument!r})")  # @tool
        if name not in TOOLS:
            log.error(f"[TOOL] Unknown tool {name}")  # @tool_unknown
            return "no such tool"
        try:
            result = TOOLS[name](argument)
        except Exception as e:
            log.error(f"[TOOL] {name} raised {type(e).__name__}: {e}")  # @tool_bad
            return f"error: {e}"
        log.info(f"[TOOL] {name} returned {result}")  # @tool_ok
        return result

    def run(self, goal):
        log.info(f"[AGENT] Run started for goal: {goal}")  # @run
        for step in range(4):
            log.info(f"[AGENT] Step {step + 1}/4")  # @step
            action, argument = self.think(goal, step)
            if action == "final":
                log.info(f"[AGENT] Run finished: {argument}")  # @run_ok
                return argument
            observation = self.call_tool(action, argument)
            log.info(f"[AGENT] Observation: {observation}")
        log.warning("[AGENT] Gave up after 4 steps")  # @run_bad
        return None


agent = Agent({
    "sum": [("calculator", "1+2")],
    "weather": [("web_search", "weather today"), ("barometer", "")],
    "loop": [("web_search", "x")] * 9,
})
for goal in ("sum", "weather", "loop"):
    agent.run(goal)
