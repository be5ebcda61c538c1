"""Backups with locks, early returns, rotation and a mirror."""
import hashlib
import logging

logging.basicConfig(level=logging.DEBUG, format="%(levelname).3s | vault | %(message)s")
log = logging.getLogger("vault")


class Cancelled(Exception):
    pass


class Vault:
    def __init__(self):
        self.locked = {"mail"}
        self.tapes = ["mon", "tue", "wed", "thu", "fri"]
        self.store = {}

    def snapshot(self, volume, data):
        if volume in self.locked:
            log.info(f"snapshot of {volume} not begun: locked by another process")
            return False
        if data is None:
            log.error(f"snapshot of {volume} impossible, volume is not mounted")
            return False
        log.info(f"snapshot of {volume}: freeze, {len(data)} blocks")  # @freeze
        try:
            for n, block in enumerate(data):
                if block == "stop":
                    raise Cancelled
                if block == "bad":
                    raise OSError(f"block {n} unreadable")
            self.store[volume] = hashlib.sha1("".join(data).encode()).hexdigest()
            return True
        except Cancelled:
            log.info(f"snapshot of {volume}: cancelled by the operator")
            return False
        except OSError as e:
            log.error(f"snapshot of {volume}: {e}", exc_info=True)
            return False
        finally:
            log.info(f"snapshot of {volume}: thaw")  # @thaw

    def verify(self, volume):
        log.info(f"Verifying {volume}")  # @verify
        if volume == "home":
            raise ValueError("checksum mismatch")
        return self.store[volume]

    def restore(self, volume):
        log.info(f"Restore of {volume} requested")  # @restore
        try:
            digest = self.verify(volume)
        except ValueError as e:
            log.warning(f"Local copy of {volume} unusable: {e}. Trying the mirror...")  # @mirror
            digest = self.store[volume][::-1]
            log.info(f"Mirror has {volume}, copy is 3.5 days old")  # @mirror_has
        log.info(f"Restored {volume} ({digest[:6]})")  # @restored

    def rotate(self, keep):
        log.info(f"Rotation: {len(self.tapes)} tapes, {keep} stay")  # @rotation
        while len(self.tapes) > keep:
            log.debug(f"tape {self.tapes.pop(0)} erased")
        log.info("Rotation complete, sleeping for 30 minutes")  # @rotated


def night():
    vault = Vault()
    log.info("Night shift")
    results = [
        vault.snapshot("home", ["a", "b"]),
        vault.snapshot("mail", ["a"]),
        vault.snapshot("media", ["a", "bad"]),
        vault.snapshot("scratch", ["stop"]),
        vault.snapshot("usb", None),
        vault.snapshot("etc", ["x"]),
    ]
    vault.rotate(3)
    vault.restore("home")
    vault.restore("etc")
    log.info(f"snapshots done: {results.count(True)}, not done: {results.count(False)}, retention 14 days")


night()
