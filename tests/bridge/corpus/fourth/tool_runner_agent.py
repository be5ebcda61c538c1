#!/usr/bin/env python3
"""A small ReAct-like agent. JSON lines on stderr; event names with fields."""
import json
import logging
import sys
import time


class JsonFormatter(logging.Formatter):
    SKIP = set(vars(logging.makeLogRecord({}))) | {"message"}

    def format(self, record):
        body = {"ts": round(record.created, 3), "lvl": record.levelname.lower(), "event": record.getMessage()}
        body.update({k: v for k, v in vars(record).items() if k not in self.SKIP})
        return json.dumps(body)


handler = logging.StreamHandler(sys.stderr)
handler.setFormatter(JsonFormatter())
log = logging.getLogger("agent")
log.addHandler(handler)
log.setLevel(logging.DEBUG)


class ToolError(Exception):
    pass


def tool_calculator(expr):
    return str(eval(expr, {"__builtins__": {}}))


def tool_weather(city):
    time.sleep(0.002)
    if city == "Atlantis":
        raise ToolError("unknown city")
    return "14C, light rain"


TOOLS = {"calculator": tool_calculator, "weather": tool_weather}

# a canned model: each entry is what it "answers" in turn
CANNED = [
    {"thought": "I must look up both cities", "calls": [("c1", "weather", "Bergen"), ("c2", "weather", "Atlantis")]},
    {"thought": "compute the mean", "calls": [("c3", "calculator", "(14+10)/2")]},
    {"thought": "done", "final": "The mean is 12C. Error bars unknown."},
]


class Agent:
    def __init__(self, run_id, max_steps=5):
        self.run_id, self.max_steps = run_id, max_steps
        self.tokens = 0

    def complete(self, step):
        log.debug(  # @llm
            "llm.request",
            extra={"run_id": self.run_id, "step": step, "model": "canned-1", "max_tokens": 256},
        )
        time.sleep(0.003)
        answer = CANNED[step - 1]
        self.tokens += 40
        log.debug(  # @llm_ok
            "llm.response",
            extra={"run_id": self.run_id, "step": step, "usage": self.tokens},
        )
        return answer

    def call_tool(self, call_id, name, arg):
        log.info(  # @tool
            "tool.call",
            extra={"run_id": self.run_id, "call_id": call_id, "tool": name, "input": arg},
        )
        try:
            out = TOOLS[name](arg)
        except Exception as exc:
            log.error(  # @tool_err
                "tool.error",
                extra={"run_id": self.run_id, "call_id": call_id, "tool": name, "error": str(exc)},
            )
            return f"ERROR: {exc}"
        log.info(  # @tool_ok
            "tool.result",
            extra={"run_id": self.run_id, "call_id": call_id, "tool": name, "output": out},
        )
        return out

    def run(self, question):
        log.info("run.started", extra={"run_id": self.run_id, "question": question})  # @run
        for step in range(1, self.max_steps + 1):
            answer = self.complete(step)
            log.info("agent.thought", extra={"run_id": self.run_id, "text": answer["thought"]})
            if "final" in answer:
                log.info(  # @run_ok
                    "run.finished",
                    extra={"run_id": self.run_id, "steps": step, "answer": answer["final"]},
                )
                return answer["final"]
            for call in answer["calls"]:
                observation = self.call_tool(*call)
                log.debug("agent.observation", extra={"run_id": self.run_id, "text": observation})
        log.error("run.failed", extra={"run_id": self.run_id, "reason": "step limit"})  # @run_fail
        return None


def main():
    log.info("config.loaded", extra={"tools": sorted(TOOLS), "timeout_s": 30})
    first = Agent("r-7f").run("mean temperature of Bergen and Atlantis?")
    second = Agent("r-80", max_steps=1).run("and of Oslo?")
    log.info("process.summary", extra={"answered": int(bool(first)) + int(bool(second)), "failed": 1})
    return 0


if __name__ == "__main__":
    sys.exit(main())
