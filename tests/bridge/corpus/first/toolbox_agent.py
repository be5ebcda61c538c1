"""An agent with tools; it logs whole prompts and answers."""
import json
import logging
import time

logger = logging.getLogger("agent.toolbox")
logging.basicConfig(level=logging.INFO)

PROMPT = """You are a careful assistant.
Start by loading the file. If loading failed, say "failed".
When completed, answer "Task completed in 3.2s"."""
SCRIPT = [
    {"tool": "read_file", "args": {"path": "starting_point.txt"}},
    {"tool": "calculator", "args": {"expr": "1/0"}},
    {"final": "The task failed successfully"},
]


def read_file(path):
    return f"content of {path}: processing started"


def calculator(expr):
    a, b = expr.split("/")
    return int(a) / int(b)


TOOLS = {"read_file": read_file, "calculator": calculator}


def run_tool(name, args):
    logger.info(f"Calling tool {name} with arguments {json.dumps(args)}")  # @call
    try:
        result = TOOLS[name](**args)
    except Exception as exc:
        logger.warning(f"Tool {name} raised {type(exc).__name__}: {exc}")  # @call_bad
        return f"error: {exc}"
    logger.info(f"Tool {name} returned: {result}")  # @call_ok
    return result


def ask_model(turn):
    logger.info(f"Requesting completion {turn} from model gpt-mini")  # @llm
    logger.debug(PROMPT)
    time.sleep(0.002)
    logger.info(f"Model said: {SCRIPT[turn]}")  # @llm_ok
    return SCRIPT[turn]


def agent(question):
    logger.info(f"User asked: {question}")
    logger.info(f"System prompt: {PROMPT}")
    logger.info(f"Agent run begins with {len(TOOLS)} tools")  # @run
    for turn in range(10):
        step = ask_model(turn)
        if "final" in step:
            break
        observation = run_tool(step["tool"], step["args"])
        logger.info(f"Observation: {observation}")
    logger.info(f"Agent run ends after {turn + 1} turns")  # @run_ok
    logger.info(f"Final answer: {step['final']}")


agent("Why has starting the loader failed?")
