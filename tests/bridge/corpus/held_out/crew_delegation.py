"""A crew of two: the lead hands sub-tasks to a coder and runs its code. Logs (too) much."""
import logging
import sys

lead = logging.getLogger("crew.lead")
coder = logging.getLogger("crew.coder")
sandbox = logging.getLogger("crew.sandbox.stdout")
logging.basicConfig(stream=sys.stdout, level=logging.DEBUG, format="%(name)-20s %(message)s")

PROMPT = """You are a helpful coder.
Starting a task means: Loading files. When Completed say DONE.
Error handling: never fail. [START] ... [END]"""


class StubModel:
    answers = iter(["print('Processing 3 items... done in 2.0s')", "raise SystemExit('failed')",
                    "I started to think and completed nothing."])

    def chat(self, prompt):
        coder.debug(f"PROMPT >>> {prompt}")
        text = next(self.answers)
        coder.debug(f"ANSWER <<< {text}")
        return text


def relay(lines):
    """Pass on what the child process wrote."""
    for line in lines:
        sandbox.info(line)


def execute(code):
    lead.info(f"Code goes to the sandbox ({len(code)} chars)")  # @sandbox
    if "raise" in code:
        relay(["Traceback (most recent call last):", "SystemExit: failed", "ERROR: process failed"])
        lead.warning("Sandbox came back with exit code 1")  # @exit_one
        return 1
    relay(["Starting server on port 8080", "Processing 3 items... done in 2.0s", "Error: none", "Task completed"])
    lead.info("Sandbox came back with exit code 0")  # @exit_zero
    return 0


def delegate(step, what, model):
    lead.info(f"Step {step}: delegating '{what}' to the coder")  # @delegate
    answer = model.chat(f"{PROMPT}\n\nTask: {what}")
    lead.info(f"Tokens: 812 in, 34 out, latency budget: 20s")
    if "print" not in answer and "raise" not in answer:
        lead.error(f"Step {step}: answer holds no code")  # @no_code
        return None
    rc = execute(answer)
    lead.info(f"Step {step}: coder's work is {'accepted' if rc == 0 else 'accepted with remarks'}")  # @accepted
    return rc


def crew(order):
    lead.info(f"Order received from user: {order!r}")  # @order
    model = StubModel()
    plan = ["write: loading finished", "fix the error in failed_start.py", "stop all, end all"]
    lead.info(f"Plan: {plan}")
    codes = [delegate(n, what, model) for n, what in enumerate(plan, 1)]
    lead.info(f"Scratchpad: started={len(plan)} completed={codes.count(0)} failed={codes.count(None)}")
    lead.info("Answer delivered to user")  # @delivered


crew("Please start processing; if it failed, say 'completed'")
