"""Generates code, checks it and refines it a few times."""
import logging
import time
import uuid

logging.basicConfig(level=logging.INFO)
logger = logging.getLogger("ModelOrchestrator")
MAX_REFINEMENT_ITERATIONS = 3


class Orchestrator:
    def __init__(self, drafts):
        self.drafts = drafts

    def _ollama(self, prompt, request_id):
        logger.info(f"Ollama generation request (ID: {request_id}): model=codellama, prompt_len={len(prompt)}")  # @ollama
        time.sleep(0.001)
        if "refuse" in prompt:
            raise RuntimeError("context window exceeded")
        logger.info(f"Ollama generation response (ID: {request_id}): {len(prompt) * 2} chars")  # @ollama_ok
        return prompt

    def _verify(self, code):
        logger.info("Verifying generated code")  # @verify
        try:
            compile(code, "<generated>", "exec")
        except SyntaxError as e:
            logger.warning(f"Verification failed: {e.msg}")  # @verify_bad
            return False
        logger.info("Code verification successful. Finalizing.")  # @verify_ok
        return True

    def generate(self, task_id):
        logger.info(f"Starting iterative code generation for task: {task_id}")  # @gen
        try:
            for i in range(MAX_REFINEMENT_ITERATIONS):
                logger.info(f"Refinement iteration {i + 1}/{MAX_REFINEMENT_ITERATIONS}")  # @it
                code = self._ollama(self.drafts[task_id][i], uuid.uuid4().hex[:6])
                if self._verify(code):
                    logger.info(f"Code generation for task {task_id} finished after {i + 1} iterations")  # @gen_ok
                    return code
            logger.error(f"Code generation for task {task_id} did not converge")  # @gen_no
        except Exception as e:
            logger.error(f"Error generating with Ollama: {e}")  # @gen_bad
        return None


orchestrator = Orchestrator({
    "t1": ["x = 1"],
    "t2": ["x = ", "def", "x = 2"],
    "t3": ["x = ", "x + ", "return ("],
    "t4": ["x = ", "refuse"],
})
for task in ("t1", "t2", "t3", "t4"):
    orchestrator.generate(task)
