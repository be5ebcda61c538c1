#!/usr/bin/env python3
"""Rolls a release out to the shop servers; rolls back when a host fails."""
import logging
import sys

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", datefmt="%H:%M:%S")
logger = logging.getLogger("deploy")

HOSTS = ["shop-1", "shop-2", "shop-3"]
BROKEN = {"shop-3"}


class DeployError(Exception):
    def __init__(self, host, reason):
        super().__init__(f"{host}: {reason}")
        self.host = host


class Host:
    def __init__(self, name):
        self.name = name
        self.version = "4.1.9"
        self.log = logging.LoggerAdapter(logging.getLogger(f"deploy.host"), {"host": name})

    def install(self, version):
        self.log.info(f"{self.name}: installing {version}")  # @install
        old, self.version = self.version, version
        self.smoke_test()
        self.log.info(f"{self.name}: installed {version}, was {old}")  # @installed

    def smoke_test(self):
        self.log.info(f"{self.name}: smoke test running")  # @smoke
        if self.name in BROKEN and self.version != "4.1.9":
            raise DeployError(self.name, "GET /health answered 500")
        self.log.info(f"{self.name}: smoke test passed")  # @smoke_ok


class Release:
    def __init__(self, version, hosts):
        self.version = version
        self.hosts = [Host(h) for h in hosts]
        self.done = []

    def roll_out(self):
        logger.info("*" * 30)
        logger.info(f"Rollout of {self.version} started by user 'start-stop'")  # @rollout
        logger.info("*" * 30)
        try:
            for h in self.hosts:
                self.done.append(h)
                h.install(self.version)
        except DeployError as e:
            logger.error(f"Rollout of {self.version} failed: {e}")  # @rollout_failed
            self.roll_back()
            raise
        logger.info(f"Rollout of {self.version} finished")

    def roll_back(self):
        logger.warning(f"Rolling back {len(self.done)} hosts")  # @back
        for h in reversed(self.done):
            h.version = "4.1.9"
            logger.info(f"{h.name} back on {h.version}")
        logger.warning("Rollback complete")  # @back_done


def preflight(hosts):
    logger.info("Preflight: checking disk space")  # @disk
    for h in hosts:
        logger.info(f"{h} has 12 GB free")
    logger.info("Preflight: disk space ok")  # @disk_ok
    logger.info("Preflight: checking maintenance window, 45 minutes left")  # @window
    logger.info("Preflight: maintenance window ok")  # @window_ok


def main():
    preflight(HOSTS)
    try:
        Release("4.2.0", HOSTS).roll_out()
    except DeployError as e:
        logger.critical(f"Deployment not successful ({e}), see https://wiki/failed-deployments")
        return 1
    logger.info("Deployment successful")
    return 0


if __name__ == "__main__":
    sys.exit(main())
