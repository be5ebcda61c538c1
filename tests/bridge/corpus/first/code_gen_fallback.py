"""Code generator agent: local model first, then remote ones."""
import logging
import time
import uuid

logger = logging.getLogger("CodeGenerator")
logging.basicConfig(level=logging.INFO, format="%(asctime)s - %(name)s - %(levelname)s - %(message)s")
BACKENDS = ("gguf", "ollama", "openrouter")


class CodeGenerator:
    def __init__(self):
        self.ids = iter(range(100, 999))
        self.token = uuid.UUID(int=7).hex[:8]

    def handle(self, prompt):
        request_id = f"cg-{next(self.ids)}"
        logger.info(f"Code generation request (ID: {request_id}): prompt_len={len(prompt)}")  # @req
        for backend in BACKENDS:
            try:
                code = getattr(self, f"via_{backend}")(prompt, request_id)
                break
            except RuntimeError as e:
                logger.error(f"Error generating with {backend}: {e}")
        else:
            logger.error(f"All backends exhausted, request {request_id} failed")  # @req_bad
            return ""
        self.tidy(code)
        logger.info(f"Request {request_id} completed - {len(code)} chars via {backend}")  # @req_ok
        return code

    def tidy(self, code):
        logger.info("Extracting the code block from the answer")  # @tidy
        time.sleep(0.001)
        return code.strip()

    def via_gguf(self, prompt, request_id):
        raise RuntimeError("model file missing")

    def via_ollama(self, prompt, request_id):
        logger.info(f"[{request_id}] Ollama generation begins (num_ctx 4096)")  # @oll
        time.sleep(0.002)
        if "loop" not in prompt:
            logger.warning(f"[{request_id}] Ollama generation gave up: empty output")  # @oll_bad
            raise RuntimeError("empty output")
        logger.info(f"[{request_id}] Ollama generation ended")  # @oll_ok
        return "while True: pass"

    def via_openrouter(self, prompt, request_id):
        logger.info(f"[{request_id}] Posting to openrouter")  # @opr
        time.sleep(0.001)
        if "fail" in prompt:
            raise RuntimeError("HTTP 402")
        logger.info(f"[{request_id}] 200 from openrouter")  # @opr_ok
        return "pass"


if __name__ == "__main__":
    cg = CodeGenerator()
    logger.info(f"Code generator loaded, backends: {BACKENDS}")
    cg.handle("write an endless loop that never completes")
    cg.handle("write a starter")
    cg.handle("write a failed test")
