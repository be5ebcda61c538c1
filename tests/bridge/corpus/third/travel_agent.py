"""Travel assistant: plans with a (stub) model, calls tools, answers."""
import contextlib
import json
import logging

try:
    from opentelemetry import trace
    tracer = trace.get_tracer("travel")
except ImportError:
    class _NoTracer:
        @contextlib.contextmanager
        def start_as_current_span(self, name):
            yield None
    tracer = _NoTracer()

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
logger = logging.getLogger("travel.agent")
tool_logger = logging.getLogger("travel.tools")

PLANS = {
    "trip to Graz": [("trains", {"to": "Graz"}), ("weather", {"city": "Graz"})],
    "trip to Atlantis": [("trains", {"to": "Atlantis"})],
}


def ask_model(prompt):
    logger.info(f"Prompt: {prompt!r}")
    with tracer.start_as_current_span("chat stub-model"):
        logger.info("Model answered with 42 tokens")
        return PLANS.get(prompt, [])


def trains(to):
    if to not in ("Graz", "Wien"):
        raise LookupError(f"no station called {to}")
    return [{"dep": "08:25", "arr": "11:00"}]


def weather(city):
    return {"city": city, "text": "rain started, fog completed its retreat"}


TOOLS = {"trains": trains, "weather": weather}


def call_tool(call_id, name, args):
    tool_logger.info(f"tool.call #{call_id} {name} {json.dumps(args)}")  # @call
    try:
        with tracer.start_as_current_span(f"tool {name}"):
            result = TOOLS[name](**args)
    except LookupError as e:
        tool_logger.error(f"tool.error #{call_id} {name}: {e}")  # @tool_error
        return {"error": str(e)}
    tool_logger.info(f"tool.result #{call_id} {json.dumps(result)}")  # @result
    return result


def plan(task_id, goal):
    logger.info(f"[task {task_id}] Planning...")  # @plan
    steps = ask_model(goal)
    logger.info(f"[task {task_id}] Plan has {len(steps)} steps")  # @planned
    return steps


def handle(task_id, goal):
    logger.info(f"[task {task_id}] New task: {goal}")  # @task
    steps = plan(task_id, goal)
    if not steps:
        logger.warning(f"[task {task_id}] Task failed: model gave no plan")  # @task_failed
        return None
    notes = []
    for i, (name, args) in enumerate(steps, 1):
        notes.append(call_tool(f"{task_id}.{i}", name, args))
    problems = sum("error" in n for n in notes if isinstance(n, dict))
    logger.info(f"[task {task_id}] Task finished with {len(notes)} notes, {problems} problems")  # @task_done
    return notes


def main():
    with tracer.start_as_current_span("session"):
        for task_id, goal in enumerate(["trip to Graz", "trip to Atlantis", "cook an egg in 4 minutes"], 100):
            handle(task_id, goal)
    logger.info("Session over, 3 tasks, max tool time 30 s")


if __name__ == "__main__":
    main()
