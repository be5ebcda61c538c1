"""A think-act loop of a tool agent; thoughts hold every keyword."""
import logging
import time

logging.basicConfig(level=logging.INFO, format="%(message)s")
logger = logging.getLogger("agent.react")
tools_logger = logging.getLogger("agent.tools")

SCRIPT = {
    "sum and report": [
        ("I should start loading the file, then add", "calculator", {"a": 40, "b": 2}),
        ("Search failed to load? no, not yet started", "web_search", {"q": "completed"}),
        ("Let me fly there", "fly", {}),
        ("Weather finished in 3.2 s", "weather", {"city": "Rome"}),
        ("All done", None, "42"),
    ],
    "loop forever": [
        ("Again", "calculator", {"a": 1, "b": 1}),
        ("Again", "calculator", {"a": "x", "b": 1}),
        ("Again", "calculator", {"a": 2, "b": 1}),
    ],
}


def calculator(a, b):
    time.sleep(0.003)
    return a + b


def web_search(q):
    time.sleep(0.006)
    raise TimeoutError(f"no answer for {q!r}")


TOOLS = {"calculator": calculator, "web_search": web_search, "weather": None}


def llm(turns, n_messages):
    logger.info(f"-> llm ({n_messages} messages)")  # @llm
    time.sleep(0.004)
    thought, tool, args = turns.pop(0)
    logger.info(f"<- llm ({'tool_call' if tool else 'final'})")  # @llm_ok
    logger.info(f"Thought: {thought}")
    return tool, args


def call_tool(name, args):
    if name not in TOOLS:
        tools_logger.warning(f"Model asked for unknown tool {name!r}")
        return "unknown tool"
    if TOOLS[name] is None:
        tools_logger.info(f"Tool {name} is disabled, not calling it")
        return "disabled"
    tools_logger.info(f"Calling tool {name} with {args}")  # @tool
    try:
        out = TOOLS[name](**args)
    except Exception as exc:
        tools_logger.warning(f"Tool {name} raised {type(exc).__name__}: {exc}; telling the model")  # @tool_bad
        return f"error: {exc}"
    tools_logger.info(f"Tool {name} returned {out}")  # @tool_ok
    return out


def run(task, max_turns):
    logger.info(f"=== Agent run: {task!r} ===")  # @run
    turns = list(SCRIPT[task])
    messages = [task]
    for turn in range(1, max_turns + 1):
        tool, args = llm(turns, len(messages))
        if tool is None:
            logger.info(f"Final answer: {args}")
            logger.info(f"=== Agent run finished after {turn} turns ===")  # @run_ok
            return args
        messages.append(call_tool(tool, args))
    logger.error(f"=== Agent run aborted: limit of {max_turns} turns reached ===")  # @run_bad
    return None


run("sum and report", 6)
run("loop forever", 2)
