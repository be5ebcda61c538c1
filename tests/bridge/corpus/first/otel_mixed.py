"""Planner with some hand-made spans between its log lines."""
import logging
import time

from opentelemetry import trace

logging.basicConfig(level=logging.INFO)
logger = logging.getLogger("planner")
tracer = trace.get_tracer("planner")


def call_llm(prompt):
    with tracer.start_as_current_span("llm.chat"):
        logger.info(f"Prompting with {len(prompt)} characters")  # @prompt
        time.sleep(0.003)
        logger.info("Completion received: 'Step 1: start. Step 2: complete.'")  # @prompt_ok
        return "plan"


def use_tool(name, arg):
    logger.info(f"Invoking tool {name} with {arg!r}")  # @tool
    try:
        with tracer.start_as_current_span(f"tool.{name}"):
            if arg is None:
                raise ValueError("argument missing")
            time.sleep(0.001)
            return arg * 2
    except ValueError as e:
        logger.error(f"Tool {name} crashed: {e}")  # @tool_bad
        return None
    finally:
        logger.info(f"Tool {name} is free again")


def plan(question):
    logger.info(f"Planning for question '{question}'")  # @plan
    call_llm(question)
    with tracer.start_as_current_span("act"):
        use_tool("double", 4)
        use_tool("double", None)
    logger.info(f"Plan for '{question}' carried out")  # @plan_ok


def main():
    with tracer.start_as_current_span("session"):
        logger.info("session opened, connection established, everything started")
        plan("how much is twice four?")
    logger.info("the end")


if __name__ == "__main__":
    main()
