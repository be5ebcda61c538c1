"""A remote connector that announces each attempt and backs off."""
import logging
import time

logger = logging.getLogger("RemoteConnector")
logger.setLevel(logging.INFO)
h = logging.StreamHandler()
h.setFormatter(logging.Formatter("%(asctime)s|%(levelname)s|%(message)s"))
logger.addHandler(h)
logger.propagate = False

BEHAVIOUR = {"mistral": ["timeout", "ok"], "falcon": ["timeout", "refused", "timeout"], "gemma": ["ok"]}


class RemoteError(Exception):
    pass


def post(model, outcome):
    time.sleep(0.002)
    if outcome == "timeout":
        raise TimeoutError("timed out after 30 s")
    if outcome == "refused":
        raise ConnectionRefusedError("connection refused")
    return {"status": "ok", "text": "the attempt failed, retrying"}


def generate(model, prompt, retries=3):
    logger.info(f"Processing generation request - model: {model}, prompt length: {len(prompt)}")  # @gen
    for attempt in range(1, retries + 1):
        logger.info(f"Attempt {attempt}/{retries} to reach {model}")  # @try
        try:
            result = post(model, BEHAVIOUR[model][attempt - 1])
        except (TimeoutError, ConnectionRefusedError) as e:
            logger.warning(f"Attempt {attempt}/{retries} failed: {e}")  # @try_bad
            if attempt < retries:
                logger.info(f"Backing off for {2 ** attempt}s")
                time.sleep(0.001)
            continue
        logger.info(f"Attempt {attempt} succeeded")  # @try_ok
        logger.info(f"Generation completed - status: {result.get('status')}")  # @gen_ok
        return result["text"]
    logger.error(f"Giving up on {model} after {retries} attempts")  # @gen_bad
    raise RemoteError(model)


def main():
    answers, errors = 0, 0
    for model in ("mistral", "falcon", "gemma"):
        try:
            answer = generate(model, "start the engine")
            answers += 1
            logger.info(f"Answer: {answer}")
        except RemoteError as e:
            errors += 1
            logger.error(f"No answer from {e}")
    logger.info(f"answers={answers} errors={errors}")


if __name__ == "__main__":
    main()
