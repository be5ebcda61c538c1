"""A client with retries, back-off and a circuit breaker."""
import logging
import time

logger = logging.getLogger("remote_connector")
logger.addHandler(logging.StreamHandler())
logger.setLevel(logging.DEBUG)


class Remote:
    def __init__(self):
        self.script = {"ok": [200], "flaky": [503, 200], "dead": [503, 503, 503], "slow": [None, None, None]}
        self.calls = {}

    def get(self, name):
        n = self.calls[name] = self.calls.get(name, 0) + 1
        status = self.script[name][n - 1]
        if status is None:
            raise TimeoutError("timed out after 30 s")
        return status


class Connector:
    max_retries = 3

    def __init__(self):
        self.remote, self.failures, self.open = Remote(), 0, False

    def request(self, name):
        if self.open:
            logger.warning(f"Circuit breaker is open, dropping request to {name}")
            return None
        for attempt in range(self.max_retries):
            try:
                logger.debug(f"Requesting {name} (attempt {attempt + 1}/{self.max_retries})")  # @req
                status = self.remote.get(name)
                if status >= 500:
                    logger.warning(f"Server error {status} from {name}, retrying in {2 ** attempt}s")  # @req_5xx
                    time.sleep(0.001)
                    continue
                logger.debug(f"Got {status} from {name}")  # @req_ok
                return status
            except TimeoutError as e:
                logger.warning(f"Request to {name} timed out: {e} (attempt {attempt + 1}/{self.max_retries})")  # @req_time
        self.failures += 1
        if self.failures >= 2:
            self.open = True
            logger.error("Circuit breaker opened after 2 failures, will try again in 60s")
        return None

    def generate(self, model, prompt):
        logger.info(f"Processing generation request - model: {model}, prompt length: {len(prompt)}")  # @gen
        status = self.request(model)
        if status is None:
            logger.error(f"Generation failed - model {model} unavailable")  # @gen_bad
            return None
        logger.info(f"Generation completed - status: {status}")  # @gen_ok
        return status


connector = Connector()
for model in ("ok", "flaky", "dead", "slow", "ok"):
    connector.generate(model, "please complete")
