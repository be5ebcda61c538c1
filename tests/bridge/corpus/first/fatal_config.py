"""A loader that dies: the configuration is wrong and the process gives up."""
import logging
import sys
import threading
import time

logger = logging.getLogger("bootstrap")
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)-8s| %(message)s")

CONFIG = {"agents": ["ears", "mouth", "brain"], "ports": {"ears": 5001, "mouth": 5002}}


class Watch(threading.Thread):
    """Watches the disk until the process is gone."""

    def run(self):
        logger.info("Disk watch started (every 5 s)")
        logger.info(f"Scanning disk for old logs of {len(CONFIG['agents'])} agents")  # @scan
        time.sleep(30)
        logger.info("Scan found nothing")


def read_config():
    logger.info(f"Parsing configuration with {len(CONFIG)} sections")  # @cfg
    agents = CONFIG["agents"]
    logger.info(f"Configuration parsed: {len(agents)} agents, 0 errors")  # @cfg_ok
    return agents


def start_agent(name):
    logger.info(f"Bringing up agent {name}")  # @up
    time.sleep(0.001)
    port = CONFIG["ports"][name]
    logger.info(f"Agent {name} up on port {port}")  # @up_ok


def bootstrap():
    logger.info("Bootstrapping the system")  # @boot
    for name in read_config():
        try:
            start_agent(name)
        except KeyError as e:
            logger.critical(f"Agent {name} did not come up: no port for {e}")
            logger.critical(f"Bootstrap failed at {name}, exiting with code 2")  # @boot_bad
            sys.exit(2)
    logger.info("Bootstrap succeeded")


if __name__ == "__main__":
    Watch(daemon=True).start()
    time.sleep(0.01)
    bootstrap()
