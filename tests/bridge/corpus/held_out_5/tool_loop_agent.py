"""An agent that thinks and calls tools until it is done, with iterations told at their beginning and end."""
import logging
import time

logging.basicConfig(level=logging.INFO, format="%(message)s")
logger = logging.getLogger("agent.loop")


def ask_model(prompt):
    logger.info(f"Calling model with {len(prompt)} characters")  # @model
    time.sleep(0.003)
    logger.info("Model replied")  # @model_ok
    return "done" if "weather: rain" in prompt else "weather"


def call_tool(name):
    logger.info(f"Tool {name} called")  # @tool
    time.sleep(0.002)
    if name == "traffic":
        raise TimeoutError("no answer in 5 s")
    logger.info(f"Tool {name} returned 1 result")  # @tool_ok
    return f"{name}: rain"


def solve(task, tools):
    logger.info(f"Solving task: {task}")  # @solve
    prompt = task
    for turn in range(1, 4):
        logger.info(f"--- Iteration {turn} ---")  # @it
        answer = ask_model(prompt)
        if answer == "done":
            logger.info(f"Task solved after {turn} iterations")  # @solve_ok
            return True
        for tool in tools:
            try:
                prompt += call_tool(tool)
            except TimeoutError as e:
                logger.error(f"Tool {tool} failed: {e}")  # @tool_bad
    logger.error("Task not solved, out of iterations")  # @solve_bad
    return False


solve("should I take a coat", ["weather"])
solve("how long to the airport", ["traffic"])
