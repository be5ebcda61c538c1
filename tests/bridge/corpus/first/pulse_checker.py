"""Health checks over a fleet of agents, three rounds."""
import logging
import time

logging.basicConfig(level=logging.DEBUG, format="%(asctime)s.%(msecs)03d %(name)s %(levelname)s: %(message)s",
                    datefmt="%H:%M:%S")


class PulseChecker:
    STATES = [{"asr": "up", "nlu": "up"}, {"asr": "down", "nlu": "up"}, {"asr": "up", "nlu": "odd"}]

    def __init__(self):
        self.logger = logging.getLogger(self.__class__.__name__)
        self.started_at = time.monotonic()
        self.failures = {"asr": 0, "nlu": 0}
        self.logger.info("PulseChecker is up and running, interval 10s")

    def probe(self, agent, answer):
        self.logger.debug(f"Probing {agent} (deadline 500 ms)")  # @probe
        time.sleep(0.001)
        if answer == "down":
            raise ConnectionRefusedError(f"{agent} refused")
        if answer != "up":
            self.logger.debug(f"Probe of {agent} gave a strange answer: {answer}")  # @probe_odd
            return False
        self.logger.debug(f"Probe of {agent} passed")  # @probe_ok
        return True

    def round(self, n):
        self.logger.info(f"=== Health check round {n} ===")  # @round
        healthy = 0
        for agent, answer in self.STATES[n].items():
            try:
                healthy += self.probe(agent, answer)
            except ConnectionRefusedError as e:
                self.failures[agent] += 1
                self.logger.warning(f"{agent} unhealthy: {e} ({self.failures[agent]} in a row)")
        self.logger.info(f"Health check finished: {healthy}/2 agents healthy")  # @round_ok

    def run(self):
        for n in range(3):
            self.round(n)
            self.logger.debug(f"heartbeat #{n}: idle for 10s")
        self.logger.info(f"failed checks per agent: {self.failures}")


if __name__ == "__main__":
    PulseChecker().run()
