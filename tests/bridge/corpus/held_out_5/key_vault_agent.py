"""Rotates secrets of services; a wrapper method logs with a prefix; errors are reported by whoever called."""
import logging
import sys
import time

logger = logging.getLogger("rotator")
logger.propagate = False
logger.setLevel(logging.DEBUG)
logger.addHandler(logging.StreamHandler(sys.stdout))


class RotationError(Exception):
    pass


class Rotator:
    def __init__(self, services):
        self.services = services
        self._info("Rotator created for %d services", len(services))

    def _info(self, text, *args):
        logger.info("[rotator] " + text, *args)

    def _error(self, text, *args):
        logger.error("[rotator] " + text, *args)

    def _create_key(self, service):
        self._info("Creating new key for %s", service)  # @create
        time.sleep(0.002)
        if service == "billing":
            raise RotationError("quota of keys exhausted")
        self._info("Key for %s created", service)  # @create_ok
        return service[::-1]

    def _deploy(self, service, key):
        self._info("Deploying key to %s", service)  # @deploy
        time.sleep(0.002)
        if service == "mail":
            self._error("Deploying key to %s failed: host does not answer", service)  # @deploy_bad
            return False
        self._info("Key deployed to %s", service)  # @deploy_ok
        return True

    def rotate(self, service):
        self._info("Starting rotation of %s", service)  # @rotate
        key = self._create_key(service)
        if not self._deploy(service, key):
            self._error("Rotation of %s failed", service)  # @rotate_bad
            return
        self._info("Rotation of %s finished", service)  # @rotate_ok

    def run(self):
        for service in self.services:
            try:
                self.rotate(service)
            except RotationError as e:
                self._error("Rotation of %s failed: %s", service, e)  # @rotate_out
        self._info("Next rotation in 30 days")


Rotator(["web", "billing", "mail", "search"]).run()
