import ast
import logging
import sys
import time
from collections import deque

logging.basicConfig(level=logging.DEBUG, stream=sys.stdout, format="%(asctime)s [%(name)s] %(levelname)s: %(message)s")
logger = logging.getLogger("CodeGenerator")

MAX_REFINEMENT_ITERATIONS = 3
DRAFTS = {
    "fizzbuzz": ["def f(n):\n  return n %", "def f(n):\n    return 'Fizz' if n % 3 == 0 else n"],
    "slugify": ["def slug(s):\n    return s.lower().replace(' ', '-')"],
    "regex_engine": ["def m(", "def m(a:", "class ="],
}


class OllamaError(Exception):
    pass


class FakeOllama:
    def __init__(self):
        self.drafts = {k: deque(v) for k, v in DRAFTS.items()}
        self.calls = 0

    def generate(self, request_id, model, task):
        self.calls += 1
        logger.info(f"Ollama generation request (ID: {request_id}): model={model}, prompt_len={len(task) * 12}")  # @gen
        time.sleep(0.001)
        if self.calls == 2:
            logger.error(f"Error generating with Ollama (ID: {request_id}): connection reset")  # @gen_bad
            raise OllamaError("connection reset")
        code = self.drafts[task].popleft()
        logger.info(f"Ollama generation {request_id} finished: {len(code)} chars")  # @gen_ok
        return code


class CodeGeneratorAgent:
    def __init__(self):
        self.llm = FakeOllama()
        self.done, self.failed = 0, 0
        self.model = "codellama:7b"
        logger.info(f"🤖 CodeGenerator up with model {self.model}, max iterations {MAX_REFINEMENT_ITERATIONS}")

    def verify(self, code):
        try:
            ast.parse(code)
            return None
        except SyntaxError as e:
            return f"{e.msg} at line {e.lineno}"

    def generate(self, task, request_id):
        try:
            return self.llm.generate(request_id, self.model, task)
        except OllamaError:
            logger.warning("Retrying in 0.001s...")
            time.sleep(0.001)
            return self.llm.generate(f"{request_id}r", self.model, task)

    def handle_task(self, task_id, task):
        logger.info(f"🛠️ Starting iterative code generation for task: {task_id} ({task})")  # @task
        for i in range(MAX_REFINEMENT_ITERATIONS):
            code = self.generate(task, f"{task_id}-{i}")
            problem = self.verify(code)
            logger.debug(f"[Refine] {i + 1} of {MAX_REFINEMENT_ITERATIONS} drafts checked, problem: {problem}")
            if problem is None:
                logger.info("[Refine] Code verification successful. Finalizing.")
                self.done += 1
                logger.info(f"🎉 Task {task_id} completed after {i + 1} iteration(s)")  # @task_ok
                return code
            logger.warning(f"[Refine] Verification failed: {problem}")
        self.failed += 1
        logger.error(f"💥 Task {task_id} failed: giving up after {MAX_REFINEMENT_ITERATIONS} iterations")  # @task_bad
        return None

    def save_all(self, results):
        logger.info("💾 Writing generated modules to the workspace...")  # @save
        workspace = {}
        for name, code in results.items():
            if code is None:
                logger.debug(f"nothing to write for {name}")
                continue
            workspace[f"{name}.py"] = code.encode()
            time.sleep(0.001)
            logger.debug(f"{name}.py: {len(workspace[f'{name}.py'])} bytes")
        return workspace

    def report(self):
        logger.info("=" * 40)
        logger.info(f"Tasks completed: {self.done}, failed: {self.failed}")
        logger.info(f"LLM calls started: {self.llm.calls}, avg response time: 0.001s")
        logger.info("=" * 40)


def main():
    agent = CodeGeneratorAgent()
    results = {}
    for n, task in enumerate(("slugify", "fizzbuzz", "regex_engine"), 1):
        results[task] = agent.handle_task(f"task_{n:03d}", task)
    agent.save_all(results)
    agent.report()
    missing = [t for t, c in results.items() if c is None]
    if missing:
        logger.warning(f"No code for: {', '.join(missing)}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
